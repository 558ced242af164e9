"""Rules as SARIF describes them: reportingDescriptor (SARIF 2.1.0, section 3.49), with the whole help.

The properties that GitHub's code scanning reads, and their lengths, stand in its "SARIF support for code scanning".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from advisor.findings import Severity
from advisor.report.gated import Rule
from advisor.report.sarif_place import clip
from advisor.report.words import link, step_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from advisor.findings import Finding
    from advisor.report.gated import Gated
    from advisor.report.sarif_place import Json

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}

_MOST_NAME = 255
_MOST_DESCRIPTION = 1024
_MOST_HELP = 20_000
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
_PRECISION = {"stable": "high", "preview": "medium"}
_SUBJECTS = {"nginx": "nginx", "kernel": "sysctl"}
"""What the scheme of a reference says of a rule's subject."""
_ADDRESS = re.compile(r"https?://[!-~]+", re.ASCII)
_NUMBERED = re.compile(r"\d{1,3}\. ", re.ASCII)
"""How `advisor explain` begins a step."""
_SPECIAL = re.compile(r"[\\`*\[\]<>&~|#]|(?<![^\W_])_|_(?![^\W_])", re.ASCII)
"""What GitHub Flavored Markdown, or HTML in it, would take for more than text (an underscore inside a word is none)."""


def rules_of(gated: Gated) -> list[Rule]:
    """The rules that judged, also the quiet ones: they tell what was looked at; then any other that found something."""
    known = {rule.id for rule in gated.rules}
    others = {one.finding.rule: one.finding for one in gated.findings if one.finding.rule not in known}
    return [*gated.rules, *(_of(others[name]) for name in sorted(others))]


def _of(finding: Finding) -> Rule:
    """What a finding itself says of its rule."""
    steps = tuple(step_words(step) for step in finding.steps)
    told = (finding.rule, finding.title, finding.severity, finding.maturity, finding.why, finding.unless)
    return Rule(*told, steps, finding.references)


def descriptor(rule: Rule) -> Json:
    """The rule with its help as text and as Markdown."""
    level = LEVELS[rule.severity]
    title = rule.title or rule.id or "rule"
    address = next(filter(None, map(_address, rule.references)), None)
    return {
        "id": rule.id,
        "name": clip(rule.id, _MOST_NAME),
        "shortDescription": {"text": clip(title, _MOST_DESCRIPTION)},
        "fullDescription": {"text": clip(rule.why or title, _MOST_DESCRIPTION)},
        "help": {"text": clip(_text(rule, title), _MOST_HELP), "markdown": clip(_markdown(rule, title), _MOST_HELP)},
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": _tags(rule),
            "problem.severity": _PROBLEMS[level],
            "precision": _PRECISION.get(rule.maturity, "low"),
            "maturity": rule.maturity,
        },
    }


def _tags(rule: Rule) -> list[str]:
    """At most four of the twenty that code scanning takes of a rule."""
    schemes = {reference.partition(":")[0] for reference in rule.references}
    found = ["configuration", *(word for scheme, word in _SUBJECTS.items() if scheme in schemes)]
    return found if rule.maturity == "stable" else [*found, "preview" if rule.maturity == "preview" else "deprecated"]


def _sections(rule: Rule) -> Iterator[tuple[str, list[str]]]:
    """The headings of the help, each with its paragraphs or entries; those that have any."""
    sections = [
        ("Why", [rule.why]),
        ("When to leave it", [rule.unless]),
        ("What to do", [step[_numbered(step) :] for step in rule.steps]),
    ]
    for heading, entries in sections:
        if kept := [entry for entry in entries if entry]:
            yield heading, kept


def _numbered(step: str) -> int:
    """The length of the number that a step begins with."""
    found = _NUMBERED.match(step)
    return found.end() if found is not None else 0


def _text(rule: Rule, title: str) -> str:
    parts = [title, *(f"{heading}: {_joined(entries)}" for heading, entries in _sections(rule))]
    sources = [f"Sources: {', '.join(map(link, rule.references))}"] if rule.references else []
    return "\n\n".join([*parts, *sources])


def _joined(entries: list[str]) -> str:
    return entries[0] if len(entries) == 1 else "".join(f"\n- {entry}" for entry in entries)


def _markdown(rule: Rule, title: str) -> str:
    parts = [f"# {_one_line(title)}"]
    for heading, entries in _sections(rule):
        steps = heading == "What to do"
        parts += [f"## {heading}", _listed(map(_one_line, entries)) if steps else _paragraphs(entries[0])]
    if rule.references:
        parts += ["## Sources", _listed(map(_source, rule.references))]
    return "\n\n".join(parts)


def _listed(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)


def _paragraphs(text: str) -> str:
    return "\n\n".join(map(_one_line, text.split("\n\n")))


def _source(reference: str) -> str:
    address = _address(reference)
    shown = _one_line(link(reference) if address is None else reference)
    return shown if address is None else f"[{shown}](<{address}>)"


def _address(reference: str) -> str | None:
    """The address of a reference, if it has one that can be opened."""
    found = _ADDRESS.match(link(reference))
    return found[0] if found is not None and not set(found[0]) & set("<>\\") else None


def _one_line(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
