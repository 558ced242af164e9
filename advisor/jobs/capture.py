"""A capture, read once for the table and what it comes to, and once more for the ladders of few connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from advisor.capture.columns import Columns
from advisor.capture.decode import Decoder, Skipped
from advisor.capture.gaps import Gaps
from advisor.capture.link import Left
from advisor.capture.segments import Endpoints
from advisor.capture.selection import SORTS, Selection, Wanted
from advisor.capture.totals import Totals
from advisor.capture.tracker import Tracker
from advisor.catalog.tcp import CONNECTIONS, State
from advisor.collect.capture import Stream, interrupts
from advisor.errors import InputError, UsageError
from advisor.formats.captured import Capture, open_capture
from advisor.jobs.ladder import ladders
from advisor.report.capture_result import Reading, Seen

FEW = 3
"""Connections whose ladders are shown without being asked for by number."""
_OFTEN = 0.5
"""Seconds between two words about how far it is."""

Say = Callable[[str], None]


class Ask(NamedTuple):
    """What is wanted of a capture.

    ``name`` is what it is called, ``again`` the file where it can be read once more for ladders, None where it can't.
    The others are conditions and order of the table; ``limit`` None is all of it.
    """

    name: str
    again: str | None = None
    hosts: Sequence[bytes] = ()
    ports: Sequence[int] = ()
    state: int | None = None
    connection: int | None = None
    sort: str = "start"
    limit: int | None = None

    @property
    def narrow(self) -> bool:
        """Whether it is about some of the connections only."""
        return bool(self.hosts or self.ports or self.state is not None)


def check(ask: Ask) -> None:
    """Make sure that it can be meant, before anything is read.

    Raises:
        UsageError: when it can't.
    """
    if ask.sort not in SORTS:
        raise UsageError(f"--sort {ask.sort}: there is no such order; known: {', '.join(SORTS)}")
    if ask.connection is not None and ask.again is None:
        raise UsageError("--connection reads a capture twice: name a file, or keep what is captured with --write FILE")


def state(word: str) -> int:
    """The number of a state.

    Raises:
        UsageError: when the word is none.
    """
    known = {one.name: int(one) for one in CONNECTIONS if one not in (State.CLOSE, State.NEW_SYN_RECV)}
    known["CLOSED"] = int(State.CLOSE)
    try:
        return known[word.upper().replace("-", "_")]
    except KeyError:
        raise UsageError(f"--state {word}: there is no such state; known: {', '.join(known)}") from None


def address(text: str) -> bytes:
    """The bytes of an address.

    Raises:
        UsageError: when it is none.
    """
    from socket import AF_INET, AF_INET6, inet_pton  # noqa: PLC0415 (3 ms, where an address is asked for)

    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except OSError:
        raise UsageError(f"--host {text}: that is no IP address; names are not looked up") from None


def look(ask: Ask, stream: Stream, say: Say) -> Seen:
    """Read a capture to its end, or until a signal ends it; then once more for the ladders of few connections.

    Raises:
        InputError: when it is no capture, or holds no connection of that number.
    """
    pass_ = _Pass(ask)
    with interrupts(stream.stop):
        capture = open_capture(stream, name=ask.name)
        pass_.read(capture, _Progress(ask.name, stream, say))
    shown = pass_.selection.connections()
    if ask.connection is not None and not shown:
        raise InputError(f"{ask.name}: there is no connection {ask.connection:,} among {pass_.selection.total:,}")
    asked = bool(ask.hosts or ask.ports)
    wanted = shown if ask.connection is not None or (asked and pass_.selection.matched <= FEW) else []
    drawn = ladders(ask.again, pass_.endpoints, wanted, capture.frames, ask.limit) if ask.again and wanted else []
    remarks = _remarks(capture, stream)
    if pass_.forgotten:
        remarks.append(f"{pass_.forgotten:,} connections are shown as they stood before their end: too many at once")
    if asked and not drawn and pass_.selection.matched:
        remarks.append(_MANY if ask.again else _ONCE)
    return Seen(
        reading=_reading(ask.name, capture, pass_, stream, remarks),
        endpoints=pass_.endpoints,
        total=pass_.selection.total,
        matched=pass_.selection.matched,
        shown=shown,
        sort=ask.sort,
        one=ask.connection is not None,
        ladders=drawn,
        totals=pass_.totals,
        gaps=None if ask.narrow else pass_.gaps,
    )


_MANY = f"more than {FEW} match: --connection N shows one of them packet by packet"
_ONCE = "a ladder needs a second reading: name a file, or keep what is captured with --write FILE"


class _Pass:
    """The first reading, and what is kept of it."""

    def __init__(self, ask: Ask) -> None:
        self.endpoints = Endpoints()
        self.decoder = Decoder(self.endpoints)
        addresses = tuple(self.endpoints.number(one) for one in ask.hosts)
        self._wanted = Wanted(addresses, tuple(ask.ports), ask.state, ask.connection)
        self._narrow = ask.narrow
        self.selection = Selection(self._wanted, ask.sort, ask.limit)
        self.totals, self.gaps = Totals(), Gaps()
        self.segments = self.forgotten = 0

    def read(self, capture: Capture, progress: _Progress) -> None:
        tracker = Tracker(self._take, self.gaps)
        for frames in capture:
            segments = self.decoder.decode(frames)
            self.segments += len(segments.frame)
            tracker.feed(segments)
            if progress.due():
                tracker.flush()
                progress.at(capture.frames, tracker.connections)
        tracker.finish()
        self.forgotten = tracker.forgotten

    def _take(self, some: Columns) -> None:
        self.selection.add(some)
        self.totals.add(some.take(self._wanted.rows(some)) if self._narrow else some)


class _Progress:
    """Says how far it is, now and then."""

    def __init__(self, name: str, stream: Stream, say: Say) -> None:
        self._name, self._stream, self._say = name, stream, say
        self._next = time.monotonic() + _OFTEN

    def due(self) -> bool:
        """Whether it is time to say something again."""
        return time.monotonic() >= self._next

    def at(self, frames: int, connections: int) -> None:
        """So many frames and connections have been read."""
        self._next = time.monotonic() + _OFTEN
        size = self._stream.size
        share = f"{self._stream.taken / size:.0%}, " if size else ""
        self._say(f"{share}{frames:,} packets, {connections:,} connections of {self._name}")


def _reading(name: str, capture: Capture, pass_: _Pass, stream: Stream, remarks: list[str]) -> Reading:
    return Reading(
        name=name,
        format=capture.format,
        frames=capture.frames,
        segments=pass_.segments,
        first=capture.first,
        last=capture.last,
        left_out=tuple(_left_out(pass_.decoder.skipped)),
        remarks=tuple(remarks),
        problem=str(capture.problem) if capture.problem and not stream.stopped else None,
    )


def _left_out(skipped: Skipped) -> Iterator[tuple[str, int]]:
    """Frames that are no segments, by the reason in words."""
    for why, number in skipped.reasons.most_common():
        if why is Left.LINK:
            yield from ((f"of link type {link}", links) for link, links in skipped.links.most_common())
        elif number:
            yield why.value, number
    if skipped.duplicates:
        yield "seen again on another interface", skipped.duplicates


def _remarks(capture: Capture, stream: Stream) -> list[str]:
    untimed = f"{capture.untimed:,} packets have no time of their own, and got that of the one before"
    return [*stream.remarks(), *([untimed] if capture.untimed else [])]
