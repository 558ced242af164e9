"""Steps and evidence in words: what to set, how safe that is, and what it needs to take effect."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from advisor.catalog.sysctl import lookup
from advisor.findings import Confidence, Relation, Safety

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
    "host": "on the host: it can't be set here",
    "container": "by who makes the container: /proc/sys is read-only here",
}
"""What a key needs to take effect, as `advisor.catalog` names it, in words."""


def step_words(step: Step) -> str:
    """``keepalive_timeout 60;    unsafe: ask who holds long polls; then reload nginx``."""
    changes = ", ".join(change_words(change) for change in step.changes if change.value != "")
    advice = "advice" if step.safety is Safety.MANUAL else str(step.safety)
    notes = [f"{advice}: {step.text}" if step.text else advice]
    notes += [_NEEDS.get(need, f"needs {need}") for need in step.needs]
    notes += [f"not planned: {step.skipped}"] if step.skipped else []
    return "    ".join(filter(None, (changes, "; ".join(notes))))


def change_words(change: Change) -> str:
    """``net.core.somaxconn = 4096``, or as it stands in nginx's configuration: ``listen ... backlog=4096;``.

    Connections to upstreams that shall be used again take more than one directive, of which the patch has all.
    """
    value = _plain(change.value)
    if change.place is None:
        found = lookup(change.target)
        if found is not None and found[1] is not None:
            # The bound of a part: the other parts, and a part that is within it already, stay as they are.
            return f"{found[0].name}: {found[1]} {change.relation.value.replace('_', ' ')} {value}"
        return f"{change.target} {'includes' if change.relation is Relation.INCLUDES else '='} {value}"
    if change.target == "upstream.reuse":  # several directives in as many places (`advisor.remedy.reuse`)
        return f"keepalive {value}; and what lets connections last"
    directive, _, parameter = change.target.partition(".")
    return f"{directive} ... {parameter}={value};" if parameter else f"{directive} {value};"


def _plain(value: float | str) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def evidence_words(finding: Finding) -> str:
    """The doubt, and the measured and configured values that the message does not already say, with their sources."""
    said = _spoken(finding.message)
    telling = [item for item in finding.evidence if _tells(item)]
    fresh = [item for item in telling if not _spoken(item.text) <= said and not _quoted(item, finding.why)]
    if not fresh and finding.confidence is Confidence.CERTAIN:
        return "it follows from what is configured"
    if finding.doubt:
        return " ".join([f"({finding.doubt})", *_listed(fresh)])
    return " ".join(_listed(fresh or telling))


def _tells(item: Evidence) -> bool:
    """Whether a person can check it: a parameter of the rule, a yes or no and what is not known say no number."""
    return item.value is not None and not isinstance(item.value, bool) and not item.name.startswith("params.")


def _quoted(item: Evidence, why: str) -> bool:
    return isinstance(item.value, str) and item.text in why


def _spoken(text: str) -> set[str]:
    return set(text.replace(",", "").replace("=", " ").split())


def _listed(evidence: Sequence[Evidence]) -> list[str]:
    shown = groupby(evidence[:MOST_EVIDENCE], key=_source)
    runs = [", ".join(f"{_name(item)} {item.text}" for item in items) + source for source, items in shown]
    rest = len(evidence) - MOST_EVIDENCE
    return ["; ".join([*runs, *([f"and {rest} more in -f json"] if rest > 0 else [])])] if runs else []


def _source(item: Evidence) -> str:
    """The source in brackets; none for what the rule computed under a name of its own (it has no dot)."""
    return f" ({item.source})" if "." in item.name else ""


def _name(item: Evidence) -> str:
    root, _, rest = item.name.partition(".")
    return rest if root in {"item", "sysctl", "counters"} and rest else item.name


def link(reference: str) -> str:
    """A reference with its scheme in words or as an address that can be opened."""
    scheme, _, rest = reference.partition(":")
    if scheme == "nginx":
        return f"https://nginx.org/en/docs/{rest}"
    if scheme == "kernel":
        page, _, anchor = rest.partition("#")
        where = page if "/" in page else f"networking/{page}"
        address = f"https://docs.kernel.org/{where.removesuffix('.rst')}.html"
        return f"{address} ({anchor})" if anchor else address
    if scheme == "rfc":
        number, _, anchor = rest.partition("#")
        return f"https://www.rfc-editor.org/rfc/rfc{number}" + (f"#{anchor}" if anchor else "")
    return f"man {rest}" if scheme == "man" else reference
