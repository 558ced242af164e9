"""The report for programs: one JSON document, the same bytes for the same result.

Its schema is `advisor.report.schema`, shipped beside this file as ``findings-v1.schema.json``.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from advisor.findings import Severity
from advisor.formats.text import encodable

if TYPE_CHECKING:
    from advisor.findings import Change, Evidence, Finding, Location, Step, Suppression
    from advisor.report.result import Head, Result

SCHEMA = "advisor.findings/v1"


def render(result: Result, **_look: object) -> str:
    """The document, sorted as the result is, indented by 2; how a terminal looks does not matter to it."""
    text = json.dumps(document(result), indent=2, ensure_ascii=False, allow_nan=False)
    return encodable(text) + "\n"


def document(result: Result) -> dict[str, Any]:
    """The document as plain values."""
    severities = Counter(finding.severity for finding in result.failing)
    return {
        "schema": SCHEMA,
        "advisor": result.advisor,
        "host": host(result.head),
        "findings": [finding_document(finding) for finding in result.findings],
        "unknown": [{"rule": rule, "source": missing.source, "why": missing.why} for rule, missing in result.unknown],
        "problems": [{"source": source, "why": why} for source, why in result.problems],
        "summary": {
            "findings": len(result.failing),
            "by_severity": {severity.word: severities[severity] for severity in reversed(Severity)},
            "suppressed": len(result.findings) - len(result.failing),
            "unknown": result.unknown_rules,
            "quiet": result.quiet,
        },
    }


def host(head: Head) -> dict[str, Any]:
    """Where the numbers come from."""
    return {name: getattr(head, name) for name in head.__slots__}


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding, as every document of ours has it."""
    return {
        "rule": finding.rule,
        "title": finding.title,
        "item": finding.item,
        "state": str(finding.state),
        "severity": finding.severity.word,
        "confidence": finding.confidence.word,
        "doubt": finding.doubt,
        "maturity": finding.maturity,
        "message": finding.message,
        "why": finding.why,
        "unless": finding.unless,
        "references": list(finding.references),
        "location": _location(finding.location),
        "evidence": [_evidence(item) for item in finding.evidence],
        "steps": [_step(step) for step in finding.steps],
        "expected": list(finding.expected),
        "fingerprint": finding.fingerprint,
        "suppression": _suppression(finding.suppression),
    }


def _suppression(mark: Suppression | None) -> dict[str, Any] | None:
    return None if mark is None else {name: getattr(mark, name) for name in mark.__slots__}


def _location(place: Location) -> dict[str, Any]:
    return {name: getattr(place, name) for name in ("file", "line", "column", "key", "logical")}


def _evidence(item: Evidence) -> dict[str, Any]:
    return {"name": item.name, "value": finite(item.value), "unit": item.unit.name, "source": item.source}


def _step(step: Step) -> dict[str, Any]:
    return {
        "safety": str(step.safety),
        "needs": list(step.needs),
        "changes": [_change(change) for change in step.changes],
        "text": step.text,
        "skipped": step.skipped,
    }


def _change(change: Change) -> dict[str, Any]:
    place = change.place
    return {
        "target": change.target,
        "relation": str(change.relation),
        "value": finite(change.value),
        "file": place.file if place else None,
        "block": place.block if place else None,
        "ordinal": place.ordinal if place else None,
    }


def finite(value: bool | float | str | None) -> bool | float | str | None:  # noqa: FBT001 (a value of evidence)
    """The value; None for a number that JSON has no word for (RFC 8259, section 6)."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
