"""A rule as its file has it: plain values with names, nothing compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from advisor.records import MISSING, dataclass, field, fields_of

# What these stand for, limits included, is said in `advisor.engine.rulefile`, which checks a file against them.
Expr = str
Quantity = str
Line = str
Prose = str
Id = str
Word = str
Reference = str
SeverityWord = str
Relation = str
LETS = "at most 12"
STEPS = "at most 20"
CASES = "at most 100"
SOME = "at least 1"

ALIASES = {"if_": "if"}
"""Keys of the file that Python can't call so."""


@dataclass(frozen=True, kw_only=True)
class WrittenStep:
    """One step. Without ``sysctl`` and ``nginx`` it is advice, and its safety is manual."""

    text: Prose | None = None
    safety: Literal["safe", "unsafe", "manual"]
    if_: Expr | None = None
    needs: list[Literal["reload", "re-listen", "restart", "reboot"]] | None = None
    sysctl: dict[str, dict[Relation, Expr]] = field(default_factory=dict)
    nginx: dict[str, dict[Relation, Expr]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WrittenCase:
    """An example: raw input, and what the rule must say of it."""

    name: Line
    expect: Literal["fail", "pass", "unknown", "not applicable"]
    severity: SeverityWord | None = None
    confidence: Literal["potential", "observed", "certain"] | None = None
    message: str | None = None
    like: str | None = None
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A rule. ``severity`` is a word, or a list of steps, whose shape is checked when they are compiled."""

    id: Id
    aliases: list[Id] = field(default_factory=list)
    title: Line
    severity: Any
    maturity: Literal["preview", "stable", "deprecated"] = "stable"
    each: Line | None = None
    params: dict[Word, Quantity] = field(default_factory=dict)
    let: Annotated[dict[Word, Expr], LETS] = field(default_factory=dict)
    applies: Expr | None = None
    when: Expr
    observed: Expr | None = None
    message: Prose
    why: Prose
    unless: Prose
    references: Annotated[list[Reference], SOME]
    remedies: Annotated[list[WrittenStep], STEPS] = field(default_factory=list)
    expected: list[Prose] = field(default_factory=list)
    consequence_of: list[Id] = field(default_factory=list)
    cases: Annotated[list[WrittenCase], CASES]


def restore(plain: Mapping[str, Any]) -> Written:
    """A rule from what `plain` made of it; nothing is checked again."""
    steps = [WrittenStep(**step) for step in plain.get("remedies", ())]
    cases = [WrittenCase(**case) for case in plain["cases"]]
    return Written(**{**plain, "remedies": steps, "cases": cases})


def plain(rule: Written) -> dict[str, Any]:
    """A rule as JSON may hold it, without what is as it would be by default."""
    found = _told(rule)
    lists = {"remedies": [_told(step) for step in rule.remedies], "cases": [_told(case) for case in rule.cases]}
    return found | {name: value for name, value in lists.items() if name in found}


def _told(part: object) -> dict[str, Any]:
    fields = fields_of(type(part)).items()
    return {name: value for name, default in fields if (value := getattr(part, name)) or default is MISSING}
