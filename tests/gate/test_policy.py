"""The verdict for CI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sample import KEEPALIVE

from advisor.findings import Confidence, Finding, Severity, State, Suppression
from advisor.gate.policy import Policy
from advisor.records import replace

POTENTIAL_TOO = Policy(min_confidence=Confidence.POTENTIAL)


def test_what_was_seen_and_is_grave_counts() -> None:
    assert Policy().counts(KEEPALIVE)


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
    assert not Policy().counts(quiet)


def test_potential_counts_when_asked() -> None:
    potential = replace(KEEPALIVE, confidence=Confidence.POTENTIAL)
    assert POTENTIAL_TOO.counts(potential)


def test_preview_counts_when_asked_and_deprecated_never() -> None:
    preview, deprecated = replace(KEEPALIVE, maturity="preview"), replace(KEEPALIVE, maturity="deprecated")
    assert Policy(preview=True).counts(preview)
    assert not Policy(preview=True).counts(deprecated)


@given(st.sampled_from(Severity), st.sampled_from(Confidence), st.sampled_from(Severity), st.sampled_from(Confidence))
def test_what_is_as_grave_and_as_sure_as_asked_counts(
    severity: Severity, confidence: Confidence, fail_on: Severity, sure: Confidence
) -> None:
    finding = replace(KEEPALIVE, severity=severity, confidence=confidence)
    assert Policy(fail_on, sure).counts(finding) == (severity >= fail_on and confidence >= sure)


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (KEEPALIVE, None),
        (replace(KEEPALIVE, severity=Severity.MEDIUM), "medium is below high"),
        (replace(KEEPALIVE, confidence=Confidence.POTENTIAL), "potential is less sure than observed"),
        (replace(KEEPALIVE, maturity="preview"), "preview rules do not count without --preview"),
        (replace(KEEPALIVE, maturity="deprecated"), "deprecated rules do not count"),
        (
            replace(KEEPALIVE, state=State.SUPPRESSED, suppression=Suppression("comment", "a test bed")),
            "ignored: a test bed",
        ),
        (replace(KEEPALIVE, state=State.SUPPRESSED, suppression=Suppression("baseline", "known")), "in the baseline"),
    ],
)
def test_it_is_said_why_a_finding_does_not_count(finding: Finding, why: str | None) -> None:
    assert Policy().why_not(finding) == why


def test_a_policy_in_words() -> None:
    assert Policy().words == "high or graver, observed or surer"
    everything = Policy(Severity.CRITICAL, Confidence.CERTAIN, preview=True, strict=True)
    assert everything.words == "critical, certain, preview rules, too, strict"
