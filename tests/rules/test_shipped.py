"""Every rule that is shipped: it loads, its cases hold, and it is made like all the others."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from advisor.catalog.sysctl import lookup
from advisor.engine.cases import run_case
from advisor.engine.pack import load_rule
from advisor.engine.rule import Case, Rule
from advisor.errors import RuleError
from advisor.facts.derive import Facts
from advisor.findings import Safety
from advisor.jobs import cases, load

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "rules")
RULES = load.rules()
ids = [rule.id for rule in RULES]
every = pytest.mark.parametrize("rule", RULES, ids=ids)


def text_of(rule: Rule) -> str:
    path = next(
        os.path.join(base, name) for base, _, names in os.walk(FOLDER) for name in names if name == f"{rule.id}.yaml"
    )
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_every_file_of_the_folder_is_a_rule() -> None:
    files = [name.removesuffix(".yaml") for _, _, names in os.walk(FOLDER) for name in names if name.endswith(".yaml")]
    assert sorted(files) == ids


def test_all_cases_hold() -> None:
    assert [line for rule in RULES for line in cases.tried(rule).wrong] == []


@pytest.mark.parametrize(
    ("rule", "case"),
    [pytest.param(rule, case, id=f"{rule.id}-{case.name}") for rule in RULES for case in rule.cases],
)
def test_a_case_holds_and_its_step_cures_it(rule: Rule, case: Case) -> None:
    assert run_case(rule, case, Facts) is None
    assert cases.uncured(rule, case) is None


@every
def test_it_says_what_a_person_needs(rule: Rule) -> None:
    assert rule.written.why.strip()
    assert rule.unless
    assert rule.title[0] == rule.title[0].upper() or rule.title.startswith(("nginx", "net.", "tcp_"))
    assert not rule.title.endswith(".")
    assert rule.references
    assert all(":" in reference and " " not in reference for reference in rule.references)
    harmless = rule.written.severity == "info"
    assert rule.remedies or harmless, "a finding without any way out is of no use, unless it says that none is needed"
    assert all(step.text for step in rule.written.remedies if step.safety == "manual")


@every
def test_its_cases_show_both_answers(rule: Rule) -> None:
    expected = Counter(case.expect for case in rule.cases)
    assert expected["fail"]
    assert expected["pass"] + expected["not applicable"]
    assert expected["unknown"], "what it says when its source is missing belongs to it"


@every
def test_it_changes_only_what_may_be_written(rule: Rule) -> None:
    for remedy in rule.remedies:
        for target in remedy.targets:
            found = lookup(target.name)
            assert (found is not None and found[0].writable) or target.key is None, target.name
        assert bool(remedy.targets) is (remedy.safety is not Safety.MANUAL)


@every
def test_it_is_short(rule: Rule) -> None:
    head = text_of(rule).partition("\ncases:")[0]
    assert len(head.splitlines()) <= 60


def test_a_broken_rule_is_told_by_file_and_line() -> None:
    """The checks above rest on the loader refusing what it can't mean."""
    text = text_of(RULES[0]).replace("when:", "wenn:")
    with pytest.raises(RuleError, match=rf"{RULES[0].id}\.yaml:\d+:\d+: .when. is missing"):
        load_rule(text.encode(), f"rules/x/{RULES[0].id}.yaml", Facts)


def test_a_case_that_is_not_cured_is_told() -> None:
    """A step that asks for too little leaves its case failing, and the check says so."""
    text = text_of(next(rule for rule in RULES if rule.id == "fin-timeout-lowered"))
    text = text.replace("at_least: params.default", "at_least: params.default / 2")
    weak = load_rule(text.encode(), "fin-timeout-lowered.yaml", Facts)
    said = [cases.uncured(weak, case) for case in weak.cases if case.expect == "fail"]
    assert all(one is not None and "does not cure it" in one for one in said), said


def test_a_case_that_expects_something_else_is_told() -> None:
    rule = next(rule for rule in RULES if rule.id == "port-range-same-parity")
    text = text_of(rule).replace("expect: pass", "expect: fail", 1).replace("expect: unknown", "expect: pass")
    wrong = load_rule(text.encode(), "port-range-same-parity.yaml", Facts)
    assert [line.split(": ")[0] for line in cases.tried(wrong).wrong] == ["the kernel's default", "not read"]
