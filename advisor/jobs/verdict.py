"""The verdict on what was seen and marked: which findings count, what could not be judged, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from advisor.engine.rule import Rule
from advisor.facts.flow import flow
from advisor.findings import Finding, Severity, State, Waypoint
from advisor.gate.notices import RULES as NOTICES
from advisor.gate.policy import Policy
from advisor.jobs import seen as told
from advisor.jobs.explain import steps_of
from advisor.jobs.marks import Marked
from advisor.jobs.seen import Seen
from advisor.records import dataclass, field, replace
from advisor.report.gated import Fault, Gated, Gone, Judged, Replacement, Target
from advisor.report.gated import Rule as Described
from advisor.report.result import order

NOTHING = "no nginx configuration, no sysctl file and no snapshot is there; name one"

Fixes = Mapping[tuple[int, str, str], tuple[Replacement, ...]]
"""What cures a finding, by the number of its target, its rule and its item."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How the reports tell.

    ``named`` is a file's path from the top of the repository on, of its name; None where it lies outside. For formats
    that tell more: ``rules`` are described, ``flows`` says how values came about, ``fixes`` what cures.
    """

    named: Callable[[str], str | None]
    rules: Sequence[Rule] = ()
    flows: bool = False
    fixes: Fixes = field(default_factory=dict)


def gated(
    targets: Sequence[Target],
    seen: Sequence[Seen],
    marked: Marked,
    faults: Sequence[Fault],
    policy: Policy,
    telling: Telling,
) -> Gated:
    """What the reports tell.

    Args:
        targets: those that were judged.
        seen: what rules say of each.
        marked: their findings with their marks.
        faults: what could not be read, understood or judged.
        policy: what counts.
        telling: how it is told.
    """
    judged = any(one.judged for one in seen)
    faults = [*faults, *([] if seen or faults else [Fault(NOTHING)])]
    unknown = told.unknown(seen)
    problems = list(dict.fromkeys(problem for one in seen for problem in one.problems))
    kept = {number: one.name for number, one in enumerate(targets) if one.kind == "snapshot"}
    findings = list(_judged(seen, marked, policy, telling, kept))
    unsure = bool(faults or not judged or (policy.strict and unknown))
    counting = any(one.counts for one in findings) and not policy.exit_zero
    return Gated(
        targets=list(targets),
        findings=findings,
        faults=faults,
        unknown=unknown,
        problems=problems,
        rules=[*(described(rule) for rule in telling.rules), *(_notices(findings) if telling.rules else ())],
        quiet=told.quiet(seen),
        policy=policy.words,
        exit_code=3 if unsure else int(counting),
        fixed=[Gone(one.rule, one.place, one.path, one.count) for one in marked.gone],
        baseline=marked.held_in,
    )


def _judged(
    seen: Sequence[Seen], marked: Marked, policy: Policy, telling: Telling, kept: Mapping[int, str]
) -> Iterator[Judged]:
    """Worst first; what counts before what does not. What stands in no file is told at its snapshot."""
    pairs = zip_longest(marked.findings, marked.met)
    alike: Counter[str] = Counter()
    for finding, met in sorted(pairs, key=lambda pair: _rank(pair[0], policy)):
        at = [] if met is None else met.at
        alike[finding.fingerprint] += 1
        file = finding.location.file or (kept.get(at[0][0]) if at else None)
        yield Judged(
            finding=finding,
            target=seen[at[0][0]].name if at else "",
            fingerprint=unique(finding.fingerprint, alike[finding.fingerprint]),
            counts=policy.counts(finding),
            why_not=policy.why_not(finding),
            path=None if file is None else telling.named(file),
            flow=tuple(_flow(seen[at[0][0]], finding, telling)) if telling.flows and at else (),
            fix=_fix(finding.rule, at, telling.fixes),
        )


def _fix(rule: str, at: Iterable[tuple[int, str]], fixes: Fixes) -> tuple[Replacement, ...]:
    found = (fixes.get((number, rule, item), ()) for number, item in at)
    return tuple(dict.fromkeys(one for fix in found for one in fix))


def _flow(one: Seen, finding: Finding, telling: Telling) -> Iterator[Waypoint]:
    for step in flow(one.facts, finding):
        yield replace(step, path=None if step.path is None else telling.named(step.path) or step.path)


def _rank(finding: Finding, policy: Policy) -> tuple[object, ...]:
    return not policy.counts(finding), finding.state is State.SUPPRESSED, *order(finding)


def unique(fingerprint: str, number: int) -> str:
    """The fingerprint of the first finding of its kind as it is; those of others tell them apart."""
    if number == 1:
        return fingerprint
    from hashlib import sha256  # noqa: PLC0415 (3 ms, which only findings alike need)

    return sha256(f"{fingerprint}\0{number}".encode()).hexdigest()[:32]


def _notices(findings: Iterable[Judged]) -> Iterator[Described]:
    """The gate's own, of which there are findings."""
    said = {one.finding.rule for one in findings}
    for one in NOTICES:
        if one.id in said:
            told_of = (one.id, one.title, one.severity, one.maturity, one.why, one.unless)
            yield Described(*told_of, one.steps, one.references)


def described(rule: Rule) -> Described:
    """A rule as reports describe it."""
    return Described(
        id=rule.id,
        title=rule.title,
        severity=max((severity for _, severity in rule.severity), default=Severity.INFO),
        maturity=rule.maturity,
        why=rule.written.why,
        unless=rule.unless,
        steps=tuple(steps_of(rule)),
        references=rule.references,
    )
