"""Connections that go by the book, a whole chunk at a time.

Where no number is missing and none is out of place, the state of an end follows from four questions: did it send a FIN,
was that acknowledged, has the other's arrived, and did it arrive first. So no packet needs to be looked at by itself.
Whatever leaves the book is *odd*, and goes through `advisor.capture.machine`, which is always right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from advisor.capture.chunk import FAR, NEVER, Chunk, Numbers, either
from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Note
from advisor.capture.exchange import CLIENT_CLOSED, GOODBYE, LAST_WORD, REUSED, SERVER_CLOSED
from advisor.capture.handshake import EDGES
from advisor.capture.openings import Openings
from advisor.capture.segments import ACK, RST, SYN
from advisor.catalog.tcp import TRANSITIONS, Event, State

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Gaps = Callable[[Ints, Ints, NDArray[np.int8]], None]
"""Takes idle gaps: the servers' ports, lengths in nanoseconds, and how they ended."""

_ONE = np.uint32(1)


def _states() -> NDArray[np.int8]:
    """The state of an end that was ESTABLISHED, by sent | acked << 1 | arrived << 2 | passive << 3."""
    found = []
    for bits in range(16):
        sent, acked, arrived, passive = (bool(bits >> bit & 1) for bit in range(4))
        events = [(arrived and passive, Event.GET_FIN), (sent, Event.SEND_FIN)]
        events += [(acked, Event.FIN_ACKED), (arrived and not passive, Event.GET_FIN)]
        state = State.ESTABLISHED
        for happened, event in events:
            if happened:
                state = TRANSITIONS.get((state, event), state)
        found.append(state)
    return np.array(found, np.int8)


_STATES = _states()


class Usual:
    """The flows of a chunk that can be told at once.

    Args:
        chunk: the packets.
        rows: the columns.
        fresh: the flows that had no connection before.
        left: the flows that are not to be looked at.

    Attributes:
        mask: the flows that are usual; all others are odd.
    """

    def __init__(self, chunk: Chunk, rows: Columns, fresh: Mask, left: Mask) -> None:
        self._chunk, self._rows = chunk, rows
        self._opens = Openings(chunk, rows, fresh, left)
        self._joins = fresh & (chunk.flags[chunk.start] & (SYN | RST | ACK) == ACK) & ~left
        self._on = ~fresh & ~left & ~self._opens.mask
        self._on[self._on] &= self._in_order()[self._on]
        self._bases()
        self._numbers = Numbers(chunk, self._base)
        odd = ~(self._opens.mask | self._joins | self._on)
        self._closing()
        odd |= self._misplaced()
        odd |= self._late()
        self.mask = ~odd

    def _in_order(self) -> Mask:
        """The connections with nothing missing, and a state that the book knows."""
        good: Mask
        rows = self._rows
        end, got, fin, state = rows.end, rows.got, rows.fin, rows.state
        good = (end != NONE) & (got[:, ::-1] == end) & ((fin == NONE) | (fin == end))
        acked = rows.acked
        sent = fin != NONE
        answered = sent & (acked[:, ::-1] == fin)
        passive = (state == State.LAST_ACK) | (state == State.CLOSE)
        good &= _STATES[sent | answered << 1 | sent[:, ::-1] << 2 | passive << 3] == state
        good[:, 0] &= (rows.resetter == NONE) & (rows.notes & int(Note.LATE_DATA) == 0)
        good[:, 0] &= (rows.open_at != NONE) | (rows.syn_at == NONE)
        return np.logical_and(good[:, 0], good[:, 1])

    def _bases(self) -> None:
        """The number of each side that counts as 0, and how much of it the other has acknowledged."""
        chunk, rows = self._chunk, self._rows
        self._base = self._opens.base
        flows = np.flatnonzero(self._joins)
        first, start = chunk.side[chunk.start[flows]], chunk.start[flows]
        self._base[flows, first] = chunk.seq[start]
        self._base[flows, 1 - first] = chunk.ack[start]
        acked = rows.acked
        ahead = (acked.astype(np.uint32) - self._base[:, ::-1]).view(np.int32).astype(np.int64)
        self._acked = np.where(acked == NONE, NEVER, ahead)

    def _closing(self) -> None:
        """FINs and RSTs: where the first ones stand, and up to which number each side's FIN reaches."""
        chunk, rows = self._chunk, self._rows
        self._reset_at = chunk.first_of(chunk.rst)
        before = self._on[:, None] & (rows.fin != NONE)
        self._fin_at = np.where(before, NONE, chunk.first_by_pair(chunk.fin))
        self._fin_before = before
        there = self._fin_at >= 0
        self._fin_to = np.where(there, self._numbers.until[self._fin_at], 0)
        self._has_fin = before | there
        self._over = self._on & (rows.closer != NONE)
        behind = len(chunk)
        at = np.where(there, self._fin_at, behind)
        self._close_at = np.minimum(
            np.minimum(at[:, 0], at[:, 1]), np.where(self._reset_at >= 0, self._reset_at, behind)
        )

    def _misplaced(self) -> Mask:
        """Flows with a packet whose numbers are not where the book has them."""
        chunk, numbers = self._chunk, self._numbers
        bad = numbers.seq > numbers.mine
        bad |= numbers.ack > numbers.other
        bad |= np.minimum(numbers.seq, numbers.ack) < -FAR
        bad |= chunk.flags & ACK == 0
        bad[chunk.rst] = numbers.seq[chunk.rst] != numbers.mine[chunk.rst]
        bad[chunk.syn] = ~self._opens.mask[chunk.flow[chunk.syn]]
        odd = np.zeros(len(chunk.row), np.bool_)
        odd[chunk.flow[np.flatnonzero(bad)]] = True
        odd |= either(numbers.top > FAR)
        return odd

    def _late(self) -> Mask:
        """Flows in which something comes behind a FIN or a RST that should not."""
        chunk, numbers = self._chunk, self._numbers
        odd: Mask = either(self._has_fin & (numbers.top > self._fin_to))
        fins = self._fin_at >= 0
        at = self._fin_at[fins]
        stale = np.zeros_like(fins)
        stale[fins] = numbers.until[at] <= numbers.mine[at]
        odd |= either(stale)
        resets = np.bincount(chunk.flow[chunk.rst], minlength=len(odd))
        odd |= (self._reset_at >= 0) & (resets != chunk.last - self._reset_at + 1)
        odd |= self._opens.mask & (self._reset_at >= 0) & (self._opens.done_at < 0)
        self._new = np.flatnonzero(numbers.until > numbers.mine)
        self._told = self._new.take(np.flatnonzero(chunk.length.take(self._new)))
        flow = chunk.flow.take(self._told)
        close_at = np.where(self._over, -1, self._close_at)
        odd[flow[np.flatnonzero(self._told > close_at.take(flow))]] = True
        return odd

    def apply(self, gaps: Gaps) -> None:
        """Write what happened into the columns; what stands there for other flows has no meaning any more."""
        self._begin()
        self._opens.begin()
        self._count()
        self._move()
        self._turns(gaps)
        self._settle()

    def _begin(self) -> None:
        chunk, rows = self._chunk, self._rows
        flows = np.flatnonzero(self._opens.fresh | self._joins)
        start = chunk.start[flows]
        rows.frame[flows] = chunk.segments.frame[chunk.order[start]]
        rows.first[flows] = rows.moved_at[flows] = rows.last[flows] = chunk.time[start]
        flows = np.flatnonzero(self._joins)
        first = chunk.side[chunk.start[flows]]
        rows.isn[flows] = self._base[flows] - _ONE
        rows.notes[flows] |= int(Note.MIDSTREAM | Note.GUESSED)
        ports = rows.ends[flows] & np.uint64(0xFFFF)
        mine, other = (np.take_along_axis(ports, side[:, None], 1)[:, 0] for side in (first, 1 - first))
        below = [(mine < edge, other < edge) for edge in EDGES]
        served = np.where(below[0][0] != below[0][1], below[0][0], below[1][0] & ~below[1][1])
        rows.client[flows] = np.where(served, 1 - first, first)

    def _count(self) -> None:
        chunk, rows, numbers = self._chunk, self._rows, self._numbers
        upper = np.add.reduceat(chunk.side, chunk.start)
        rows.packets[:, 0] += chunk.count - upper
        rows.packets[:, 1] += upper
        rows.bytes[:] += chunk.sums(chunk.length)
        np.maximum(rows.last, chunk.latest(), out=rows.last)
        probes = numbers.probes(self._acked, self._fin_at, self._fin_before)
        again = np.flatnonzero((numbers.carries > 0) & (numbers.until <= numbers.mine))
        again = np.setdiff1d(again, probes, assume_unique=True) if len(probes) else again
        syn_again = chunk.syn[numbers.until[chunk.syn] <= numbers.mine[chunk.syn]]
        shut = np.flatnonzero(chunk.segments.window == 0)
        if len(shut):
            shut = np.flatnonzero(chunk.segments.window.take(chunk.order) == 0)
            shut = shut[chunk.flags[shut] & (SYN | RST) == 0]
        kinds = {"repeats": again, "probes": probes, "syns": chunk.syn, "syn_repeats": syn_again}
        kinds |= {"fins": chunk.fin, "rsts": chunk.rst, "zero_windows": shut}
        for name, packets in kinds.items():
            if len(packets) < len(chunk.row) // 4:
                np.add.at(getattr(rows, name), (chunk.flow[packets], chunk.side[packets]), 1)
            else:
                column = getattr(rows, name)
                column += chunk.per_pair(packets).astype(column.dtype)

    def _move(self) -> None:
        """The longest time between two packets that carry anything new."""
        chunk, rows = self._chunk, self._rows
        resets = self._reset_at[self._reset_at >= 0]
        new = np.sort(np.concatenate((self._new, resets))) if len(resets) else self._new
        if not len(new):
            return
        flow, time = chunk.flow.take(new), chunk.time.take(new)
        start = np.flatnonzero(np.concatenate(([True], flow[1:] != flow[:-1])))
        here = flow[start]
        waited = np.diff(time, prepend=0)
        waited[start] = time[start] - rows.moved_at[here]
        rows.idle[here] = np.maximum(rows.idle[here], np.maximum.reduceat(waited, start))
        rows.moved_at[here] = time[np.append(start[1:], len(time)) - 1]

    def _turns(self, gaps: Gaps) -> None:
        """Who sent new payload last, and the idle gaps between an answer and what came next."""
        chunk, rows = self._chunk, self._rows
        told = self._told
        flow, side, time = chunk.flow.take(told), chunk.side.take(told), chunk.time.take(told)
        if len(told):
            start = np.flatnonzero(np.concatenate(([True], flow[1:] != flow[:-1])))
            turn, since = np.concatenate(([0], side[:-1])), np.concatenate(([0], time[:-1]))
            turn[start], since[start] = rows.turn[flow[start]], rows.turn_at[flow[start]]
            client = rows.client.take(flow)
            ends = np.flatnonzero((side == client) & (turn == 1 - client))
            ends = ends[self.mask[flow[ends]]]
            self._gap(gaps, flow[ends], time[ends] - since[ends], np.full(len(ends), REUSED, np.int8))
            turned = side != turn
            stays = ~turned & (side != client) & (time - since >= LAST_WORD)
            since[turned & ((side != client) | (turn == NONE))] = NONE
            set_at = np.maximum.reduceat(np.where(turned | stays, np.arange(len(told)), NONE), start)
            rows.before[flow[start[set_at >= 0]]] = since[set_at[set_at >= 0]]
            stop = np.append(start[1:], len(told)) - 1
            rows.turn[flow[stop]], rows.turn_at[flow[stop]] = side[stop], time[stop]
        closed = np.flatnonzero(self.mask & ~self._over & (self._close_at < len(chunk)))
        at = self._close_at[closed]
        rows.closer[closed], rows.closed_at[closed] = chunk.side[at], chunk.time[at]
        self._closes(gaps, closed, chunk.side[at], chunk.time[at])

    def _closes(self, gaps: Gaps, flows: Ints, closer: Ints, time: Ints) -> None:
        """The idle gaps that a close ends, as `advisor.capture.exchange.closes` has them for one."""
        rows = self._rows
        turn, turn_at, before, client = (getattr(rows, name)[flows] for name in ("turn", "turn_at", "before", "client"))
        said = (before != NONE) & (time - turn_at < LAST_WORD)
        idle = turn == 1 - client
        how = np.where((closer == client) & ~said, CLIENT_CLOSED, SERVER_CLOSED).astype(np.int8)
        self._gap(gaps, flows[idle], (time - np.where(said, before, turn_at))[idle], how[idle])
        bye = said & ~idle
        self._gap(gaps, flows[bye], (turn_at - before)[bye], np.full(np.count_nonzero(bye), GOODBYE, np.int8))

    def _gap(self, gaps: Gaps, flows: Ints, length: Ints, how: NDArray[np.int8]) -> None:
        if len(flows):
            server = self._rows.ends[flows, 1 - self._rows.client[flows].astype(np.int64)]
            gaps((server & np.uint64(0xFFFF)).astype(np.int64), np.maximum(length, 0), how)

    def _settle(self) -> None:
        """The numbers that each end has reached, and so its state."""
        rows, numbers, base = self._rows, self._numbers, self._base
        acked = numbers.acked(self._acked)
        rows.acked[:] = np.where(acked < -2 * FAR, NONE, (base[:, ::-1] + acked.astype(np.uint32)).astype(np.int64))
        end = (base + numbers.top.astype(np.uint32)).astype(np.int64)
        rows.end[:], rows.got[:] = end, end[:, ::-1]
        sent = self._has_fin
        rows.fin[:] = np.where(sent, end, NONE)
        answered = sent & (acked[:, ::-1] >= self._fin_to)
        passive, crossed = self._passive()
        rows.notes[crossed] |= int(Note.CROSSED)
        rows.state[:] = _STATES[sent | answered << 1 | sent[:, ::-1] << 2 | passive << 3]
        waits = np.flatnonzero(self._opens.mask & (self._opens.done_at < 0))
        rows.state[waits, 1 - self._opens.client[waits]] = State.SYN_RECV
        self._resets(np.flatnonzero(self._reset_at >= 0))

    def _passive(self) -> tuple[NDArray[np.bool_], Ints]:
        """Which ends had the other's FIN before they sent their own; and where both were on their way at once."""
        state, at, before, to = self._rows.state, self._fin_at, self._fin_before, self._fin_to
        now = at >= 0
        second = now & (before[:, ::-1] | (now[:, ::-1] & (at[:, ::-1] < at)))
        unseen = second & (self._numbers.ack[at] < to[:, ::-1])
        held = before & ((state == State.LAST_ACK) | (state == State.CLOSE))
        return held | (second & ~unseen), np.flatnonzero(either(unseen))

    def _resets(self, flows: Ints) -> None:
        chunk, rows = self._chunk, self._rows
        sender = chunk.side[self._reset_at[flows]]
        cut = flows[rows.state[flows, 1 - sender] == State.TIME_WAIT]
        rows.notes[cut] |= int(Note.CUT_SHORT)
        rows.resetter[flows] = sender
        rows.state[flows] = State.CLOSE
