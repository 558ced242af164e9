"""Judge a snapshot, and say what was found."""

from __future__ import annotations

from advisor.engine.judging import Judging
from advisor.facts.derive import Facts
from advisor.findings import Verdict
from advisor.jobs.configure import Settings
from advisor.jobs.write import write
from advisor.records import replace
from advisor.report import FORMATS
from advisor.report.result import Result, result_of
from advisor.snapshot.model import Snapshot


def audit(snapshot: Snapshot, judging: Judging) -> Result:
    """What the rules say of a snapshot."""
    facts = Facts(snapshot)
    return result_of(snapshot, [with_places(one, facts) for one in judging(facts)])


def answered(snapshot: Snapshot, settings: Settings) -> Result:
    """The same by the configuration in force; findings that somebody answers for are marked."""
    from advisor.jobs.answered import answered as told  # noqa: PLC0415 (it needs this module)

    return result_of(snapshot, told(snapshot, settings))


def with_places(verdict: Verdict, facts: Facts) -> Verdict:
    """Its steps say where they have to be taken, where that is not here."""
    finding = verdict.finding
    if finding is None or not any(change.place is None for step in finding.steps for change in step.changes):
        return verdict
    from advisor.remedy.allowed import placed  # noqa: PLC0415 (5 ms, which only a finding with such a step needs)

    finding = replace(finding, steps=tuple(placed(step, facts) for step in finding.steps))
    return Verdict(verdict.rule, verdict.item, verdict.state, finding, verdict.missing)


def outputs(result: Result, formats: list[tuple[str, str | None]], width: int, *, colour: bool) -> str:
    """Render every format asked for; those with a file are written there, the rest is returned for standard output.

    Raises:
        InputError: when a file can't be written.
    """
    return write(formats, lambda name, path: FORMATS[name](result, width=width, colour=colour and path is None))
