"""The findings for GitLab's Code Quality: what a merge request brings and what it cures.

Source: GitLab's documentation, "Code Quality report format": an array of objects with description, check_name,
fingerprint (of equal ones GitLab shows the first only), severity, location.path (relative to the top of the
repository, without ``./``) and location.lines.begin.

GitLab compares the report of a branch with that of its target, and has no word for what somebody answered for: findings
with a suppression are left out. A finding without a file in the repository stands at its target, line 1, since GitLab
takes no finding without a path; its description then ends with its place.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from advisor.findings import Severity
from advisor.report.gate_words import fault_words, mark, open_findings, spot
from advisor.report.terminal import visible

if TYPE_CHECKING:
    from advisor.report.gated import Fault, Gated, Judged

_SEVERITIES = {
    Severity.INFO: "info",
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}
_NOWHERE = "advisor"
"""The path of what has none."""


def render(gated: Gated, **_look: object) -> str:
    """The array, faults first: an empty one would say that all is well."""
    seen: Counter[str] = Counter()
    issues = [_fault(fault, seen) for fault in gated.faults] + [_issue(one) for one in open_findings(gated)]
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"


def _issue(one: Judged) -> dict[str, Any]:
    finding = one.finding
    line = finding.location.line if one.path else None
    where = "" if one.path else f"({spot(finding)})"
    return {
        "description": visible(" ".join(filter(None, (finding.message, where, mark(one))))),
        "check_name": visible(finding.rule),
        "fingerprint": one.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": _location(one.path or one.target, line),
    }


def _fault(fault: Fault, seen: Counter[str]) -> dict[str, Any]:
    """What could not be judged; its fingerprint is of its kind, its path and their number."""
    from hashlib import sha256  # noqa: PLC0415 (3 ms, for a fault only)

    what = f"{fault.kind}\0{fault.path}"
    seen[what] += 1
    print_of = f"fault\0{what}\0{seen[what]}".encode("utf-8", "surrogatepass")
    return {
        "description": visible(fault_words(fault)),
        "check_name": f"{fault.kind}-fault",
        "fingerprint": sha256(print_of).hexdigest()[:32],
        "severity": "blocker",
        "location": _location(fault.path or "", fault.line),
    }


def _location(path: str, line: int | None) -> dict[str, Any]:
    parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
    return {"path": visible("/".join(parts)) or _NOWHERE, "lines": {"begin": line or 1}}
