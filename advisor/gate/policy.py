"""The verdict for CI: which findings count against a policy."""

from __future__ import annotations

from advisor.findings import Confidence, Finding, Severity, State
from advisor.records import dataclass


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
        return self.why_not(finding) is None

    def why_not(self, finding: Finding) -> str | None:
        """Why a finding does not count; None where it does."""
        if finding.state is not State.FAIL:
            return _answered(finding)
        if finding.maturity != "stable" and not (self.preview and finding.maturity == "preview"):
            hint = " without --preview" if finding.maturity == "preview" else ""
            return f"{finding.maturity} rules do not count{hint}"
        if finding.severity < self.fail_on:
            return f"{finding.severity.word} is below {self.fail_on.word}"
        if finding.confidence < self.min_confidence:
            return f"{finding.confidence.word} is less sure than {self.min_confidence.word}"
        return None

    @property
    def words(self) -> str:
        """What counts: ``high or graver, observed or surer``."""
        least = f"{self.fail_on.word} or graver" if self.fail_on < max(Severity) else self.fail_on.word
        sure = f"{self.min_confidence.word} or surer" if self.min_confidence < max(Confidence) else "certain"
        more = [*(["preview rules, too"] if self.preview else []), *(["strict"] if self.strict else [])]
        return ", ".join([least, sure, *more])


def _answered(finding: Finding) -> str:
    said = finding.suppression
    if said is not None and said.kind == "baseline":
        return "in the baseline"
    return "ignored" if said is None else f"ignored: {said.reason}"
