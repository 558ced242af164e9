"""A rule in words, and the list of rules."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.engine.rule import Rule
from advisor.jobs.load import named
from advisor.report.words import link

if TYPE_CHECKING:
    from advisor.gate.notices import Notice


def explain(rule: Rule, width: int) -> str:
    """Everything a rule says of itself, in text; ``{...}`` stands where a finding has the measured value."""
    written = rule.written
    head = _wrapped(f"{rule.id}: {rule.title}", width)
    each = f" · for each of {written.each}" if written.each else ""
    parts = [
        f"{head}\n{'=' * max(map(len, head.splitlines()))}\nseverity {severities(rule)} · {rule.maturity}{each}",
        _section("Fails when", [*filter(None, [written.applies, written.when])], width),
        _section("Why", [written.why], width),
        _section("Leave it when", [rule.unless], width),
        _section("Steps", list(steps_of(rule)), width),
        _section("Expect", written.expected, width),
        _section("Parameters (--param NAME=QUANTITY)", _params(rule), width),
        _section("Sources", [link(reference) for reference in rule.references], width),
        f"Aliases: {', '.join(rule.aliases)}" if rule.aliases else "",
        _wrapped(f"This rule is {rule.file}; {len(rule.cases)} cases test it: advisor rules test", width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def told(name: str, known: list[Rule], width: int) -> str:
    """What a rule, or one of the gate's own notices, says of itself.

    Raises:
        UsageError: when nothing is called so.
    """
    from advisor.gate.notices import RULES  # noqa: PLC0415 (for few runs)

    notice = next((one for one in RULES if one.id == name), None)
    return explain(named(known, name), width) if notice is None else _notice(notice, width)


def _notice(notice: Notice, width: int) -> str:
    parts = [
        f"{(head := f'{notice.id}: {notice.title}')}\n{'=' * len(head)}",
        f"severity {notice.severity.word} · {notice.maturity} · told by the gate, of comments and of advisor.yaml",
        _section("Why", [notice.why], width),
        _section("Leave it when", [notice.unless], width),
        _section("Steps", list(notice.steps), width),
        _section("Sources", [link(reference) for reference in notice.references], width),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def listing(rules: list[Rule], width: int) -> str:
    """The rules with their titles, in two columns."""
    wide = max((len(rule.id) for rule in rules), default=0) + 2
    rows = [textwrap.fill(f"{rule.id:<{wide}}{rule.title}", width, subsequent_indent=" " * wide) for rule in rules]
    return "\n".join([*rows, "", f"{len(rules)} rules; advisor explain RULE says more", ""])


def severities(rule: Rule) -> str:
    """The severities it can have, gravest first."""
    return ", ".join(severity.word for _, severity in rule.severity)


def _section(title: str, texts: list[str], width: int) -> str:
    if not texts:
        return ""
    return "\n".join([title, *(_wrapped(" ".join(text.split()), width, "  ") for text in texts)])


def _wrapped(text: str, width: int, indent: str = "") -> str:
    """Broken at blanks only, so that ids and links can be copied."""
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def steps_of(rule: Rule) -> Iterator[str]:
    """Its steps in words, numbered."""
    for number, step in enumerate(rule.written.remedies, 1):
        wants = [
            f"{target} {relation.replace('_', ' ')} {text}"
            for target, relations in {**step.sysctl, **step.nginx}.items()
            for relation, text in relations.items()
        ]
        condition = f" if {step.if_}" if step.if_ else ""
        yield f"{number}. {step.safety}{condition}: {'; '.join([*wants, *filter(None, [step.text])])}"


def _params(rule: Rule) -> list[str]:
    return [f"{rule.id}.{name} = {text}" for name, text in rule.written.params.items()]
