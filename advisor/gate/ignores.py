"""Mark the findings that somebody answers for, in a comment beside them or in the configuration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import cache

from advisor.facts.places import Location
from advisor.findings import Finding, State, Suppression
from advisor.formats.pathglob import PathGlob
from advisor.formats.sysctl import dotted
from advisor.gate.beside import Beside
from advisor.gate.notices import EXPIRED, IDS, UNUSED, WITHOUT_REASON, told
from advisor.gate.spans import Found
from advisor.records import dataclass, replace


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry of the configuration: findings of a rule, or of the gate's own notices, where all that is named fits.

    ``where`` is the configuration's ``FILE`` or ``FILE:LINE``; ``until`` the last day on which it holds (ISO 8601);
    ``path`` a pattern (`PathGlob`); ``server`` a name of the server around the finding, as server_name has it; ``key``
    a sysctl, with dots or slashes, or a directive.
    """

    rule: str
    reason: str
    where: str
    until: str | None = None
    path: str | None = None
    server: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run judged.

    ``known`` maps the ids and aliases of all rules to their ids. ``judged`` names, by the files that were read, the
    rules that said something of them other than unknown. ``whole``: the run looked at all that there is, so that an
    entry of the configuration that covers nothing is not needed. ``path`` tells what patterns take a file for.
    ``servers`` are the names of the server around a finding.
    """

    known: Mapping[str, str]
    judged: Mapping[str, Collection[str]]
    today: date
    whole: bool = True
    path: Callable[[str], str] = str
    servers: Callable[[Finding], Collection[str]] = lambda _: ()


def mark(
    findings: Sequence[Finding], comments: Mapping[str, Sequence[Found]], configured: Sequence[Ignored], run: Run
) -> list[Finding]:
    """The findings, those marked that somebody answers for, in their order; then the gate's own.

    Comments come before the configuration. An ignore without a reason, one that has expired and one that can't be
    understood marks nothing, and is told.
    """
    beside = Beside(comments, run.known, run.today)
    marked = beside.marked(findings)
    entries = _Entries(configured, run)
    marked = entries.marked([*marked, *beside.notices(run.judged)])
    return [*marked, *entries.marked(entries.notices())]


class _Entries:
    """The entries of a configuration that hold, and what they covered."""

    def __init__(self, configured: Sequence[Ignored], run: Run) -> None:
        self._run = run
        self._all = configured
        self._used: set[int] = set()
        self._by_rule: defaultdict[str, list[int]] = defaultdict(list)
        for number, entry in enumerate(configured):
            if self._wrong(entry) is None:
                self._by_rule[run.known.get(entry.rule, entry.rule)].append(number)
        self._glob = cache(PathGlob)
        self._path = cache(run.path)

    def _wrong(self, entry: Ignored) -> Finding | None:
        about, where = f"ignore[{entry.rule}]", _location(entry.where)
        if not any(char.isalnum() for char in entry.reason):
            return told(WITHOUT_REASON, where, about, f"{about} says no reason, and covers nothing")
        if entry.until is not None and entry.until < self._run.today.isoformat():
            return told(EXPIRED, where, about, f"{about} held until {entry.until}")
        return None

    def marked(self, findings: Iterable[Finding]) -> list[Finding]:
        """The same findings; those marked that an entry covers and nobody answered for before."""
        return [self._marked(finding) for finding in findings]

    def _marked(self, finding: Finding) -> Finding:
        fitting = [number for number in self._by_rule.get(finding.rule, ()) if self._fits(self._all[number], finding)]
        self._used.update(fitting)
        if not fitting or finding.state is not State.FAIL:
            return finding
        entry = self._all[fitting[0]]
        suppression = Suppression("configuration", entry.reason, entry.where, entry.until)
        return replace(finding, state=State.SUPPRESSED, suppression=suppression)

    def _fits(self, entry: Ignored, finding: Finding) -> bool:
        file, key = finding.location.file, finding.location.key
        return (
            (entry.key is None or dotted(entry.key) == key)
            and (entry.path is None or (file is not None and self._fits_path(entry.path, file)))
            and (entry.server is None or entry.server.lower() in map(str.lower, self._run.servers(finding)))
        )

    def _fits_path(self, pattern: str, file: str) -> bool:
        return self._glob(pattern).matches(self._path(file))

    def notices(self) -> list[Finding]:
        """What is wrong with entries, and which are not needed."""
        found = []
        for number, entry in enumerate(self._all):
            wrong = self._wrong(entry)
            if wrong is not None:
                found.append(wrong)
            elif number not in self._used and self._needless(entry):
                about = f"ignore[{entry.rule}]"
                message = f"{about}{_where(entry)} covers no finding"
                found.append(told(UNUSED, _location(entry.where), about, message))
        return found

    def _needless(self, entry: Ignored) -> bool:
        """Whether what it was written for was looked at: notices depend on what else is ignored."""
        if entry.rule in IDS:
            return False
        rule = self._run.known.get(entry.rule, entry.rule)
        asked = self._run.whole and any(rule in rules for rules in self._run.judged.values())
        if entry.path is None:
            return asked
        fitting = (rules for file, rules in self._run.judged.items() if self._fits_path(entry.path, file))
        first = next(fitting, None)
        return asked if first is None else rule in first or any(rule in rules for rules in fitting)


def _location(where: str) -> Location:
    """Where an entry stands."""
    file, _, line = where.rpartition(":")
    if file and line.isdecimal():
        return Location(where, file, int(line))
    return Location(where, where)


def _where(entry: Ignored) -> str:
    names = (("in", entry.path), ("in server", entry.server), ("of", entry.key))
    return "".join(f" {word} {name}" for word, name in names if name is not None)
