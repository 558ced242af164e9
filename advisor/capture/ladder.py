"""One connection packet by packet: what each segment was, in words, and the state of both ends behind it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.segments import ACK, FIN, PSH, RST, SYN, Segment
from advisor.capture.serial import above, ahead, distance
from advisor.catalog.tcp import State

PHASES = HANDSHAKE, DATA, TEARDOWN = ("handshake", "data", "teardown")
"""The phases of a connection, in the order in which they follow each other."""

_NOTED = {
    Note.GAP: "before it something was not captured",
    Note.SPLIT: "a SYN from the other side, too",
    Note.CROSSED: "crosses the other's FIN",
    Note.CUT_SHORT: "ends TIME_WAIT early, where tcp_rfc1337 is 0",
    Note.REORDERED: "stands behind its answer in the capture",
    Note.LATE_DATA: "new data for an end that has closed",
    Note.RACE: "answers late data: that request is lost",
    Note.EARLY_DATA: "takes the SYN's data",
}


class Step(NamedTuple):
    """One packet, or a run of plain ones in one direction that is told as one.

    ``time`` is that of the first in nanoseconds since the epoch, ``until`` that of the last; ``seq``, ``ack`` and
    ``end`` (the number behind the last byte) count from the initial numbers; ``packets`` and ``acks`` are how many
    went this way, and how many bare acknowledgements came back meanwhile. ``states`` are those of both ends afterwards.
    """

    time: int
    until: int
    sender: int
    flags: int
    seq: int
    ack: int | None
    end: int
    length: int
    packets: int
    acks: int
    states: tuple[int, int]
    phase: str = DATA
    marks: tuple[str, ...] = ()


class _Before(NamedTuple):
    """What of a connection tells, in comparison, what a packet was."""

    state: tuple[int, ...] = (NONE, NONE)
    end: tuple[int, ...] = (NONE, NONE)
    acked: tuple[int, ...] = (NONE, NONE)
    window: tuple[int, ...] = (NONE, NONE)
    repeats: int = 0
    probes: int = 0
    notes: int = 0
    open_at: int = NONE
    resetter: int = NONE


def _shot(one: Connection) -> _Before:
    lists = tuple(one.state), tuple(one.end), tuple(one.acked), tuple(one.window)
    return _Before(*lists, sum(one.repeats), sum(one.probes), one.notes, one.open_at, one.resetter)


class Ladder:
    """Takes the segments of one connection, each with the connection as it stands behind it.

    Args:
        most: steps that are kept, half of them from the beginning, half from the end; None for all.

    Attributes:
        connection: as it stood last.
        left_out: steps between those halves that were not kept.
    """

    def __init__(self, most: int | None = None) -> None:
        self.connection: Connection | None = None
        self.left_out = 0
        self._head: list[Step] = []
        self._tail: deque[Step] = deque()
        self._most = most
        self._before = _Before()
        self._probed = NONE
        self._phase = HANDSHAKE

    @property
    def steps(self) -> tuple[list[Step], list[Step]]:
        """Those from the beginning, and those from the end behind what was left out."""
        return (self._head, list(self._tail)) if self.left_out else ([*self._head, *self._tail], [])

    def add(self, one: Connection, segment: Segment) -> None:
        """Take a segment of the connection, and the connection behind it."""
        sender = 0 if segment.source == one.ends[0] else 1
        before, after = self._before, _shot(one)
        self._phase = max(self._phase, _phase(before, one, segment.flags), key=PHASES.index)
        step = _step(one, sender, segment)
        self._keep(step._replace(phase=self._phase, marks=tuple(self._marks(before, after, sender, segment))))
        self._probed = sender if after.probes != before.probes else NONE
        self._before, self.connection = after, one

    def _keep(self, step: Step) -> None:
        last = self._tail
        if last and (joined := _joined(last[-1], step)):
            last[-1] = joined
        elif len(last) > 1 and (joined := _over_acks(last[-2], last[-1], step)):
            last.pop()
            last[-1] = joined
        else:
            last.append(step)
        half = None if self._most is None else self._most // 2
        if half is not None and len(last) > half:
            if len(self._head) < half:
                self._head.append(last.popleft())
            else:
                last.popleft()
                self.left_out += 1

    def _marks(self, before: _Before, after: _Before, sender: int, segment: Segment) -> list[str]:
        found = [_repeated(segment, _SENT_AGAIN)] if after.repeats != before.repeats else []
        if after.probes != before.probes:
            found.append("zero-window probe" if before.window[1 - sender] == 0 else "keep-alive probe")
        elif not found and not segment.flags & (SYN | RST):
            found += self._order(before, after, sender, segment)
        found += [words for note, words in _NOTED.items() if after.notes & note & ~before.notes]
        if segment.flags & RST:
            found.append(_reset(before, after))
        else:
            found += _refused(before, after)
            found += _window(before, segment, sender)
        return found

    def _order(self, before: _Before, after: _Before, sender: int, segment: Segment) -> list[str]:
        """Where a segment stands in the flow of bytes, unless it is simply the next."""
        end = before.end[sender]
        if segment.length and end != NONE:
            missing = distance(segment.seq, end)
            if missing > 0:
                return [f"{missing:,} bytes before it are missing"]
            if after.end == before.end:
                return ["late: it fills a hole"]
        bare = not segment.length and segment.flags == ACK and before.acked[sender] == segment.ack
        if bare and self._probed == 1 - sender:
            return ["answers the probe"]
        owed = before.end[1 - sender] != NONE and above(before.end[1 - sender], segment.ack)
        if bare and owed and before.window[sender] == segment.window:
            return ["duplicate ACK"]
        return []


def _step(one: Connection, sender: int, segment: Segment) -> Step:
    return Step(
        time=segment.time,
        until=segment.time,
        sender=sender,
        flags=segment.flags,
        seq=_relative(segment.seq, one.isn[sender]),
        ack=_relative(segment.ack, one.isn[1 - sender]) if segment.flags & ACK else None,
        end=_relative(ahead(segment.seq, segment.length), one.isn[sender]),
        length=segment.length,
        packets=1,
        acks=0,
        states=(one.state[0], one.state[1]),
    )


_SENT_AGAIN = ((SYN | ACK, "SYN,ACK sent again"), (SYN, "SYN sent again"), (FIN, "FIN sent again"))


def _repeated(segment: Segment, words: tuple[tuple[int, str], ...]) -> str:
    return next((word for flags, word in words if segment.flags & flags == flags), "retransmission")


def _reset(before: _Before, after: _Before) -> str:
    if after.resetter != before.resetter:
        return "reset: both ends are closed at once"
    if after.notes & Note.CHALLENGED & ~before.notes:
        return "not obeyed: inside the window, but not the next number (RFC 5961)"
    return "not obeyed: both ends are closed" if set(before.state) == {State.CLOSE} else "not obeyed: a wrong number"


def _refused(before: _Before, after: _Before) -> list[str]:
    new = after.notes & ~before.notes
    found = ["dropped: a wrong number"] if new & Note.IGNORED else []
    return [*found, *(["challenge ACK: the SYN is not taken (RFC 5961)"] if new & Note.CHALLENGED else [])]


def _window(before: _Before, segment: Segment, sender: int) -> list[str]:
    if segment.flags & SYN:
        return []
    if segment.window == 0:
        return ["window 0: nothing more may be sent to it"] if before.window[sender] else []
    return ["the window is open again"] if before.window[sender] == 0 else []


def _phase(before: _Before, one: Connection, flags: int) -> str:
    if one.closed_at != NONE and not one.notes & Note.REFUSED:
        return TEARDOWN
    opening = before.open_at == NONE and (flags & SYN or not one.notes & Note.MIDSTREAM)
    return HANDSHAKE if opening else DATA


def _relative(number: int, initial: int) -> int:
    """Counted from an initial number; a little below it is negative. As it is where none is known."""
    if initial == NONE:
        return number
    past = (number - initial) & 0xFFFFFFFF
    return past if past < _BELOW else past - (1 << 32)


_BELOW = (1 << 32) - (1 << 20)
"""Relative numbers from here on are those of segments from before the first that was seen."""


def _plain(step: Step) -> bool:
    return step.phase == DATA and not step.marks and not step.flags & ~(ACK | PSH)


def _joined(run: Step, step: Step) -> Step | None:
    """A run and one more: data that goes on, or bare acknowledgements."""
    alike = step.sender == run.sender and step.states == run.states and _plain(run) and _plain(step)
    if not alike or bool(step.length) != bool(run.length) or (step.length and step.seq != run.end):
        return None
    return run._replace(
        until=step.until,
        flags=run.flags | step.flags,
        ack=step.ack,
        end=step.end,
        length=run.length + step.length,
        packets=run.packets + 1,
        acks=run.acks + step.acks,
    )


def _over_acks(run: Step, acks: Step, step: Step) -> Step | None:
    """The same across bare acknowledgements that came back in between."""
    back = acks.sender != run.sender and _plain(acks) and not acks.length and acks.states == run.states
    if not back or not run.length:
        return None
    joined = _joined(run, step)
    return joined and joined._replace(acks=joined.acks + acks.packets)
