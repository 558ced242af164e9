"""Findings as SARIF results (SARIF 2.1.0, section 3.27): code flows, fixes, suppressions and fingerprints with them."""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING, Any

from advisor.report.json import finite
from advisor.report.sarif_place import artifact, clip, message, of_finding, of_waypoint, physical
from advisor.report.sarif_rule import LEVELS
from advisor.report.words import step_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.findings import Evidence, Finding, Suppression
    from advisor.report.gated import Judged, Replacement
    from advisor.report.sarif_place import Json

FINGERPRINT = "advisorFingerprint/v1"
"""Of the rule and its logical place. The line hash that code scanning goes by is added where the file is uploaded."""

_MOST_FLOW = 1_000
"""Steps of a flow; code scanning shows no more, and refuses 10,000."""

_MOST_VALUE = 1_000
"""Characters of a text among the properties."""


def result(judged: Judged, index: int, *, baseline: bool) -> Json:
    """One finding.

    Args:
        judged: the finding.
        index: of its rule.
        baseline: whether findings were compared with a baseline: then each says whether it is new (3.27.24).
    """
    finding = judged.finding
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": message(_said(finding)),
        "locations": [of_finding(judged)],
        "partialFingerprints": {FINGERPRINT: judged.fingerprint},
        **({"codeFlows": [_flow(judged)]} if judged.flow else {}),
        **({"fixes": [_fix(judged)]} if judged.fix else {}),
        "suppressions": [_suppression(judged, finding.suppression)] if finding.suppression else [],
        **({"baselineState": _state(finding.suppression)} if baseline else {}),
        "properties": _properties(judged),
    }


def _said(finding: Finding) -> str:
    """A sentence, as viewers with little room show only the first; why; and what to do."""
    doubt = f" ({finding.confidence.word}: {finding.doubt})" if finding.doubt else ""
    steps = [f"{'or' if number else 'fix'}: {step_words(step)}" for number, step in enumerate(finding.steps)]
    return "\n".join(filter(None, [f"{finding.message.rstrip('.')}{doubt}.", finding.why, *steps]))


def _flow(judged: Judged) -> Json:
    steps = [{"location": of_waypoint(waypoint)} for waypoint in judged.flow[:_MOST_FLOW]]
    return {"message": {"text": "how the value comes to be in force"}, "threadFlows": [{"locations": steps}]}


def _state(suppression: Suppression | None) -> str:
    return "unchanged" if suppression is not None and suppression.kind == "baseline" else "new"


def _suppression(judged: Judged, suppression: Suppression) -> Json:
    told = {name: value for name in ("where", "until") if (value := getattr(suppression, name)) is not None}
    return {
        "kind": "inSource" if suppression.kind == "comment" else "external",
        "status": "accepted",
        "justification": clip(suppression.reason, _MOST_VALUE),
        **_comment(judged, suppression),
        "properties": {"by": suppression.kind, **told},
    }


def _comment(judged: Judged, suppression: Suppression) -> Json:
    """The place of a comment that stands in the finding's own file."""
    file, _, line = (suppression.where or "").rpartition(":")
    if judged.path is None or file != judged.finding.location.file or not line.isdecimal() or int(line) < 1:
        return {}
    return {"location": {"physicalLocation": physical(judged.path, int(line), None)}}


def _fix(judged: Judged) -> Json:
    """The whole fix; its replacements hold for the files as they are, each file's in their order (3.57)."""
    files: dict[str, list[Replacement]] = {}
    for one in judged.fix:
        files.setdefault(one.path, []).append(one)
    steps = [step_words(step) for step in judged.finding.steps if step.changes and step.skipped is None]
    return {
        "description": message(steps[0] if steps else judged.finding.title),
        "artifactChanges": [
            {"artifactLocation": artifact(path), "replacements": _replacements(found)} for path, found in files.items()
        ],
    }


def _replacements(found: Sequence[Replacement]) -> list[Json]:
    return [_replacement(one) for one in sorted(found, key=lambda one: (one.start, one.end))]


def _replacement(one: Replacement) -> Json:
    """Both kinds of region: the bytes are exact, whatever the encoding; lines and columns are for those who show it.

    Where a region is one of bytes, the new content must be there in bytes, too (3.57.4).
    """
    region = {
        "startLine": one.start_line,
        "startColumn": one.start_column,
        "endLine": one.end_line,
        "endColumn": one.end_column,
        "byteOffset": one.start,
        "byteLength": one.end - one.start,
    }
    return {"deletedRegion": region, **({"insertedContent": _content(one.new)} if one.new else {})}


def _content(new: bytes) -> Json:
    binary = {"binary": b2a_base64(new, newline=False).decode("ascii")}
    try:
        return {"text": new.decode("utf-8"), **binary}
    except UnicodeDecodeError:
        return binary


def _properties(judged: Judged) -> Json:
    finding = judged.finding
    return {
        "severity": finding.severity.word,
        "confidence": finding.confidence.word,
        "maturity": finding.maturity,
        "counts": judged.counts,
        **({"whyNot": clip(judged.why_not, _MOST_VALUE)} if judged.why_not else {}),
        "target": judged.target,
        "evidence": [_evidence(item) for item in finding.evidence if item.value is not None],
        "expected": [clip(text, _MOST_VALUE) for text in finding.expected],
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    value = finite(item.value)
    shown = clip(value, _MOST_VALUE) if isinstance(value, str) else value
    return {"name": item.name, "value": shown, "unit": item.unit.name, "source": clip(item.source, _MOST_VALUE)}
