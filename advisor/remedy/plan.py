"""The plan: judge, take the first permitted step of each finding, predict, judge again, until nothing is asked.

Couplings are rules, not code: a larger backlog makes the rule on net.core.somaxconn fail in the next round, and
its step joins the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.findings import Finding, Safety, State, Step, Verdict
from advisor.records import dataclass, field
from advisor.remedy.allowed import ADVICE, Allowed, host_step, refused, waits
from advisor.remedy.lattice import Subject, Target, Wants, join
from advisor.remedy.predict import Prediction, predict
from advisor.remedy.prove import only_what_was_meant
from advisor.remedy.sysctl import SysctlChange, host_changes
from advisor.snapshot.model import Snapshot

__all__ = ["ROUNDS", "Addressed", "Allowed", "Judge", "Outcome", "Plan", "Subject", "make_plan", "refused"]

ROUNDS = 8
"""More rounds than any chain of couplings needs; past it two rules chase each other."""

_MOST_TRIED = 32
"""Findings that are each tried alone to see which brings a coupled one along; of more, all are named."""

Judge = Callable[[Facts], list[Verdict]]


class Outcome(StrEnum):
    """How a finding ends when the plan is applied."""

    CURED = "cured"
    TO_BE_MEASURED = "to be measured"
    FOR_THE_HOST = "for the host"
    NOT_ADDRESSED = "not addressed"


@dataclass(frozen=True, slots=True)
class Addressed:
    """A finding, the step taken here for it (None: none), how it ends and why so."""

    finding: Finding
    step: Step | None
    outcome: Outcome
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the findings of a snapshot ask for, joined and proved; ``host`` is what only the host can change.

    ``brought_by`` names, for each finding that was acted upon, those among ``findings`` that brought it about: itself,
    but for one that fails only once others are cured. It is told where files are changed in place.
    """

    snapshot: Snapshot
    prediction: Prediction
    findings: tuple[Addressed, ...]
    host: tuple[SysctlChange, ...]
    needs: tuple[str, ...]
    rounds: int
    brought_by: dict[Subject, tuple[Subject, ...]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing is to be changed."""
        return not self.prediction.sysctls and not self.prediction.directives


class _LeaveOutError(Exception):
    """A finding whose step does harm, or no good: the plan is made again without it."""

    def __init__(self, subject: Subject, why: str) -> None:
        super().__init__(why)
        self.subject = subject
        self.why = why


@dataclass(slots=True)
class _Attempt:
    """One run to the fixpoint, some findings left out."""

    left_out: dict[Subject, str]
    taken: dict[Subject, tuple[Finding, Step]] = field(default_factory=dict)
    wants: dict[Target, Wants] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    rounds: int = 0


def make_plan(snapshot: Snapshot, judge: Judge, rules_first: dict[str, tuple[str, ...]], allowed: Allowed) -> Plan:
    """Plan the cure of a snapshot.

    Args:
        snapshot: what was read.
        judge: the rules, ready to judge facts.
        rules_first: for each rule, the rules whose cure goes first (``consequence_of``).
        allowed: what a person permits.

    Raises:
        PlanError: when wants contradict each other, or rules chase each other.
    """
    before = Facts(snapshot)
    first = judge(before)
    failing = {_subject(verdict) for verdict in first if verdict.finding is not None}
    left_out: dict[Subject, str] = {}

    def less(subjects: Iterable[Subject]) -> tuple[_Attempt, list[Verdict]]:
        fewer = _Attempt({**left_out, **dict.fromkeys(subjects, "")})
        return fewer, _fixpoint(fewer, before, first, judge, rules_first, allowed)[1]

    def without(subject: Subject) -> set[Subject]:
        return {_subject(verdict) for verdict in less([subject])[1] if verdict.finding is not None}

    while True:
        attempt = _Attempt(left_out)
        try:
            prediction, last = _fixpoint(attempt, before, first, judge, rules_first, allowed)
            _nothing_new(attempt, last, failing, without)
        except _LeaveOutError as one:
            left_out = {**left_out, one.subject: one.why}
        else:
            break
    only_what_was_meant(before, Facts(prediction.snapshot), prediction.directives)
    end = _End(last)
    addressed = tuple(_addressed(verdict, attempt, end, before, allowed) for verdict in first if verdict.finding)
    host = _on_the_host(addressed, before, allowed)
    brought_by = _brought_by(attempt, failing, lambda one: less(failing - {one})[0].taken) if allowed.in_place else {}
    return Plan(snapshot, prediction, addressed, tuple(host), _needs(prediction), attempt.rounds, brought_by)


def _needs(prediction: Prediction) -> tuple[str, ...]:
    wanted = [change.needs for change in prediction.sysctls] + [change.needs for change in prediction.directives]
    return tuple(dict.fromkeys(need for group in wanted for need in group))


def _brought_by(
    attempt: _Attempt, failing: set[Subject], alone: Callable[[Subject], Iterable[Subject]]
) -> dict[Subject, tuple[Subject, ...]]:
    """Which of the first findings brought each one about that was acted upon."""
    roots = [subject for subject in attempt.taken if subject in failing]
    found: dict[Subject, tuple[Subject, ...]] = {subject: (subject,) for subject in roots}
    coupled = [subject for subject in attempt.taken if subject not in failing]
    brings: dict[Subject, set[Subject]] = {}
    for root in roots if coupled and 1 < len(roots) <= _MOST_TRIED else ():
        try:
            brings[root] = set(alone(root))
        except _LeaveOutError:
            continue
    for subject in coupled:
        found[subject] = tuple(root for root in roots if subject in brings.get(root, ())) or tuple(roots)
    return found


def _on_the_host(findings: tuple[Addressed, ...], before: Facts, allowed: Allowed) -> list[SysctlChange]:
    """What the host must change for the findings that wait for it, joined."""
    wants: dict[Target, Wants] = {}
    for one in findings:
        step = host_step(one.finding, before, allowed) if one.outcome is Outcome.FOR_THE_HOST else None
        for change in step.changes if step is not None else ():
            if change.place is None:
                join(wants, change, one.finding.rule)
    return host_changes(before, wants)


def _fixpoint(
    attempt: _Attempt,
    before: Facts,
    first: list[Verdict],
    judge: Judge,
    rules_first: dict[str, tuple[str, ...]],
    allowed: Allowed,
) -> tuple[Prediction, list[Verdict]]:
    verdicts = first
    prediction = predict(before, {}, {}, in_place=allowed.in_place)
    for attempt.rounds in range(1, ROUNDS + 1):
        asked = _ask(attempt, before, verdicts, rules_first, allowed)
        if not asked:
            return prediction, verdicts
        for finding, step in asked:
            attempt.taken[_of(finding)] = (finding, step)
            attempt.reasons[finding.rule] = finding.title
            for change in step.changes:
                join(attempt.wants, change, finding.rule, finding.item)
        prediction = predict(before, attempt.wants, attempt.reasons, in_place=allowed.in_place)
        verdicts = judge(Facts(prediction.snapshot))
    names = ", ".join(sorted({finding.rule for finding, _ in asked}))
    raise PlanError(f"after {ROUNDS} rounds {names} still ask for changes; leave one of them out (--ignore)")


def _nothing_new(
    attempt: _Attempt, last: list[Verdict], failing: set[Subject], without: Callable[[Subject], set[Subject]]
) -> None:
    """Make sure that nothing fails which did not fail before: else the step that does it is the one to leave out."""
    new = next((one for one in last if one.finding is not None and _subject(one) not in failing), None)
    if new is None:
        return
    if not attempt.taken:
        raise PlanError(f"{new.rule} fails after a plan that changes nothing: a fault of the rule")
    latest_first = [*reversed(attempt.taken)]
    why = f"its step would make {new.rule} fail ({new.item or 'host'})"
    for subject in latest_first:
        try:
            guilty = _subject(new) not in without(subject)
        except _LeaveOutError:
            continue
        if guilty:
            raise _LeaveOutError(subject, why)
    raise _LeaveOutError(latest_first[0], why)


def _ask(
    attempt: _Attempt,
    before: Facts,
    verdicts: list[Verdict],
    rules_first: dict[str, tuple[str, ...]],
    allowed: Allowed,
) -> list[tuple[Finding, Step]]:
    """The steps this round takes: of findings that fail, are not left out, and whose causes are not cured now."""
    asked: list[tuple[Finding, Step]] = []
    for verdict in verdicts:
        finding = verdict.finding
        if finding is None or _subject(verdict) in attempt.left_out:
            continue
        step = _permitted(finding, before, allowed)
        if step is not None:
            asked.append((finding, step))
    now = {finding.rule for finding, _ in asked}
    chosen = [(finding, step) for finding, step in asked if not now & set(rules_first.get(finding.rule, ()))]
    for finding, step in chosen:
        if attempt.taken.get(_of(finding), (None, None))[1] == step:
            raise _LeaveOutError(_of(finding), "its step does not cure it: the rule still fails on what it would write")
    return chosen


def _permitted(finding: Finding, before: Facts, allowed: Allowed) -> Step | None:
    return next((step for step in finding.steps if refused(step, before, allowed) is None), None)


class _End:
    """The last verdicts: of each subject, and the unknown ones, each rule's first."""

    def __init__(self, last: list[Verdict]) -> None:
        self.of = {_subject(one): one for one in reversed(last)}
        self.unknown = {one.rule: one for one in reversed(last) if one.state is State.UNKNOWN}


def _addressed(verdict: Verdict, attempt: _Attempt, end: _End, before: Facts, allowed: Allowed) -> Addressed:
    finding = verdict.finding
    if finding is None:
        raise TypeError(verdict)
    subject = _of(finding)
    if subject not in attempt.taken:
        harm = attempt.left_out.get(subject)
        waiting = host_step(finding, before, allowed) if harm is None else None
        if waiting is not None and (why := waits(waiting, before)) is not None:
            return Addressed(finding, None, Outcome.FOR_THE_HOST, why)
        return Addressed(finding, None, Outcome.NOT_ADDRESSED, harm or _not_taken(finding, before, allowed))
    step = attempt.taken[subject][1]
    after = end.of.get(subject)
    if after is None or after.state in {State.PASS, State.NOT_APPLICABLE}:
        unknown = end.unknown.get(finding.rule)
        if after is None and unknown is not None:
            after = unknown
        else:
            return Addressed(finding, step, Outcome.CURED, "judged again on what the patch writes, it passes")
    if after.state is State.UNKNOWN:
        why = "; ".join(dict.fromkeys(one.why for one in after.missing))
        return Addressed(finding, step, Outcome.TO_BE_MEASURED, why)
    raise PlanError(f"the step of {finding.rule} does not cure it ({finding.item or 'host'})")


def _not_taken(finding: Finding, before: Facts, allowed: Allowed) -> str:
    """Why the first step that could change something was not taken; else that there is only advice."""
    for step in finding.steps:
        if step.safety is not Safety.MANUAL and (why := refused(step, before, allowed)) is not None:
            return why
    return ADVICE if finding.steps else "no step"


def _subject(verdict: Verdict) -> Subject:
    return verdict.rule, verdict.item


def _of(finding: Finding) -> Subject:
    return finding.rule, finding.item
