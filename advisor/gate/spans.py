"""What comments say that begin with ``advisor:``, and the lines of a file for which each of them holds."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from advisor.engine.syntax import did_you_mean
from advisor.facts.places import Location
from advisor.records import dataclass

_VERBS = ("ignore", "ignore-begin", "ignore-end")
_WAY = "write ignore[RULE] reason, ignore-begin[RULE] reason or ignore-end"
_SAID = re.compile(r"([^\s\[]*)\s*(\[[^\]]*\])?(.*)", re.DOTALL)
_UNTIL = re.compile(r";\s*until\b(.*)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
_SHOWN = 60


class Hold(NamedTuple):
    """Findings of a rule (its id or an alias) on lines of a file, from the first to the last, counted from 1."""

    rule: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that answers for findings. ``until`` is the last day on which it holds, in ISO 8601."""

    location: Location
    holds: tuple[Hold, ...]
    reason: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """A comment that was meant as one and is none: what is wrong, and the way out."""

    location: Location
    what: str


Found = Ignore | Wrong


class _Said(NamedTuple):
    verb: str
    rules: tuple[str, ...]
    reason: str
    until: str | None


class _Open:
    """A block that was begun, and the rules of it that were ended."""

    def __init__(self, location: Location, said: _Said) -> None:
        self.location = location
        self.said = said
        self.holds: dict[str, Hold] = {}

    @property
    def ended(self) -> bool:
        """Whether all of them were."""
        return len(self.holds) == len(self.said.rules)

    @property
    def left(self) -> tuple[str, ...]:
        """The rules that were not ended yet."""
        return tuple(rule for rule in self.said.rules if rule not in self.holds)


class Spans:
    """The comments of one file, taken in their order.

    Args:
        name: what locations call the file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: list[Found] = []
        self._open: list[_Open] = []
        self._by_rule: dict[str, list[_Open]] = {}

    def take(self, at: tuple[int, int, str], text: str, lines: tuple[int, int]) -> None:
        """One comment.

        Args:
            at: its line and column, counted from 1, and the text of that line.
            text: what it says behind the mark.
            lines: the first and the last line of what it stands at, if it is no part of a block.
        """
        line, column, excerpt = at
        location = Location(self._name, self._name, line, column, max(1, len(excerpt) - column + 1), excerpt)
        try:
            said = _read(text)
            if said.verb == "ignore":
                holds = tuple(Hold(rule, *lines) for rule in said.rules)
                self._found.append(Ignore(location, holds, said.reason, said.until))
            elif said.verb == "ignore-begin":
                self._begin(_Open(location, said))
            else:
                self._end(said, line)
        except ValueError as error:
            self._found.append(Wrong(location, str(error)))

    def wrong(self, at: tuple[int, int, str], what: str) -> None:
        """A comment that can't be one where it stands."""
        line, column, excerpt = at
        self._found.append(Wrong(Location(self._name, self._name, line, column, 1, excerpt), what))

    def finish(self) -> list[Found]:
        """All of them, in the order of the file; blocks that are still open are wrong."""
        for block in self._open:
            if not block.ended:
                way = "close it by a comment 'advisor: ignore-end'"
                self._found.append(Wrong(block.location, f"the block of {_listed(block.left)} never ends; {way}"))
        return sorted(self._found, key=lambda one: (one.location.line or 0, one.location.column or 0))

    def _begin(self, block: _Open) -> None:
        self._open.append(block)
        for rule in block.said.rules:
            self._by_rule.setdefault(rule, []).append(block)

    def _end(self, said: _Said, line: int) -> None:
        while self._open and self._open[-1].ended:
            self._open.pop()
        if not self._open:
            raise ValueError("no block is open here; begin one by ignore-begin[RULE] reason")
        for rule in said.rules or self._open[-1].left:
            blocks = self._by_rule.get(rule)
            if not blocks:
                raise ValueError(f"no block of {_listed((rule,))} is open here; begin one, or correct the rule")
            block = blocks.pop()
            block.holds[rule] = Hold(rule, block.location.line or 0, line)
            if block.ended:
                holds = tuple(block.holds[name] for name in block.said.rules)
                self._found.append(Ignore(block.location, holds, block.said.reason, block.said.until))


def _read(text: str) -> _Said:
    """What a comment says.

    Raises:
        ValueError: what is wrong with it, and the way out.
    """
    found = _SAID.fullmatch(text.strip())
    verb, listed, rest = found.groups("") if found is not None else ("", "", "")
    if verb not in _VERBS:
        raise ValueError(f"'{verb[:_SHOWN]}' is nothing a comment can ask for{did_you_mean(verb, _VERBS)}; {_WAY}")
    rules = tuple(dict.fromkeys(name.strip() for name in listed[1:-1].split(","))) if listed else ()
    if not rules and verb != "ignore-end":
        raise ValueError(f"it names no rule; {_WAY}")
    for rule in rules:
        if not _NAME.fullmatch(rule):
            raise ValueError(f"'{rule[:_SHOWN]}' is no rule's id; write them as in ignore[keepalive-timeout-long]")
    reason, until = _dated(rest.strip())
    return _Said(verb, rules, reason, until)


def _dated(text: str) -> tuple[str, str | None]:
    """The reason, and the last day."""
    found = _UNTIL.search(text)
    if found is None:
        return text, None
    day = found[1].strip()
    if not is_day(day):
        raise ValueError(f"until '{day[:_SHOWN]}' names no day; write it as in: until 2027-01-31")
    return text[: found.start()].strip(), day


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, as YYYY-MM-DD."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DAY.fullmatch(text) is not None


def _listed(rules: tuple[str, ...]) -> str:
    most = 3
    return ", ".join(rules[:most]) + (f" and {len(rules) - most} more" if len(rules) > most else "")
