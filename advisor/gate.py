"""The verdict for CI: which findings count against a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.findings import Confidence, Finding, Severity, State
from advisor.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Gate:
    """The findings that make a gate fail, in the order in which they came."""

    offending: list[Finding]

    @property
    def failed(self) -> bool:
        """Whether any finding counts."""
        return bool(self.offending)


def verdict(findings: Iterable[Finding], fail_on: Severity, min_confidence: Confidence = Confidence.OBSERVED) -> Gate:
    """Judge findings by a policy.

    Args:
        findings: of one audit; suppressed ones never count, nor those of rules that are not ``stable``.
        fail_on: the least severity that counts.
        min_confidence: the least confidence that counts: what was seen, unless told otherwise.
    """
    return Gate([finding for finding in findings if _counts(finding, fail_on, min_confidence)])


def _counts(finding: Finding, fail_on: Severity, min_confidence: Confidence) -> bool:
    return (
        finding.state is State.FAIL
        and finding.maturity == "stable"
        and finding.severity >= fail_on
        and finding.confidence >= min_confidence
    )
