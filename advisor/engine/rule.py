"""A rule: read, checked and compiled whole, so that nothing of it can be wrong later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advisor.engine.code import Code, Name
from advisor.engine.compile import compile_expression, require
from advisor.engine.functions import FUNCTIONS
from advisor.engine.remedies import Remedy, compile_remedy
from advisor.engine.scope import Scope
from advisor.engine.syntax import Source, did_you_mean
from advisor.engine.text import Text, compile_text
from advisor.engine.types import BOOL, Problem
from advisor.errors import RuleError, UsageError
from advisor.facts.schema import members
from advisor.findings import Severity
from advisor.formats.yaml import Document, Path, load
from advisor.units import Quantity, parse_quantity

if TYPE_CHECKING:
    from advisor.engine.rulefile import RuleFile


@dataclass(frozen=True, slots=True)
class Case:
    """An example of a rule; ``given`` is whole, what it is like included."""

    name: str
    expect: str
    severity: str | None
    confidence: str | None
    message: str | None
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule. ``severity`` holds steps: the first whose condition is True; the last has none.

    ``evidence`` are the names in applies, when, observed and let. ``file`` is where the rule stands, ``written``
    what stands there.
    """

    id: str
    file: str
    aliases: tuple[str, ...]
    title: str
    maturity: str
    severity: tuple[tuple[Code | None, Severity], ...]
    each: Name | None
    params: Mapping[str, Quantity]
    applies: Code | None
    when: Code
    observed: Code | None
    message: Text
    why: Text
    unless: str
    references: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    expected: tuple[Text, ...]
    consequence_of: tuple[str, ...]
    evidence: tuple[Name, ...]
    cases: tuple[Case, ...]
    written: RuleFile


def load_rules(files: Iterable[tuple[str, bytes]], facts: type) -> list[Rule]:
    """Load rule files.

    Args:
        files: name and bytes of each.
        facts: the root class of facts.

    Returns:
        the rules, sorted by id.

    Raises:
        RuleError: for the first file that can't be used, for an id or alias that two rules claim, and for a
            ``consequence_of`` that names no rule.
    """
    rules = sorted((load_rule(data, name, facts) for name, data in files), key=lambda rule: rule.id)
    claimed: dict[str, Rule] = {}
    for rule in rules:
        for name in (rule.id, *rule.aliases):
            if (other := claimed.setdefault(name, rule)) is not rule:
                raise RuleError(f"{rule.file}:1:1: '{name}' is also claimed by {other.file}; rename one of them")
    for rule in rules:
        for cause in rule.consequence_of:
            if cause not in claimed:
                hint = did_you_mean(cause, claimed)
                raise RuleError(f"{rule.file}:1:1: consequence_of: there is no rule '{cause}'{hint}")
    return rules


def load_rule(data: bytes, name: str, facts: type) -> Rule:
    """Load one rule file.

    Args:
        data: its bytes.
        name: its path; the rule's id must equal the file's name without ``.yaml``.
        facts: the root class of facts.

    Raises:
        RuleError: ``file:line:column: key: what is wrong``.
    """
    from advisor.engine import rulefile  # noqa: PLC0415 (pydantic's models are built only where rules are read)

    document = load(data, name)
    parsed, fault = rulefile.read(document)
    if parsed is None:
        path, message = fault or ((), "not a rule")
        raise RuleError(f"{document.at(path)}: {message}")
    return _Loader(document, parsed, facts).rule()


class _Loader:
    """Compiles one rule; what is known to be set grows from applies to when."""

    def __init__(self, document: Document, file: Any, facts: type) -> None:  # noqa: ANN401 (RuleFile, imported late)
        self.document = document
        self.file = file
        self.facts = facts
        self.known: frozenset[str] = frozenset()
        self.params = {name: self._quantity(name, text) for name, text in file.params.items()}
        self.each = self._each()
        units = {name: quantity.unit for name, quantity in self.params.items()}
        self.scope = Scope(facts, self.each.item if self.each else None, file.each or "", units)

    def error(self, path: Path, message: str) -> RuleError:
        return RuleError(f"{self.document.at(path)}: {message}")

    def source(self, path: Path, text: str) -> Source:
        words = ".".join(str(part) for part in path)
        return Source(" ".join(text.split()), f"{self.document.at(path)}: {words}")

    def rule(self) -> Rule:
        file = self.file
        stem = self.document.name.rpartition("/")[2].removesuffix(".yaml")
        if file.id != stem:
            raise self.error(("id",), f"id: '{file.id}' must equal the file's name, '{stem}'")
        lets = self._lets()
        applies = self._condition(("applies",), file.applies) if file.applies else None
        self.known |= applies.true if applies else frozenset()
        when = self._condition(("when",), file.when)
        self.known |= when.true
        for let, code in lets.items():
            require(self.source(("let", let), file.let[let]), code, self.known)
        observed = self._condition(("observed",), file.observed) if file.observed else None
        read = [code for code in (applies, when, observed, *lets.values()) if code is not None]
        return Rule(
            id=file.id,
            file=self.document.name,
            aliases=tuple(file.aliases),
            title=file.title,
            maturity=file.maturity,
            severity=self._severity(),
            each=self.each,
            params=self.params,
            applies=applies,
            when=when,
            observed=observed,
            message=self._text(("message",), file.message),
            why=self._text(("why",), file.why),
            unless=file.unless.strip(),
            references=tuple(file.references),
            remedies=tuple(self._remedy(index) for index in range(len(file.remedies))),
            expected=tuple(self._text(("expected", index), text) for index, text in enumerate(file.expected)),
            consequence_of=tuple(file.consequence_of),
            evidence=tuple({name: found for code in read for name, found in code.names.items()}.values()),
            cases=self._cases(),
            written=file,
        )

    def _quantity(self, name: str, text: str) -> Quantity:
        try:
            return parse_quantity(text)
        except UsageError as error:
            raise self.error(("params", name), f"params.{name}: {error}") from None

    def _each(self) -> Name | None:
        if self.file.each is None:
            return None
        try:
            name = Scope(self.facts).resolve(self.file.each)
        except Problem as problem:
            raise self.error(("each",), f"each: {problem.message}") from None
        if name.type.kind != "list":
            raise self.error(("each",), f"each: {self.file.each} is {name.type.spoken}, not a list")
        return name

    def _lets(self) -> dict[str, Code]:
        taken = {*members(self.facts), *FUNCTIONS, "item", "params"}
        codes = {}
        for name, text in self.file.let.items():
            if name in taken:
                raise self.error(("let", name), f"let.{name}: the name has a meaning already; choose another")
            source = self.source(("let", name), text)
            codes[name] = compile_expression(source, self.scope, None)
            self.scope.lets[name] = (codes[name], source.text)
        return codes

    def _condition(self, path: Path, text: str) -> Code:
        source = self.source(path, text)
        code = compile_expression(source, self.scope, self.known)
        if code.type != BOOL:
            raise source.error(f"must be true or false, and this is {code.type.spoken}")
        return code

    def _text(self, path: Path, text: str) -> Text:
        return compile_text(self.source(path, text), self.scope, self.known)

    def _severity(self) -> tuple[tuple[Code | None, Severity], ...]:
        given = self.file.severity
        *steps, last = given if isinstance(given, list) and given else [given]
        found: list[tuple[Code | None, Severity]] = []
        for index, step in enumerate(steps):
            word, text = next(iter(step.items())) if isinstance(step, dict) and len(step) == 1 else (None, None)
            if not isinstance(text, str | bool):
                raise self.error(("severity", index), "severity: write a step as 'high: EXPRESSION', and a word last")
            found.append((self._condition(("severity", index), str(text)), self._word(word, index)))
        return (*found, (None, self._word(last, len(steps))))

    def _word(self, word: object, index: int) -> Severity:
        words = [severity.word for severity in Severity]
        if word not in words:
            known = ", ".join(words)
            raise self.error(("severity", index), f"severity: expected one of {known}; the last step is a word alone")
        return Severity(words.index(str(word)))

    def _remedy(self, index: int) -> Remedy:
        path: Path = ("remedies", index)
        step = self.file.remedies[index]
        condition = self._condition((*path, "if"), step.if_) if step.if_ else None
        known = self.known | (condition.true if condition else frozenset())
        return compile_remedy(step, condition, self.scope, known, lambda rest, text: self.source((*path, *rest), text))

    def _cases(self) -> tuple[Case, ...]:
        wholes: dict[str, Mapping[str, Any]] = {}
        for index, case in enumerate(self.file.cases):
            path: Path = ("cases", index)
            if case.name in wholes:
                raise self.error((*path, "name"), f"cases: '{case.name}' stands twice")
            if case.like is not None and case.like not in wholes:
                hint = did_you_mean(case.like, wholes)
                raise self.error((*path, "like"), f"cases: no earlier case is called '{case.like}'{hint}")
            wholes[case.name] = merged(wholes.get(case.like or "", {}), case.given)
        for states in (["fail"], ["pass", "not applicable"]):
            if all(case.expect not in states for case in self.file.cases):
                raise self.error(("cases",), f"cases: at least one must expect {' or '.join(states)}")
        return tuple(
            Case(case.name, case.expect, case.severity, case.confidence, case.message, wholes[case.name])
            for case in self.file.cases
        )


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings in one, deep; where both have a value that is no mapping, ``over`` wins."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result
