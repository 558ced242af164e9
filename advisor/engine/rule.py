"""A rule: compiled part by part when a part is first asked for, or checked whole, so that nothing is wrong later."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from advisor.engine.code import Code, Name, Run
from advisor.engine.compile import compile_expression, require
from advisor.engine.functions import FUNCTIONS
from advisor.engine.remedies import Remedy, compile_remedy
from advisor.engine.scope import Scope
from advisor.engine.syntax import Source, did_you_mean
from advisor.engine.text import Text, compile_text
from advisor.engine.types import BOOL, Problem
from advisor.engine.written import Written
from advisor.errors import RuleError, UsageError
from advisor.facts.schema import members
from advisor.findings import Severity
from advisor.formats.yaml import Path
from advisor.units import Quantity, parse_quantity


class Case(NamedTuple):
    """An example of a rule; ``given`` is whole, what it is like included."""

    name: str
    expect: str
    severity: str | None
    confidence: str | None
    message: str | None
    given: Mapping[str, Any]


class File(Protocol):
    """Where a rule stands."""

    @property
    def name(self) -> str:
        """The file."""

    def at(self, path: Path) -> str:
        """``file:line:column`` of a part of it."""


class _Spot:
    """A place in a file as messages name it; looked up only when one does."""

    __slots__ = ("file", "path")

    def __init__(self, file: File, path: Path) -> None:
        self.file = file
        self.path = path

    def __str__(self) -> str:
        return f"{self.file.at(self.path)}: {'.'.join(str(part) for part in self.path)}"


class Rule:
    """A rule. Each part is checked and compiled when it is first asked for; `whole` asks for all of them.

    Args:
        written: what its file says, of the right shape.
        file: where it stands.
        facts: the root class of facts.
        foreign: whether it did not come with this program: what it may cost is bounded.

    Raises:
        RuleError: from any part: ``file:line:column: key: what is wrong``.
    """

    def __init__(self, written: Written, file: File, facts: type, *, foreign: bool = False) -> None:
        self.written = written
        self.file = file.name
        self.id = written.id
        self.aliases = tuple(written.aliases)
        self.title = written.title
        self.maturity: str = written.maturity
        self.unless = written.unless.strip()
        self.references = tuple(written.references)
        self.consequence_of = tuple(written.consequence_of)
        self.foreign = foreign
        self._file = file
        self._facts = facts

    def whole(self) -> Rule:
        """Itself, with every part checked and compiled."""
        stem = self.file.rpartition("/")[2].removesuffix(".yaml")
        if self.id != stem:
            raise self._error(("id",), f"id: '{self.id}' must equal the file's name, '{stem}'")
        for part in _PARTS:
            getattr(self, part)
        return self

    @cached_property
    def params(self) -> Mapping[str, Quantity]:
        """Quantities that a site may override."""
        return {name: self._quantity(name, text) for name, text in self.written.params.items()}

    @cached_property
    def defaults(self) -> Mapping[str, float]:
        """The same in base units."""
        return {name: quantity.value for name, quantity in self.params.items()}

    @cached_property
    def each(self) -> Name | None:
        """What it ranges over; None where it judges the whole."""
        if self.written.each is None:
            return None
        try:
            name = Scope(self._facts).resolve(self.written.each)
        except Problem as problem:
            raise self._error(("each",), f"each: {problem.message}") from None
        if name.type.kind != "list":
            raise self._error(("each",), f"each: {self.written.each} is {name.type.spoken}, not a list")
        return name

    @cached_property
    def conditions(self) -> tuple[Run | None, Run]:
        """Applies and when, ready to run."""
        applies, when, _ = self._judging
        return applies.run if applies else None, when.run

    @property
    def applies(self) -> Code | None:
        """Whether it has anything to say; None: always."""
        return self._judging[0]

    @property
    def when(self) -> Code:
        """What fails it."""
        return self._judging[1]

    @cached_property
    def observed(self) -> Code | None:
        """Whether the harm was seen; None where it follows from what is set."""
        return self._condition(("observed",), self.written.observed, self._known) if self.written.observed else None

    @cached_property
    def severity(self) -> tuple[tuple[Code | None, Severity], ...]:
        """Steps: the first whose condition is True; the last has none."""
        given = self.written.severity
        *steps, last = given if isinstance(given, list) and given else [given]
        found: list[tuple[Code | None, Severity]] = []
        for index, step in enumerate(steps):
            path: Path = ("severity", index)
            word, text = next(iter(step.items())) if isinstance(step, dict) and len(step) == 1 else (None, None)
            if not isinstance(text, str | bool):
                raise self._error(path, "severity: write a step as 'high: EXPRESSION', and a word last")
            found.append((self._condition(path, str(text), self._known), self._word(word, path)))
        return (*found, (None, self._word(last, ("severity", len(steps)))))

    @cached_property
    def message(self) -> Text:
        """What is wrong, with the values."""
        return self._text(("message",), self.written.message)

    @cached_property
    def why(self) -> Text:
        """What happens."""
        return self._text(("why",), self.written.why)

    @cached_property
    def remedies(self) -> tuple[Remedy, ...]:
        """Its steps, in order."""
        return tuple(self._remedy(index) for index in range(len(self.written.remedies)))

    @cached_property
    def expected(self) -> tuple[Text, ...]:
        """What should be seen once it is cured."""
        return tuple(self._text(("expected", index), text) for index, text in enumerate(self.written.expected))

    @cached_property
    def evidence(self) -> tuple[Name, ...]:
        """The names in applies, when, observed and let."""
        read = [code for code in (self.applies, self.when, self.observed, *self._lets.values()) if code is not None]
        return tuple({name: found for code in read for name, found in code.names.items()}.values())

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Its examples."""
        wholes: dict[str, Mapping[str, Any]] = {}
        written = self.written.cases
        for index, case in enumerate(written):
            path: Path = ("cases", index)
            if case.name in wholes:
                raise self._error((*path, "name"), f"cases: '{case.name}' stands twice")
            if case.like is not None and case.like not in wholes:
                hint = did_you_mean(case.like, wholes)
                raise self._error((*path, "like"), f"cases: no earlier case is called '{case.like}'{hint}")
            wholes[case.name] = merged(wholes.get(case.like or "", {}), case.given)
        for states in (["fail"], ["pass", "not applicable"]):
            if all(case.expect not in states for case in written):
                raise self._error(("cases",), f"cases: at least one must expect {' or '.join(states)}")
        return tuple(
            Case(case.name, case.expect, case.severity, case.confidence, case.message, wholes[case.name])
            for case in written
        )

    @cached_property
    def _scope(self) -> Scope:
        units = {name: quantity.unit for name, quantity in self.params.items()}
        return Scope(self._facts, self.each.item if self.each else None, self.written.each or "", units)

    @cached_property
    def _lets(self) -> dict[str, Code]:
        taken = {*members(self._facts), *FUNCTIONS, "item", "params"} if self.written.let else set()
        codes = {}
        for name, text in self.written.let.items():
            if name in taken:
                raise self._error(("let", name), f"let.{name}: the name has a meaning already; choose another")
            source = self._source(("let", name), text)
            codes[name] = compile_expression(source, self._scope, None)
            self._scope.lets[name] = (codes[name], source.text)
        return codes

    @cached_property
    def _judging(self) -> tuple[Code | None, Code, frozenset[str]]:
        """Applies, when, and the names known to be set where both are True."""
        lets, written = self._lets, self.written
        applies = self._condition(("applies",), written.applies, frozenset()) if written.applies else None
        known = applies.true if applies else frozenset()
        when = self._condition(("when",), written.when, known)
        known |= when.true
        for let, code in lets.items():
            require(self._source(("let", let), written.let[let]), code, known)
        return applies, when, known

    @property
    def _known(self) -> frozenset[str]:
        return self._judging[2]

    def _error(self, path: Path, message: str) -> RuleError:
        return RuleError(f"{self._file.at(path)}: {message}")

    def _source(self, path: Path, text: str) -> Source:
        return Source(" ".join(text.split()), _Spot(self._file, path))

    def _quantity(self, name: str, text: str) -> Quantity:
        try:
            return parse_quantity(text)
        except UsageError as error:
            raise self._error(("params", name), f"params.{name}: {error}") from None

    def _condition(self, path: Path, text: str, known: frozenset[str]) -> Code:
        source = self._source(path, text)
        code = compile_expression(source, self._scope, known)
        if code.type != BOOL:
            raise source.error(f"must be true or false, and this is {code.type.spoken}")
        return code

    def _text(self, path: Path, text: str) -> Text:
        return compile_text(self._source(path, text), self._scope, self._known)

    def _word(self, word: object, path: Path) -> Severity:
        words = [severity.word for severity in Severity]
        if word not in words:
            known = ", ".join(words)
            raise self._error(path, f"severity: expected one of {known}; the last step is a word alone")
        return Severity(words.index(str(word)))

    def _remedy(self, index: int) -> Remedy:
        path: Path = ("remedies", index)
        step = self.written.remedies[index]
        condition = self._condition((*path, "if"), step.if_, self._known) if step.if_ else None
        known = self._known | (condition.true if condition else frozenset())

        def source(rest: Path, text: str) -> Source:
            return self._source((*path, *rest), text)

        return compile_remedy(step, condition, self._scope, known, source)


_PARTS = (
    *("params", "each", "when", "observed", "severity", "message", "why"),
    *("remedies", "expected", "evidence", "cases"),
)
"""In the order in which faults are said."""


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings in one, deep; where both have a value that is no mapping, ``over`` wins."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result
