"""The gate for programs: one JSON document, the same bytes for the same verdict.

A finding is told as `advisor.report.json` tells it, with what the gate adds. The schema is
`advisor.report.gate_schema`, shipped beside this file as ``gate-v1.schema.json``.
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections import Counter
from typing import TYPE_CHECKING, Any

from advisor.findings import Severity, State
from advisor.formats.text import encodable
from advisor.records import fields_of
from advisor.report.json import finding_document, host

if TYPE_CHECKING:
    from advisor.report.gated import Gated, Judged, Replacement, Target

SCHEMA = "advisor.gate/v1"


def render(gated: Gated, **_look: object) -> str:
    """The document, sorted as the report is, indented by 2; how a terminal looks does not matter to it."""
    text = json.dumps(document(gated), indent=2, ensure_ascii=False, allow_nan=False)
    return encodable(text) + "\n"


def document(gated: Gated) -> dict[str, Any]:
    """The document as plain values."""
    return {
        "schema": SCHEMA,
        "advisor": gated.advisor,
        "verdict": {"exit_code": gated.exit_code, "failed": gated.failed, "policy": gated.policy},
        "targets": [_target(target) for target in gated.targets],
        "findings": [_judged(judged) for judged in gated.findings],
        "baseline": gated.baseline,
        "fixed": [_plain(gone) for gone in gated.fixed],
        "faults": [_plain(fault) for fault in gated.faults],
        "unknown": [
            {"rule": one.rule, "source": one.missing.source, "why": one.missing.why, "targets": one.targets}
            for one in gated.unknown
        ],
        "problems": [{"source": source, "why": why} for source, why in gated.problems],
        "quiet": list(gated.quiet),
        "summary": _summary(gated),
    }


def _target(target: Target) -> dict[str, Any]:
    return {"name": target.name, "kind": target.kind, "files": list(target.files), "host": host(target.head)}


def _judged(judged: Judged) -> dict[str, Any]:
    return {
        **finding_document(judged.finding),
        "fingerprint": judged.fingerprint,
        "place": judged.finding.place,
        "target": judged.target,
        "path": judged.path,
        "counts": judged.counts,
        "why_not": judged.why_not,
        "flow": [_plain(waypoint) for waypoint in judged.flow],
        "fix": [_replacement(one) for one in judged.fix],
    }


def _replacement(one: Replacement) -> dict[str, Any]:
    """The new bytes as Base64, and as text where they are UTF-8."""
    try:
        text = one.new.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return {**_plain(one), "new": b2a_base64(one.new, newline=False).decode("ascii"), "text": text}


def _plain(record: object) -> dict[str, Any]:
    """The fields of a record of plain values."""
    return {name: getattr(record, name) for name in fields_of(type(record))}


def _summary(gated: Gated) -> dict[str, Any]:
    open_ones = [one.finding for one in gated.findings if one.finding.state is State.FAIL]
    severities = Counter(finding.severity for finding in open_ones)
    marks = Counter(one.finding.suppression.kind for one in gated.findings if one.finding.suppression is not None)
    return {
        "findings": len(open_ones),
        "counting": len(gated.counting),
        "by_severity": {severity.word: severities[severity] for severity in reversed(Severity)},
        "suppressed": {kind: marks[kind] for kind in ("comment", "configuration", "baseline")},
        "fixed": sum(gone.count for gone in gated.fixed),
        "faults": len(gated.faults),
        "unknown": len({one.rule for one in gated.unknown}),
        "quiet": len(gated.quiet),
    }
