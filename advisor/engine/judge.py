"""Rules and facts to verdicts: fail, pass, not applicable or unknown, and a finding for each fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from typing import Any, Protocol

from advisor.engine.code import Env
from advisor.engine.evidence import evidence
from advisor.engine.known import Unknown
from advisor.engine.rule import Rule
from advisor.engine.syntax import did_you_mean
from advisor.errors import UsageError
from advisor.findings import Confidence, Finding, Location, Severity, State, Step, Verdict
from advisor.units import parse_quantity

_NONE: Mapping[str, str] = {}


class Spend(Protocol):
    """Counts what is evaluated."""

    def __call__(self, rule: Rule, times: int, *, finding: bool) -> None:
        """A rule is asked, or its finding told, so many times."""


def judge(rules: Sequence[Rule], facts: Any, overrides: Mapping[str, str] = _NONE) -> list[Verdict]:  # noqa: ANN401 (the root of facts, known by reflection only)
    """Judge a snapshot's facts.

    Args:
        rules: compiled against the class of ``facts``.
        facts: the root of facts; ``facts.snapshot.sample`` is the sample's length in seconds.
        overrides: ``RULE.PARAM`` (an alias will do) to a quantity.

    Returns:
        for each rule, in order, one verdict an item, or one for the rule.

    Raises:
        UsageError: when an override names no parameter, or is a quantity of another kind.
    """
    return list(judge_by(rules, facts, overridden(rules, overrides)))


def judge_by(
    rules: Sequence[Rule],
    facts: Any,  # noqa: ANN401 (likewise)
    params: Mapping[str, Mapping[str, float]],
    spend: Spend | None = None,
) -> Iterator[Verdict]:
    """The same with the parameters of every rule at hand, as `overridden` gives them.

    Args:
        rules: as above.
        facts: as above.
        params: by the rule's id.
        spend: is told before a rule is asked so many times, and before a finding of it is told; may raise. Only of
            rules that did not come with this program.
    """
    shared: dict[object, Any] = {}
    for rule in rules:
        yield from _verdicts(rule, Env(facts, None, params[rule.id], shared), spend if rule.foreign else None)


def overridden(rules: Sequence[Rule], overrides: Mapping[str, str]) -> dict[str, Mapping[str, float]]:
    """The parameters of every rule, in base units, by the rule's id.

    Raises:
        UsageError: when an override names no parameter, or is a quantity of another kind.
    """
    params = {rule.id: rule.defaults for rule in rules}
    if not overrides:
        return params
    by_name = {name: rule for rule in rules for name in (*rule.aliases, rule.id)}
    for name, text in overrides.items():
        rule_name, _, param = name.rpartition(".")
        rule = by_name.get(rule_name)
        if rule is None or param not in rule.params:
            known = [f"{one.id}.{param}" for one in rules for param in one.params]
            raise UsageError(f"--param {name}: no rule has such a parameter{did_you_mean(name, known)}")
        quantity = parse_quantity(text)
        if quantity.unit != rule.params[param].unit:
            unit = rule.params[param].unit
            raise UsageError(f"--param {name}={text}: expected {unit.spoken}{f' ({unit.name})' if unit.name else ''}")
        params[rule.id] = {**params[rule.id], param: quantity.value}
    return params


def _verdicts(rule: Rule, env: Env, spend: Spend | None) -> Iterator[Verdict]:
    """The verdicts of a rule on what ``env`` holds, which has no item yet."""
    items = None if rule.each is None else rule.each.read(env)
    if spend is not None:
        spend(rule, len(items) if isinstance(items, Sized) else 1, finding=False)
    if rule.each is None:
        yield _verdict(rule, env, spend)
        return
    if isinstance(items, Unknown):
        yield Verdict(rule.id, "", State.UNKNOWN, missing=items.missing)
    elif not items:
        yield Verdict(rule.id, "", State.NOT_APPLICABLE)
    else:
        for item in items:
            env.item, env.lets = item, {}
            yield _verdict(rule, env, spend)


def _verdict(rule: Rule, env: Env, spend: Spend | None) -> Verdict:
    item = "" if env.item is None else env.item.id
    applies, when = rule.conditions
    value, state = True if applies is None else applies(env), State.NOT_APPLICABLE
    if value is True:
        value, state = when(env), State.PASS
        if value is True:
            if spend is not None:
                spend(rule, 1, finding=True)
            return Verdict(rule.id, item, State.FAIL, _finding(rule, item, env))
    if value.__class__ is Unknown:
        place = None if env.item is None else env.item.lasting()
        return Verdict(rule.id, item, State.UNKNOWN, missing=value.missing, place=place)
    return Verdict(rule.id, item, state)


def _finding(rule: Rule, item: str, env: Env) -> Finding:
    confidence, doubt = _confidence(rule, env)
    return Finding(
        rule=rule.id,
        title=rule.title,
        item=item,
        state=State.FAIL,
        severity=_severity(rule, env),
        confidence=confidence,
        doubt=doubt,
        message=rule.message.render(env),
        why=rule.why.render(env),
        unless=rule.unless,
        location=_location(rule, item, env),
        evidence=tuple(evidence(name, env) for name in rule.evidence),
        steps=_steps(rule, env),
        expected=tuple(text.render(env) for text in rule.expected if text.known(env)),
        references=rule.references,
        maturity=rule.maturity,
        lasting="" if env.item is None else env.item.lasting(),
        also=() if env.item is None else env.item.also(),
    )


def _severity(rule: Rule, env: Env) -> Severity:
    """The first step that is known to hold; the last always does."""
    return next(severity for condition, severity in rule.severity if condition is None or condition.run(env) is True)


def _confidence(rule: Rule, env: Env) -> tuple[Confidence, str | None]:
    if rule.observed is None:
        return Confidence.CERTAIN, None
    observed = rule.observed.run(env)
    if isinstance(observed, Unknown):
        return Confidence.POTENTIAL, f"not measured: {observed.why}"
    if observed:
        return Confidence.OBSERVED, None
    sample = getattr(env.facts, "snapshot").sample  # noqa: B009 (facts are known by reflection only)
    return Confidence.POTENTIAL, f"not seen in {sample:.1f} s" if sample else "not seen"


def _location(rule: Rule, item: str, env: Env) -> Location:
    """The item's place; without one that of the first sysctl in ``when``, or else in the message."""
    if env.item is not None:
        return getattr(env.item, "location", None) or Location(logical=item)
    names = (*rule.when.names.values(), *rule.message.names.values())
    key = next((name.key for name in names if name.key is not None), None)
    if key is None:
        return Location(logical=rule.id)
    return getattr(env.facts, "sysctl").location(key) or Location(logical=key, key=key)  # noqa: B009 (likewise)


def _steps(rule: Rule, env: Env) -> tuple[Step, ...]:
    found = (remedy.step(env) for remedy in rule.remedies)
    return tuple(step for step in found if step is not None)
