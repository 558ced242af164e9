"""Run the cases of rules: each gives what it expects, and each step cures what it was taken for."""

from __future__ import annotations

from advisor.engine.cases import run_case, snapshot_of
from advisor.engine.judge import judge
from advisor.engine.rule import Case, Rule
from advisor.errors import AdvisorError
from advisor.facts.derive import Facts
from advisor.findings import Safety
from advisor.remedy.plan import Allowed, Outcome, make_plan

_ALL = Allowed(unsafe=True, managed=True)


def failures(rules: list[Rule]) -> list[str]:
    """What goes wrong in any case of any rule: ``file: case: what``; empty when all is well."""
    return [
        f"{rule.file}: {case.name}: {what}"
        for rule in rules
        for case in rule.cases
        if (what := run_case(rule, case, Facts) or uncured(rule, case)) is not None
    ]


def uncured(rule: Rule, case: Case) -> str | None:
    """Why the rule's own steps do not cure a case that fails; None when they do, or when it has only advice."""
    if case.expect != "fail":
        return None
    try:
        snapshot = snapshot_of(case.given)
        made = make_plan(snapshot, lambda facts: judge([rule], facts), {}, _ALL)
    except AdvisorError as error:
        return f"no plan can be made: {error}"
    for one in made.findings:
        takable = any(step.safety is not Safety.MANUAL and step.skipped is None for step in one.finding.steps)
        if takable and one.outcome is Outcome.NOT_ADDRESSED:
            return f"its step does not cure it: {one.why}"
    again = make_plan(made.prediction.snapshot, lambda facts: judge([rule], facts), {}, _ALL)
    return None if again.empty else "a second plan is not empty"
