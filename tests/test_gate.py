"""The verdict for CI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample import KEEPALIVE

from advisor.findings import Confidence, Finding, Severity, State
from advisor.gate import Gate, verdict
from advisor.records import replace


def test_what_was_seen_and_is_grave_fails() -> None:
    assert verdict([KEEPALIVE], Severity.HIGH) == Gate([KEEPALIVE])
    assert verdict([KEEPALIVE], Severity.HIGH).failed


@pytest.mark.parametrize(
    "quiet",
    [
        replace(KEEPALIVE, severity=Severity.MEDIUM),
        replace(KEEPALIVE, confidence=Confidence.POTENTIAL),
        replace(KEEPALIVE, state=State.SUPPRESSED),
        replace(KEEPALIVE, maturity="preview"),
        replace(KEEPALIVE, maturity="deprecated"),
    ],
)
def test_what_does_not_count(quiet: Finding) -> None:
    gate = verdict([quiet], Severity.HIGH)
    assert gate.offending == []
    assert not gate.failed


def test_potential_counts_when_asked() -> None:
    potential = replace(KEEPALIVE, confidence=Confidence.POTENTIAL)
    assert verdict([potential], Severity.HIGH, Confidence.POTENTIAL).failed


@given(
    st.lists(st.tuples(st.sampled_from(Severity), st.sampled_from(Confidence))),
    st.sampled_from(Severity),
    st.sampled_from(Confidence),
)
def test_a_stricter_gate_never_passes_more(
    kinds: list[tuple[Severity, Confidence]], fail_on: Severity, sure: Confidence
) -> None:
    findings = [replace(KEEPALIVE, severity=severity, confidence=confidence) for severity, confidence in kinds]
    strict, usual = verdict(findings, Severity.INFO, Confidence.POTENTIAL), verdict(findings, fail_on, sure)
    assert strict.offending == findings
    assert usual.offending == [
        finding for finding in findings if finding.severity >= fail_on and finding.confidence >= sure
    ]
