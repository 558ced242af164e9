"""Steps and evidence in words: what to set, how safe that is, and what it needs to take effect."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from advisor.findings import Relation, Safety

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.findings import Change, Evidence, Finding, Step

MOST_EVIDENCE = 6
"""Values that a person is shown with a finding; ``-f json`` has all of them."""

_NEEDS = {
    "reload": "then reload nginx",
    "restart": "then restart nginx",
    "re-listen": "re-listen: restart nginx, or change backlog= and reload",
    "reboot": "then reboot",
    "new network device": "for network devices made afterwards",
}
"""What a key needs to take effect, as `advisor.catalog` names it, in words."""


def step_words(step: Step) -> str:
    """``keepalive_timeout 60;    unsafe: ask who holds long polls; then reload nginx``."""
    changes = ", ".join(map(change_words, step.changes))
    advice = "advice" if step.safety is Safety.MANUAL else str(step.safety)
    notes = [f"{advice}: {step.text}" if step.text else advice]
    notes += [_NEEDS.get(need, f"needs {need}") for need in step.needs]
    notes += [f"not planned: {step.skipped}"] if step.skipped else []
    return "    ".join(filter(None, (changes, "; ".join(notes))))


def change_words(change: Change) -> str:
    """``net.core.somaxconn = 4096``, or as it stands in nginx's configuration: ``listen ... backlog=4096;``."""
    value = _plain(change.value)
    if change.place is None:
        return f"{change.target} {'includes' if change.relation is Relation.INCLUDES else '='} {value}"
    directive, _, parameter = change.target.partition(".")
    return f"{directive} ... {parameter}={value};" if parameter else f"{directive} {value};"


def _plain(value: float | str) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def evidence_words(finding: Finding) -> str:
    """The doubt, and the values that the message does not already say, each run of them with its source."""
    said = _spoken(finding.message)
    fresh = [item for item in finding.evidence if not _spoken(item.text) <= said]
    parts = [f"({finding.doubt})"] if finding.doubt else []
    parts += _listed(fresh or finding.evidence)
    return " ".join(parts) or "it follows from what is configured"


def _spoken(text: str) -> set[str]:
    return set(text.replace(",", "").replace("=", " ").split())


def _listed(evidence: Sequence[Evidence]) -> list[str]:
    shown = groupby(evidence[:MOST_EVIDENCE], key=lambda item: item.source)
    runs = [", ".join(f"{_name(item)} {item.text}" for item in items) + f" ({source})" for source, items in shown]
    rest = len(evidence) - MOST_EVIDENCE
    return ["; ".join([*runs, *([f"and {rest} more in -f json"] if rest > 0 else [])])] if runs else []


def _name(item: Evidence) -> str:
    root, _, rest = item.name.partition(".")
    return rest if root in {"item", "sysctl", "counters"} and rest else item.name
