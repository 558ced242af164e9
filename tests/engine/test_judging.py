"""A site's own severities and safeties, told by every finding; advice stays advice."""

from __future__ import annotations

import pytest

from advisor.engine.cases import snapshot_of
from advisor.engine.judge import judge
from advisor.engine.judging import Judging
from advisor.errors import UsageError
from advisor.facts.derive import Facts
from advisor.findings import Safety, Severity
from advisor.jobs import load

LONG = "keepalive-timeout-long"
RULES = [rule for rule in load.rules() if rule.id == LONG]
FACTS = Facts(snapshot_of({"nginx": "http { keepalive_timeout 300; server { listen 80; } }"}))


def test_without_anything_it_is_what_the_rules_say() -> None:
    assert Judging(RULES)(FACTS) == judge(RULES, FACTS)


def test_severity_and_safety_are_the_site_s() -> None:
    (plain,) = [one.finding for one in Judging(RULES)(FACTS) if one.finding]
    judging = Judging(RULES, None, {LONG: Severity.CRITICAL}, {LONG: Safety.SAFE})
    (finding,) = [one.finding for one in judging(FACTS) if one.finding]
    assert plain.severity is not Severity.CRITICAL
    assert finding.severity is Severity.CRITICAL
    assert [step.safety for step in finding.steps] == [
        step.safety if step.safety is Safety.MANUAL else Safety.SAFE for step in plain.steps
    ]
    assert {step.safety for step in plain.steps} >= {Safety.UNSAFE}


def test_parameters_come_on_top_of_each_other() -> None:
    judging = Judging(RULES, {f"{LONG}.few": "7"})
    assert judging.with_params({}) is judging
    assert judging.with_params({f"{LONG}.few": "9"}).overrides == {f"{LONG}.few": "9"}
    with pytest.raises(UsageError, match="did you mean"):
        Judging(RULES, {f"{LONG}.fwe": "7"})
