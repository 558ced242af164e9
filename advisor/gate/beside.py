"""Comments that answer for findings, held against them: which they cover, and what is wrong with the others."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from advisor.engine.syntax import did_you_mean
from advisor.findings import Finding, State, Suppression
from advisor.gate.notices import EXPIRED, IDS, MALFORMED, UNUSED, WITHOUT_REASON, told
from advisor.gate.spans import Found, Hold, Ignore
from advisor.records import replace

_MOST_HINTS = 50
"""Unknown rules for which a likely one is looked for: that takes some milliseconds each."""


class _Covers(NamedTuple):
    """A hold of a comment, by the id of its rule."""

    first: int
    last: int
    number: int
    ignore: Ignore


class Beside:
    """The comments of all files.

    Args:
        comments: what they say, by file.
        known: ids and aliases of rules to ids.
        today: the day for which they must hold.
    """

    def __init__(self, comments: Mapping[str, Sequence[Found]], known: Mapping[str, str], today: date) -> None:
        self._known = known
        self._today = today.isoformat()
        self._hints = 0
        self._wrong: list[Finding] = []
        self._covers: defaultdict[tuple[str, str], list[_Covers]] = defaultdict(list)
        self._lines: dict[tuple[str, str], list[int]] = {}
        for file, said in comments.items():
            for number, one in enumerate(said):
                self._take(file, number, one)

    def _take(self, file: str, number: int, one: Found) -> None:
        if not isinstance(one, Ignore):
            self._wrong.append(told(MALFORMED, one.location, "comment", f"this covers nothing: {one.what}"))
            return
        wrong = self._unusable(one)
        if wrong is not None:
            self._wrong.append(wrong)
            return
        by_id = {self._known[hold.rule]: hold for hold in one.holds}
        for rule, hold in by_id.items():
            self._covers[file, rule].append(_Covers(hold.first, hold.last, number, one))

    def _unusable(self, one: Ignore) -> Finding | None:
        about = _about(one.holds)
        for rule in (hold.rule for hold in one.holds if hold.rule in IDS or hold.rule not in self._known):
            return told(MALFORMED, one.location, about, f"this covers nothing: {self._unknown(rule)}")
        if not any(char.isalnum() for char in one.reason):
            return told(WITHOUT_REASON, one.location, about, f"{about} says no reason, and covers nothing")
        if one.until is not None and one.until < self._today:
            return told(EXPIRED, one.location, about, f"{about} held until {one.until}")
        return None

    def _unknown(self, rule: str) -> str:
        if rule in IDS:
            return f"{rule} is the gate's own, and can be ignored in the configuration only"
        self._hints += 1
        hint = did_you_mean(rule, self._known) if self._hints <= _MOST_HINTS else ""
        return f"no rule is called '{rule[:60]}'{hint}; see: advisor rules"

    def marked(self, findings: Sequence[Finding]) -> list[Finding]:
        """The same findings; those marked that a comment covers."""
        groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, finding in enumerate(findings):
            at = (finding.location.file or "", finding.rule)
            if at in self._covers and finding.location.line is not None:
                groups[at].append(number)
        answers: dict[int, Ignore] = {}
        for at, numbers in groups.items():
            lines = {number: findings[number].location.line or 0 for number in numbers}
            self._lines[at] = sorted(lines.values())
            innermost = _innermost(self._covers[at], self._lines[at])
            answers |= {number: innermost[line] for number, line in lines.items() if line in innermost}
        return [_answered(finding, answers.get(number)) for number, finding in enumerate(findings)]

    def notices(self, judged: Mapping[str, Collection[str]]) -> list[Finding]:
        """What is wrong with comments, and which cover none of the findings that were marked.

        Args:
            judged: by file, the rules that said something of it: of others, a comment may be needed.
        """
        return [*self._wrong, *self._unused(judged)]

    def _unused(self, judged: Mapping[str, Collection[str]]) -> Iterator[Finding]:
        needless: dict[tuple[str, int], tuple[Ignore, list[str]]] = {}
        for (file, rule), covers in self._covers.items():
            lines = self._lines.get((file, rule), [])
            for one in covers if rule in judged.get(file, ()) else ():
                at = bisect_left(lines, one.first)
                if at == len(lines) or lines[at] > one.last:
                    needless.setdefault((file, one.number), (one.ignore, []))[1].append(rule)
        for ignore, rules in needless.values():
            about = _about(ignore.holds)
            yield told(UNUSED, ignore.location, about, f"{about} covers no finding of {', '.join(rules)}")


def _innermost(covers: list[_Covers], lines: list[int]) -> dict[int, Ignore]:
    """Of the lines, which ascend, those that a comment covers: by the one that begins last."""
    todo = sorted(covers, key=lambda one: one[:3], reverse=True)
    begun: list[tuple[int, int, _Covers]] = []
    found: dict[int, Ignore] = {}
    for line in lines:
        while todo and todo[-1].first <= line:
            one = todo.pop()
            heapq.heappush(begun, (-one.first, -one.number, one))
        while begun and begun[0][2].last < line:
            heapq.heappop(begun)
        if begun:
            found[line] = begun[0][2].ignore
    return found


def _answered(finding: Finding, ignore: Ignore | None) -> Finding:
    if ignore is None or finding.state is not State.FAIL:
        return finding
    where = f"{ignore.location.file}:{ignore.location.line}"
    suppression = Suppression("comment", ignore.reason, where, ignore.until)
    return replace(finding, state=State.SUPPRESSED, suppression=suppression)


def _about(holds: tuple[Hold, ...]) -> str:
    return f"ignore[{', '.join(hold.rule for hold in holds)}]"
