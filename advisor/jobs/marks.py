"""Findings with their marks: who answers for them, in a comment beside them, in the configuration, or by a baseline."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from advisor.engine.rule import Rule
from advisor.facts.enclosing import server_names
from advisor.findings import Finding, State
from advisor.gate.baseline import Baseline, Entry, compare
from advisor.gate.comments import comments
from advisor.gate.ignores import Ignored, Run, mark
from advisor.gate.notices import IDS
from advisor.jobs.configure import Settings
from advisor.jobs.seen import Met, Seen, findings
from advisor.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Marked:
    """Findings with their marks: first those that were met, in their order, then the gate's own.

    ``gone`` are entries of the baseline that nothing needs any more, ``held_in`` is its file, ``pruned`` what is left.
    """

    met: list[Met]
    findings: list[Finding]
    gone: list[Entry] = field(default_factory=list)
    held_in: str | None = None
    pruned: Baseline | None = None

    @property
    def answered(self) -> frozenset[tuple[int, str, str]]:
        """What somebody answers for: the number of its target, its rule, its item."""
        left = ((met, one) for met, one in zip(self.met, self.findings, strict=False) if one.state is State.SUPPRESSED)
        return frozenset((number, one.rule, item) for met, one in left for number, item in met.at)


def marked(
    seen: Sequence[Seen],
    settings: Settings,
    today: dt.date,
    *,
    whole: bool = True,
    named: Callable[[str], str] = str,
) -> Marked:
    """Mark what comments and the configuration answer for, and tell what is wrong with those.

    Args:
        seen: the targets that were judged.
        settings: what holds, the configuration's ignores among it.
        today: the day for which they must hold.
        whole: all that there is was looked at, so that an entry that covers nothing is not needed.
        named: what patterns of paths take a file for.
    """
    met = findings(seen)
    found = [one.finding for one in met]
    said = {name: spans for one in seen for name, spans in comments(one.snapshot).items()}
    entries = [
        Ignored(one.rule, one.reason, where, one.until, one.path, one.server, one.key)
        for one, where in settings.ignores
    ]
    if not said and not entries:
        return Marked(met, found)
    at = {_key(one.finding): one.at[0][0] for one in met}

    def servers(finding: Finding) -> tuple[str, ...]:
        number = at.get(_key(finding))
        return () if number is None else server_names(seen[number].facts, finding.location)

    run = Run(known(settings.rules), _judged(seen), today, whole, named, servers)
    return Marked(met, mark(found, said, entries, run))


def _key(finding: Finding) -> tuple[object, ...]:
    place = finding.location
    return finding.rule, finding.item, place.file, place.line, place.column


def held(
    marked: Marked,
    baseline: Baseline,
    file: str,
    seen: Sequence[Seen],
    named: Callable[[str], str],
    there: Callable[[str], bool],
) -> Marked:
    """Mark what a baseline holds as well.

    Args:
        marked: findings with their other marks.
        baseline: what was there before.
        file: where it is kept.
        seen: the targets that were judged.
        named: what the baseline calls a file.
        there: whether a file that the baseline names is still there. What was not looked at now, and is there, is
            neither known nor cured; what is not there was renamed, or is gone. What could not be judged at a place is
            not told as cured there.
    """
    rules = {one.rule for each in seen for one in each.verdicts}
    doubts: defaultdict[str, set[tuple[str, str | None]]] = defaultdict(set)
    for one in seen:
        for name in one.files:
            doubts[named(name)] |= one.doubts
    all_doubts = frozenset[tuple[str, str | None]]().union(*(one.doubts for one in seen))

    def concerns(entry: Entry) -> bool:
        return entry.path is None or entry.path in doubts or not there(entry.path)

    def sure(entry: Entry) -> bool:
        here = doubts.get(entry.path or "", all_doubts)
        return entry.rule in rules and not {(entry.rule, None), (entry.rule, entry.place)} & here

    found = compare(baseline, marked.findings, file, named, concerns, sure)
    return Marked(marked.met, found.findings, found.gone, file, found.pruned)


def known(rules: Iterable[Rule]) -> dict[str, str]:
    """Ids and aliases of rules, and of the gate's notices, to ids."""
    return {name: rule.id for rule in rules for name in (rule.id, *rule.aliases)} | {name: name for name in IDS}


def _judged(seen: Sequence[Seen]) -> dict[str, set[str]]:
    """By file, the rules that said something of it."""
    judged: defaultdict[str, set[str]] = defaultdict(set)
    for one in seen:
        for name in one.files:
            judged[name] |= one.told
    return judged
