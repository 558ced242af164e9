"""All connections of a capture, chunk by chunk: the usual ones at once, the odd ones packet by packet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from advisor.capture.attempts import Attempts
from advisor.capture.chunk import FAR, Chunk, either
from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.exchange import CUT
from advisor.capture.flows import Flows
from advisor.capture.machine import Conversation, no_connection
from advisor.capture.segments import ACK, FIN, RST, SYN, Segment, Segments
from advisor.capture.usual import Usual
from advisor.catalog.tcp import State

MANY = 1 << 17
"""Connections held before those that are over are handed on early."""

_BATCH = 1 << 15
"""Segments that are gone through at once, at least."""

_TAKEN = 1 << 14
"""Connections that are handed over at once, at most."""

_MOST_AT_ONCE = 1 << 17
"""Segments that are gone through at once, at most."""

_BESIDE = 4096
"""Attempts at a next connection that are watched beside a live one; the earliest are given up."""

_QUIET_NS = 180_000_000_000
"""After so long no packet is expected for a connection that is over, nor for a SYN without an answer."""


class Gaps(Protocol):
    """Takes idle gaps by the batch."""

    def add(self, ports: NDArray[np.int64], lengths: NDArray[np.int64], ends: NDArray[np.int8], /) -> None:
        """The servers' ports, lengths in nanoseconds, and how each ended (see `advisor.capture.exchange`)."""


class Tracker:
    """Tells segments apart by connection.

    Args:
        sink: takes connections that are over, each once, and at `finish` all others.
        gaps: takes the idle gaps.

    Attributes:
        first, last: the earliest and the latest time met, in nanoseconds; `NONE` before any.
        connections: how many there were.
        forgotten: connections that were handed over before their end was seen, since there were too many at once.
        odd: packets that were looked at one by one.
    """

    def __init__(self, sink: Callable[[Columns], None], gaps: Gaps) -> None:
        self.first = self.last = NONE
        self.connections = self.odd = self.forgotten = 0
        self._sink = sink
        self._gaps = gaps
        self._flows = Flows()
        self._enough = MANY
        self._beside: dict[int, Conversation] = {}
        self._waiting: list[Segments] = []
        self._waits = 0

    def feed(self, segments: Segments) -> None:
        """Take some more segments; how many at a time makes no difference to what comes out."""
        self._waiting.append(segments)
        self._waits += len(segments.frame)
        if self._waits >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Go through what has come: many at a time, since numpy's calls cost more than their work on few."""
        waiting, self._waiting, self._waits = self._waiting, [], 0
        if waiting:
            self._take(waiting[0] if len(waiting) == 1 else Segments.join(waiting))

    def _take(self, segments: Segments) -> None:
        size = len(segments.frame)
        if not size:
            return
        if size > 1 and (size > _MOST_AT_ONCE or int(segments.length.sum()) > FAR):
            self._take(segments.part(0, size // 2))
            self._take(segments.part(size // 2, size))
            return
        self._evict(size)
        self._span(segments.time)
        chunk = Chunk(segments, self._flows)
        here = self._flows.rows.take(chunk.row)
        fresh = np.zeros(self._flows.used, np.bool_)
        fresh[chunk.new] = True
        fresh = fresh[chunk.row]
        left = here.ends[:, 0] == here.ends[:, 1]
        left[chunk.flow[chunk.syn[chunk.flags[chunk.syn] & FIN != 0]]] = True
        if self._beside:
            left |= np.isin(chunk.row, np.fromiter(self._beside, np.int64))
        again = self._again(chunk, here, fresh | left)
        begins = fresh | again
        attempts = Attempts(chunk, here, begins, left)
        usual = Usual(chunk, here, begins, left | attempts.mask)
        told = usual.mask | attempts.mask
        if again.any():
            self._hand_over(chunk.row[again & told])
        attempts.apply()
        self._flows.rows.give(chunk.row[attempts.mask], here.take(attempts.mask))
        usual.apply(self._gaps.add)
        flows = np.flatnonzero(usual.mask)
        self._flows.rows.give(chunk.row[flows], here.take(flows))
        begun = chunk.row[begins & told]
        if told.all():
            self._number(begun, [])
        else:
            self._one_by_one(chunk, np.flatnonzero(~told), fresh, begun)

    def _again(self, chunk: Chunk, here: Columns, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The flows whose connection is over and that begin with the SYN of a new one; their columns are made ready."""
        first = chunk.flags[chunk.start]
        over = (here.state == State.CLOSE) | (here.state == State.TIME_WAIT)
        again: NDArray[np.bool_] = over[:, 0] & over[:, 1] & ~left & (first & (SYN | ACK | RST) == SYN)
        flows = np.flatnonzero(again)
        known = here.isn[flows, chunk.side[chunk.start[flows]]]
        again[flows[known == chunk.seq[chunk.start[flows]]]] = False
        flows = np.flatnonzero(again)
        ends = here.ends[flows]
        here.renew(flows)
        here.ends[flows] = ends
        here.notes[flows] = int(Note.REUSED)
        return again

    def finish(self) -> None:
        """The capture has ended: hand over every connection that is left."""
        self.flush()
        over: list[Connection] = []
        lengths: list[tuple[int, int, int]] = []
        rows = self._taken()
        for conversation in self._beside.values():
            conversation.over, conversation.gap = over.append, lambda *gap: lengths.append(gap)
            conversation.finish(self.last)
        self._beside.clear()
        self._give(lengths)
        if over:
            self._sink(Columns.of(over))
        if len(rows):
            self._hand_over(rows)

    def _span(self, times: NDArray[np.int64]) -> None:
        first, last = int(times.min()), int(times.max())
        self.first = first if self.first == NONE else min(self.first, first)
        self.last = max(self.last, last)

    def _one_by_one(
        self, chunk: Chunk, flows: NDArray[np.int64], fresh: NDArray[np.bool_], begun: NDArray[np.int64]
    ) -> None:
        """Send flows through the machine; and number what is new there and in the rows that have begun."""
        rows = self._flows.rows
        size = chunk.count[flows]
        self.odd += int(size.sum())
        packets = np.repeat(chunk.start[flows] - np.cumsum(size) + size, size) + np.arange(size.sum())
        order = chunk.order[packets]
        segments = map(Segment._make, zip(*(column[order].tolist() for column in chunk.segments), strict=True))
        lengths: list[tuple[int, int, int]] = []
        over: list[Connection] = []
        now: list[Connection] = []
        met: list[Connection] = []
        where, new = chunk.row[flows], fresh[flows]
        known = iter(rows.take(where[~new]).connections())
        for row, first, count in zip(where.tolist(), new.tolist(), size.tolist(), strict=True):
            conversation = self._beside.pop(row, None) or self._conversation(row)
            conversation.over, conversation.gap = over.append, lambda *gap: lengths.append(gap)
            stored = None if first else next(known)
            conversation.current = conversation.current or stored
            for _ in range(count):
                conversation.step(next(segments))
            if conversation.attempt is not None:
                self._beside[row] = conversation
                met.append(conversation.attempt)
            if conversation.current is not None:
                now.append(conversation.current)
        self._number(begun, [*over, *now, *met])
        rows.give(where, Columns.of(now))
        while len(self._beside) > _BESIDE:
            given_up = self._beside.pop(next(iter(self._beside)))
            given_up.over, given_up.gap = over.append, lambda *gap: lengths.append(gap)
            given_up.give_up(self.last)
        self._give(lengths)
        if over:
            self._sink(Columns.of(over))

    def _conversation(self, row: int) -> Conversation:
        low, high = self._flows.rows.ends[row].tolist()
        return Conversation((low, high), no_connection)

    def _give(self, gaps: list[tuple[int, int, int]]) -> None:
        if gaps:
            ports, lengths, ends = zip(*gaps, strict=True)
            self._gaps.add(np.array(ports), np.array(lengths), np.array(ends, np.int8))

    def _number(self, rows: NDArray[np.int64], met: list[Connection]) -> None:
        """Number the connections that began in this chunk by their first frames: in rows, and by themselves."""
        columns = self._flows.rows
        met = [one for one in met if not one.number]
        frames = np.concatenate((columns.frame[rows], np.array([one.frame for one in met], np.int64)))
        numbers = np.empty(len(frames), np.int64)
        numbers[np.argsort(frames)] = np.arange(len(frames)) + self.connections + 1
        self.connections += len(frames)
        columns.number[rows] = numbers[: len(rows)]
        for one, number in zip(met, numbers[len(rows) :].tolist(), strict=True):
            one.number = number

    def _evict(self, more: int) -> None:
        """Hand over what is over, once half as many have come as were left; without room for more, what is quietest."""
        flows = self._flows
        if flows.in_use + more <= self._enough:
            return
        rows = self._taken()
        state = flows.rows.state[rows]
        closed = (state == State.CLOSE) | (state == State.TIME_WAIT)
        over = (closed[:, 0] & closed[:, 1]) | either(state == State.SYN_SENT)
        self._drop(rows[over & (flows.rows.last[rows] < self.last - _QUIET_NS)])
        if flows.in_use + more > flows.MOST:
            rows = self._taken()
            quiet = rows[np.argsort(flows.rows.last[rows], kind="stable")[: len(rows) // 2]]
            self.forgotten += len(quiet)
            self._drop(quiet)
        self._enough = min(flows.MOST, max(MANY, flows.in_use * 3 // 2 + more))

    def _drop(self, rows: NDArray[np.int64]) -> None:
        if len(rows):
            self._hand_over(rows)
            self._flows.drop(rows)

    def _taken(self) -> NDArray[np.int64]:
        """The rows in use, but for those whose connection stands in a conversation of its own."""
        rows = self._flows.taken()
        return rows[~np.isin(rows, np.fromiter(self._beside, np.int64))] if self._beside else rows

    def _hand_over(self, rows: NDArray[np.int64]) -> None:
        """Close the books of some rows, as `advisor.capture.machine.finish` does for one; few are copied at once."""
        for first in range(0, len(rows), _TAKEN):
            self._close_books(rows[first : first + _TAKEN])

    def _close_books(self, rows: NDArray[np.int64]) -> None:
        done = self._flows.rows.take(rows)
        some = np.arange(len(rows))
        client = done.client.astype(np.int64)
        idle = np.flatnonzero((done.closer == NONE) & (done.turn == 1 - client))
        if len(idle):
            server = (done.ends[idle, 1 - client[idle]] & np.uint64(0xFFFF)).astype(np.int64)
            lengths = np.maximum(self.last - done.turn_at[idle], 0)
            self._gaps.add(server, lengths, np.full(len(idle), CUT, np.int8))
        halfway = (done.state[some, 1 - client] == State.SYN_RECV) & (done.acked[some, client] == NONE)
        unsure = np.flatnonzero(halfway & (done.state[some, client] == State.ESTABLISHED))
        done.state[unsure, client[unsure]] = State.SYN_SENT
        silent = np.flatnonzero(halfway & (done.syns[some, 1 - client] == 0))
        done.state[silent, 1 - client[silent]] = NONE
        self._sink(done)
