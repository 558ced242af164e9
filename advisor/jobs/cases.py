"""Try rules by their own cases: each says what it expects, lacks nothing unnoticed, and is cured by its own step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from advisor.engine.cases import run_case, snapshot_of
from advisor.engine.judging import Judging
from advisor.engine.rule import Case, Rule
from advisor.errors import AdvisorError
from advisor.facts.derive import Facts
from advisor.findings import Safety, State, Verdict
from advisor.records import replace
from advisor.remedy.plan import Allowed, Outcome, make_plan
from advisor.snapshot.model import SOURCES, Snapshot

_ALL = Allowed(unsafe=True, managed=True)
_LOUD = {State.FAIL, State.UNKNOWN}
_FIRST = re.compile(r"\bfirst\(")


class Tried(NamedTuple):
    """A rule that was tried: how often something was taken from its cases, and what is wrong, ``case: what``."""

    rule: Rule
    taken: int
    wrong: list[str]

    @property
    def line(self) -> str:
        """What was seen, in a line."""
        found = [case.expect for case in self.rule.cases]
        fires, unknown = found.count("fail"), found.count("unknown")
        steps = any(step.safety != "manual" for step in self.rule.written.remedies)
        said = [
            f"fires in {fires} {'case' if fires == 1 else 'cases'}",
            f"quiet in {len(found) - fires - unknown}",
            f"unknown in {unknown}",
            f"{self.taken} times something was not read" if self.taken else "judges on less (first)",
            "its step cures it" if steps else "advice only",
        ]
        return f"{self.rule.id}: {f'{len(self.wrong)} wrong; ' if self.wrong else ''}{', '.join(said)}"


def tried(rule: Rule) -> Tried:
    """Try all a rule must do: fire, be quiet, be unknown where something was not read, be cured by its own step."""
    judging = Judging([rule])
    wrong: list[str] = []
    taken = 0
    for case in rule.cases:
        what = run_case(rule, case, Facts, judging) or uncured(rule, case, judging)
        if what is None and not _FIRST.search(str(rule.written)):
            missed, count = _silenced(case, judging)
            taken += count
            what = f"it falls quiet where {missed} is not read" if missed else None
        wrong += [f"{case.name}: {what}"] if what else []
    return Tried(rule, taken, wrong)


def uncured(rule: Rule, case: Case, judging: Judging | None = None) -> str | None:
    """Why the rule's own steps do not cure a case that fails; None when they do, or when it has only advice."""
    if case.expect != "fail":
        return None
    judging = judging or Judging([rule])
    try:
        made = make_plan(snapshot_of(case.given), judging, {}, _ALL)
        for one in made.findings:
            takable = any(step.safety is not Safety.MANUAL and step.skipped is None for step in one.finding.steps)
            if takable and one.outcome is Outcome.NOT_ADDRESSED:
                return f"its step does not cure it: {one.why}"
        again = make_plan(made.prediction.snapshot, judging, {}, _ALL)
    except AdvisorError as error:
        return f"no plan can be made: {error}"
    return None if again.empty else "a second plan is not empty"


def _silenced(case: Case, judging: Judging) -> tuple[str | None, int]:
    """What the rule needs, and falls quiet without, and how much was taken away."""
    snapshot = snapshot_of(case.given)
    before = judging(Facts(snapshot))
    if not any(one.state in _LOUD for one in before):
        return None, 0
    count = 0
    for what, less in _less(snapshot):
        count += 1
        if _quieter(before, judging(Facts(less))):
            return what, count
    return None, count


def _quieter(before: list[Verdict], after: list[Verdict]) -> bool:
    """Whether an item, or all, went from failing or unknown to something better."""
    states: dict[str, set[State]] = {}
    for one in after:
        states.setdefault(one.item, set()).add(one.state)
    items = {one.item for one in before if one.state in _LOUD}
    silent = any(item in states and not states[item] & _LOUD for item in items)
    return silent or not any(one.state in _LOUD for one in after)


def _less(snapshot: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    """The snapshot with one source, sysctl or counter less; a file that the user gave is a question, and no source."""
    asked = any(file.given for file in snapshot.sysctl_files or ())
    for source in SOURCES:
        if getattr(snapshot, source) is not None and not (asked and source == "sysctl_files"):
            unread = {**snapshot.unread, source: "taken away"}
            yield source, replace(snapshot, **{source: None, "unread": unread})
    sysctls, counters = snapshot.sysctls, snapshot.counters or {}
    for key in sysctls.values if sysctls else ():
        rest = {name: value for name, value in sysctls.values.items() if name != key} if sysctls else {}
        yield key, replace(snapshot, sysctls=replace(sysctls, values=rest))
    for name in counters:
        yield name, replace(snapshot, counters={key: value for key, value in counters.items() if key != name})
