"""The rules as a site has them: its own parameters, severities and safeties; bounded where rules are not our own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from advisor.engine.judge import judge_by, overridden
from advisor.engine.rule import Rule
from advisor.errors import RuleError
from advisor.findings import Finding, Safety, Severity, Step, Verdict
from advisor.records import replace

MOST_WORK = 300_000_000
"""Characters of foreign rules that one run evaluates; up to some 80 ns each."""

_VERDICT = 100
"""A verdict costs as much as the evaluation of so many characters, however short its rule."""
_HELD = 8
"""A finding's texts are held to the end of the run, so they count for more than a condition that is only asked."""


class Judging:
    """Rules, ready to judge facts: a call gives their verdicts.

    Args:
        rules: compiled against the class of the facts.
        overrides: ``RULE.PARAM`` (an alias will do) to a quantity.
        severity: the severity of every finding of a rule, by the rule's id.
        safety: what the safe and the unsafe steps of a rule count as, by the rule's id; advice stays advice.

    Raises:
        UsageError: when an override names no parameter, or is a quantity of another kind.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        overrides: Mapping[str, str] | None = None,
        severity: Mapping[str, Severity] | None = None,
        safety: Mapping[str, Safety] | None = None,
    ) -> None:
        self.rules = tuple(rules)
        self.overrides = dict(overrides or {})
        self.severity = dict(severity or {})
        self.safety = dict(safety or {})
        self.causes = {rule.id: rule.consequence_of for rule in self.rules}
        self._params = overridden(self.rules, self.overrides)
        self._work = _Work()

    def __call__(self, facts: Any) -> list[Verdict]:  # noqa: ANN401 (the root of facts, known by reflection only)
        """The verdicts on facts: for each rule, in order, one an item, or one for the rule.

        Raises:
            RuleError: when rules that did not come with this program ask for more than `MOST_WORK`, all calls together.
        """
        return [self._adjusted(verdict) for verdict in judge_by(self.rules, facts, self._params, self._work.spend)]

    def with_params(self, overrides: Mapping[str, str]) -> Judging:
        """The same with other values of some parameters.

        Raises:
            UsageError: as the constructor.
        """
        if not overrides:
            return self
        other = Judging(self.rules, {**self.overrides, **overrides}, self.severity, self.safety)
        other._work = self._work  # what one run may evaluate is shared by all it judges
        return other

    def _adjusted(self, verdict: Verdict) -> Verdict:
        rule, finding = verdict.rule, verdict.finding
        if finding is None or (rule not in self.severity and rule not in self.safety):
            return verdict
        severity = self.severity.get(rule, finding.severity)
        return verdict._replace(finding=replace(finding, severity=severity, steps=self._steps(finding)))

    def _steps(self, finding: Finding) -> tuple[Step, ...]:
        safety = self.safety.get(finding.rule)
        if safety is None:
            return finding.steps
        return tuple(step if step.safety is Safety.MANUAL else replace(step, safety=safety) for step in finding.steps)


class _Work:
    """What was evaluated of rules that may mean harm."""

    def __init__(self) -> None:
        self.done = 0
        self.sizes: dict[str, tuple[int, int]] = {}

    def spend(self, rule: Rule, times: int, *, finding: bool) -> None:
        """Count that a rule is asked, or its finding told, so many times.

        Raises:
            RuleError: past `MOST_WORK`.
        """
        sizes = self.sizes.get(rule.id) or self.sizes.setdefault(rule.id, _sizes(rule))
        self.done += times * sizes[finding]
        if self.done > MOST_WORK:
            way = "make it range over less, or shorten its expressions and texts"
            raise RuleError(f"{rule.file}:1:1: with it, rule packs ask for more than one run evaluates; {way}")


def _sizes(rule: Rule) -> tuple[int, int]:
    """What it costs to judge a rule once, and to tell a finding of it, in characters."""
    written = rule.written
    steps = [text for step in written.remedies for text in (step.text, step.if_, str(step.sysctl), str(step.nginx))]
    asked = [written.when, written.applies, *written.let.values()]
    told = [written.observed, str(written.severity), written.message, written.why, *written.expected, *steps]
    return _VERDICT + _length(asked), _HELD * _length(told)


def _length(texts: Iterable[str | None]) -> int:
    return sum(len(text) for text in texts if text)
