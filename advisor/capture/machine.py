"""One conversation, packet by packet: the readable machine that says which state each end is in (RFC 9293).

A capture stands at one point of the path. So the sender's state changes when its segment passes, and the receiver's at
the same moment: delivery is assumed to be immediate, and an acknowledgement that says otherwise is believed instead.
"""

from __future__ import annotations

from collections.abc import Callable

from advisor.capture import exchange, handshake, reset
from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.exchange import CUT, Gap
from advisor.capture.segments import ACK, FIN, RST, SYN, Segment, port
from advisor.capture.serial import ahead
from advisor.catalog.tcp import State


def no_gap(_port: int, _length: int, _end: int) -> None:
    """For those who ask for states only."""


def no_connection(_: Connection) -> None:
    """For those who ask for what is going on only."""


class Conversation:
    """What two endpoints say to each other: one connection after another, and an attempt at the next one beside it.

    Args:
        ends: the two endpoints, the lower one first.
        over: takes each connection that a later one has replaced.
        gap: takes each idle gap.
    """

    __slots__ = ("attempt", "current", "ends", "gap", "over")

    def __init__(self, ends: tuple[int, int], over: Callable[[Connection], None], gap: Gap = no_gap) -> None:
        self.ends = ends
        self.over = over
        self.gap = gap
        self.current: Connection | None = None
        self.attempt: Connection | None = None

    def step(self, segment: Segment) -> Connection:
        """The connection that a segment belongs to, as it stands behind it."""
        sender = 0 if segment.source == self.ends[0] else 1
        one = self._which(sender, segment)
        advance(one, sender, segment, self.gap)
        if one is self.attempt and one.finished:
            self.attempt = None
            self._end(one, segment.time)
        return one

    def finish(self, time: int) -> None:
        """The capture has ended, at ``time``: hand over what is left."""
        for one in (self.current, self.attempt):
            if one is not None:
                self._end(one, time)
        self.current = self.attempt = None

    def give_up(self, time: int) -> None:
        """Watch no attempt beside the current connection any more."""
        if self.attempt is not None:
            self._end(self.attempt, time)
            self.attempt = None

    def _end(self, one: Connection, time: int) -> None:
        finish(one, time, self.gap)
        self.over(one)

    def _which(self, sender: int, segment: Segment) -> Connection:
        current, attempt = self.current, self.attempt
        flags = segment.flags
        if current is None:
            self.current = Connection(self.ends, segment.frame, segment.time)
            return self.current
        if flags & (SYN | ACK | RST) == SYN:
            return self._for_syn(current, sender, segment)
        if attempt is not None and handshake.belongs(attempt, current, sender, segment):
            if not flags & RST:
                current.notes |= 0 if current.finished else Note.SUPERSEDED
                self._end(current, segment.time)
                self.current, self.attempt = attempt, None
            return attempt
        if flags & (SYN | RST) == SYN and current.finished and segment.seq != current.isn[sender]:
            # It answers a SYN that the capture lacks, unless it answers that of the old one, late.
            late = segment.ack == ahead(current.isn[1 - sender], 1)
            return current if late else self._next(current, segment)
        return current

    def _for_syn(self, current: Connection, sender: int, segment: Segment) -> Connection:
        attempt = self.attempt
        if segment.seq == current.isn[sender] or handshake.splits(current, sender):
            return current
        if attempt is not None and segment.seq == attempt.isn[sender]:
            return attempt
        if current.finished or current.state[current.client] == State.SYN_SENT:
            return self._next(current, segment)
        if attempt is not None:
            self._end(attempt, segment.time)
        self.attempt = Connection(self.ends, segment.frame, segment.time)
        self.attempt.notes = int(Note.REUSED)
        return self.attempt

    def _next(self, current: Connection, segment: Segment) -> Connection:
        self._end(current, segment.time)
        self.current = Connection(self.ends, segment.frame, segment.time)
        self.current.notes = int(Note.REUSED)
        return self.current


def advance(one: Connection, sender: int, segment: Segment, gap: Gap) -> None:
    """Move a connection on by one segment of its own."""
    one.packets[sender] += 1
    one.bytes[sender] += segment.length
    one.last = max(one.last, segment.time)
    flags = segment.flags
    if flags & RST:
        one.rsts[sender] += 1
        if reset.obeyed(one, sender, segment):
            exchange.moves(one, segment.time)
            exchange.closes(one, sender, segment.time, gap)
            reset.reset(one, sender)
        return
    if flags & SYN:
        one.syns[sender] += 1
        one.fins[sender] += flags & FIN  # counted, but no end: Linux drops a SYN with it (tcp_rcv_state_process)
        if handshake.syn(one, sender, segment):
            exchange.moves(one, segment.time)
    elif handshake.assume(one, sender, segment):
        exchange.exchange(one, sender, segment, gap)
    one.window[sender] = segment.window
    one.zero_windows[sender] += segment.window == 0 and not flags & SYN
    if one.open_at == NONE and one.syn_at != NONE and _open(one):
        one.open_at = segment.time


def finish(one: Connection, time: int, gap: Gap) -> None:
    """Close the books of a connection at a time: the gap that is cut off, and states that nothing has shown."""
    if one.closer == NONE and one.turn == 1 - one.client:
        gap(port(one.ends[1 - one.client]), max(0, time - one.turn_at), CUT)
    server = 1 - one.client
    if one.state[server] == State.SYN_RECV and one.acked[one.client] == NONE:
        if one.state[one.client] == State.ESTABLISHED:
            one.state[one.client] = State.SYN_SENT
        if not one.syns[server]:
            one.state[server] = NONE


def _open(one: Connection) -> bool:
    early = (State.SYN_SENT, State.SYN_RECV, State.CLOSE, NONE)
    return one.state[0] not in early and one.state[1] not in early
