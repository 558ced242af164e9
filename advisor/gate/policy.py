"""The verdict for CI: which findings count against a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.findings import Confidence, Finding, Severity, State
from advisor.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Policy:
    """What makes a gate fail.

    ``fail_on`` and ``min_confidence`` are the least that count; ``preview``: rules that are not ``stable`` count, too;
    ``strict``: what could not be judged fails as well; ``exit_zero``: findings are told, and nothing fails for them.
    """

    fail_on: Severity = Severity.HIGH
    min_confidence: Confidence = Confidence.OBSERVED
    preview: bool = False
    strict: bool = False
    exit_zero: bool = False

    def counts(self, finding: Finding) -> bool:
        """Whether a finding makes the gate fail; one that somebody answered for never does."""
        return (
            finding.state is State.FAIL
            and (finding.maturity == "stable" or (self.preview and finding.maturity == "preview"))
            and finding.severity >= self.fail_on
            and finding.confidence >= self.min_confidence
        )


def offending(findings: Iterable[Finding], policy: Policy) -> list[Finding]:
    """The findings that count, in the order in which they come."""
    return [finding for finding in findings if policy.counts(finding)]
