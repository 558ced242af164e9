"""The gate's verdict as JUnit XML, read back by a library that others read it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped
from support.gated import FAILED, GATED, GREEN, REFUSED, hostile, judged

from advisor.records import replace
from advisor.report.gate_junit import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from junitparser import TestCase

    from advisor.report.gated import Gated


def read(gated: Gated) -> JUnitXml:
    return JUnitXml.fromstring(render(gated).encode())


def cases(gated: Gated) -> list[TestCase]:
    return [case for suite in read(gated) for case in suite]


def results(gated: Gated, kind: type) -> list[TestCase]:
    return [case for case in cases(gated) if any(isinstance(result, kind) for result in case.result)]


def test_the_document(golden: Callable[[str, str], None]) -> None:
    golden("gate/junit.xml", render(GATED))


def test_a_test_fails_for_each_finding_that_counts() -> None:
    failed = results(GATED, Failure)
    assert [case.classname for case in failed] == [one.finding.rule for one in GATED.counting]
    result = failed[1].result[0]
    assert (result.type, result.message) == ("high", "high: idle connections are held for 300 s")
    assert "at conf/nginx.conf:31:23\n" in result.text
    assert "fix: keepalive_timeout 60;" in result.text


def test_what_does_not_count_is_skipped_with_its_reason() -> None:
    skipped = {case.classname: case.result[0] for case in results(GATED, Skipped)}
    assert skipped["listen-backlog-capped"].type == "suppressed"
    assert skipped["listen-backlog-capped"].text == "ignored: the balancer in front takes the burst"
    assert skipped["fin-timeout-lowered"].type == "not counted"
    assert skipped["needs-version"].message.startswith("'nginx': its version is not known")


def test_a_quiet_rule_passes() -> None:
    assert [case.classname for case in cases(GATED) if case.is_passed] == ["quiet-one"]


def test_a_fault_is_an_error() -> None:
    (case,) = results(GATED, Error)
    assert case.name == "reads conf/broken.conf"
    assert case.result[0].message == "conf/broken.conf:3:14: unexpected end of file, expecting '}'"
    assert len(results(replace(REFUSED, targets=[]), Error)) == len(REFUSED.faults) + 1


def test_nothing_judged_is_an_error() -> None:
    (case,) = results(replace(REFUSED, faults=[]), Error)
    assert case.name == "judges anything"


def test_what_is_unknown_is_an_error_where_the_gate_fails_for_it() -> None:
    strict = replace(GREEN, problems=GATED.problems)
    assert results(strict, Error) == []
    assert len(results(strict, Skipped)) == len(GREEN.findings) + len(GREEN.unknown) + 2
    assert len(results(replace(strict, exit_code=3), Error)) == len(GREEN.unknown)


@pytest.mark.parametrize("gated", [GATED, FAILED, GREEN, REFUSED])
def test_it_is_counted_as_it_is_read(gated: Gated) -> None:
    document = read(gated)
    said = (document.tests, document.failures, document.errors, document.skipped)
    document.update_statistics()
    assert said == (document.tests, document.failures, document.errors, document.skipped)
    # A reader that knows nothing but these numbers is red whenever the gate is.
    assert bool(document.failures or document.errors) == gated.failed


def test_names_hold_neither_line_nor_value_and_tell_equals_apart() -> None:
    first = GATED.counting[1]
    moved = replace(first.finding, message="held for 7 s", location=replace(first.finding.location, line=99))
    twice = replace(GATED, findings=[first, judged(moved, "c", counts=True)])
    names = [case.name for case in results(twice, Failure)]
    assert names == [names[0], f"{names[0]} (2)"]


@given(st.text(st.characters(codec=None), max_size=60))
@settings(max_examples=60)
def test_any_text_is_well_formed(text: str) -> None:
    gated = hostile(text)
    told = (gated.findings, gated.faults, gated.unknown, gated.problems, gated.quiet)
    assert len(cases(gated)) == sum(map(len, told))
