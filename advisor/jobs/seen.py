"""Targets, judged: what each rule said of each, what could not be judged, and equal findings made one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from advisor.facts.derive import Facts
from advisor.facts.sysctl import NO_FILE_SETS
from advisor.findings import Finding, Missing, State, Verdict
from advisor.records import replace
from advisor.report.gated import Unknown
from advisor.report.result import problems_of
from advisor.snapshot.model import Snapshot

Judge = Callable[[Facts], list[Verdict]]


class Remembering:
    """A judge that need not judge again what it met first or last: planning asks for both once more."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._met: list[tuple[Snapshot, list[Verdict]]] = []

    def __call__(self, facts: Facts) -> list[Verdict]:
        """The verdicts on facts."""
        for snapshot, verdicts in self._met:
            if snapshot is facts.snapshot:
                return verdicts
        verdicts = self._judge(facts)
        self._met = [*self._met[:1], (facts.snapshot, verdicts)]
        return verdicts


class Seen:
    """What was read of a host, and what rules say of it; ``name`` is what reports call it."""

    def __init__(self, name: str, snapshot: Snapshot, judge: Judge) -> None:
        self.name = name
        self.snapshot = snapshot
        self.judge = Remembering(judge)
        self.facts = Facts(snapshot)
        self.verdicts = [_with_places(one, self.facts) for one in self.judge(self.facts)]

    @property
    def findings(self) -> Iterator[Finding]:
        """What failed."""
        return (one.finding for one in self.verdicts if one.finding is not None)

    @property
    def files(self) -> list[str]:
        """The files of nginx and of sysctls that were read."""
        nginx = self.snapshot.nginx
        return [*(nginx.files if nginx is not None else ()), *(one.path for one in self.snapshot.sysctl_files or ())]

    @cached_property
    def told(self) -> frozenset[str]:
        """The rules that could be judged everywhere; where files alone are judged, a key that none sets is no gap."""
        unsure = {rule for rule, _ in self.doubts}
        return frozenset(one.rule for one in self.verdicts if one.rule not in unsure)

    @cached_property
    def doubts(self) -> frozenset[tuple[str, str | None]]:
        """The rules that could not be judged, each with the logical place; None: it could be judged nowhere."""
        lacking = (one for one in self.verdicts if one.state is State.UNKNOWN and not _set_nowhere(one))
        return frozenset((one.rule, one.place) for one in lacking)

    @property
    def judged(self) -> bool:
        """Whether any rule could be judged at all."""
        return any(one.state is not State.UNKNOWN for one in self.verdicts)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Things wrong with what was read: source to reason."""
        return problems_of(self.snapshot)


def _set_nowhere(verdict: Verdict) -> bool:
    """Whether it lacks a key that no file sets: whatever else it lacks, nothing in the files fails then."""
    return any(one.source == "sysctls" and one.why.startswith(NO_FILE_SETS) for one in verdict.missing)


def _with_places(verdict: Verdict, facts: Facts) -> Verdict:
    """Its steps say where they have to be taken, where that is not here."""
    finding = verdict.finding
    if finding is None or not any(change.place is None for step in finding.steps for change in step.changes):
        return verdict
    from advisor.remedy.allowed import placed  # noqa: PLC0415 (5 ms, which only a finding with such a step needs)

    finding = replace(finding, steps=tuple(placed(step, facts) for step in finding.steps))
    return Verdict(verdict.rule, verdict.item, verdict.state, finding, verdict.missing)


class Met(NamedTuple):
    """A finding; the numbers of the targets it was met in, each with what the item is called there."""

    finding: Finding
    at: list[tuple[int, str]]


def findings(seen: Iterable[Seen]) -> list[Met]:
    """Every finding once: a place in a file that targets share is one, whatever each calls what stands there."""
    met: dict[tuple[object, ...], Met] = {}
    called: defaultdict[tuple[object, ...], dict[str, None]] = defaultdict(dict)
    for number, one in enumerate(seen):
        here: Counter[tuple[object, ...]] = Counter()
        for found in one.findings:
            place = found.location
            where = (place.file, place.line, place.column) if place.file is not None else (number, found.item)
            here[found.rule, where] += 1
            key = (found.rule, where, here[found.rule, where])
            met.setdefault(key, Met(found, [])).at.append((number, found.item))
            called[key].update(dict.fromkeys((found.place, *found.also)))
    return [Met(_also(one.finding, called[key]), one.at) for key, one in met.items()]


def _also(finding: Finding, names: Iterable[str]) -> Finding:
    """The finding with all that its place is called."""
    others = tuple(name for name in names if name != finding.place)
    return finding if others == finding.also else replace(finding, also=others)


def unknown(seen: Iterable[Seen]) -> list[Unknown]:
    """What rules lack, each reason once, with the number of targets."""
    counts = Counter(pair for one in seen for pair in _lacks(one))
    order = sorted(counts, key=lambda pair: (pair[0], pair[1].source, pair[1].why))
    return [Unknown(rule, missing, counts[rule, missing]) for rule, missing in order]


def _lacks(one: Seen) -> Iterator[tuple[str, Missing]]:
    unknown = (verdict for verdict in one.verdicts if verdict.state is State.UNKNOWN)
    yield from dict.fromkeys((verdict.rule, missing) for verdict in unknown for missing in verdict.missing)


def quiet(seen: Iterable[Seen]) -> tuple[str, ...]:
    """The rules that neither found nor lacked anything, sorted."""
    rules: set[str] = set()
    loud: set[str] = set()
    for one in seen:
        for verdict in one.verdicts:
            rules.add(verdict.rule)
            if verdict.state not in {State.PASS, State.NOT_APPLICABLE}:
                loud.add(verdict.rule)
    return tuple(sorted(rules - loud))
