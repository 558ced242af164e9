"""One chunk of segments, ordered by connection, with what can be said of each packet from those before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.capture.flows import Flows, Keys
from advisor.capture.segments import ACK, FIN, RST, SYN, Segments

Ints = NDArray[np.int64]

FAR = 1 << 30
"""Numbers further apart than this are compared packet by packet: half of half of the circle."""

NEVER = -4 * FAR
"""Below every number there is, relative to a base."""

_LANE = 1 << 35
"""Wider than all that one connection's numbers can span in a chunk: keeps running maxima of neighbours apart."""


class Chunk:
    """The segments of one chunk; a *flow* is a run of them, all that one pair of endpoints sent, in file order.

    Attributes:
        row: the row of each flow; new: the rows that were none before.
        start, count, last: where each flow's run begins, how long it is, and where it ends.
        flow: of each packet; order: where it stood in the file's order.
        side: 0 when the lower endpoint sent it, 1 otherwise; pair: ``2 * flow + side``.
        seq, ack, flags, length, time: as in `Segments`.
        syn, fin, rst: the packets with a SYN and no RST; with a FIN and neither; with a RST.
    """

    def __init__(self, segments: Segments, flows: Flows) -> None:
        self.segments = segments
        low, high = np.minimum(segments.source, segments.target), np.maximum(segments.source, segments.target)
        self._sort(low, high, flows.mixed(low, high) >> np.uint64(33))
        self.row, self.new = flows.find(low.take(self.order[self.start]), high.take(self.order[self.start]))
        if not flows.differ(self.row):
            self._sort(low, high, np.repeat(self.row, self.count)[np.argsort(self.order)].view(np.uint64))
            self.row, _ = flows.find(low.take(self.order[self.start]), high.take(self.order[self.start]))
        key = self.order
        self.flow = np.repeat(np.arange(len(self.row)), self.count)
        self.pair = self.flow * 2
        self.pair += self.side
        self.seq = segments.seq.take(key)
        self.ack = segments.ack.take(key)
        self.flags = segments.flags.take(key)
        self.length = segments.length.take(key)
        self.time = segments.time.take(key)
        special = np.flatnonzero(self.flags & (FIN | SYN | RST))
        kinds = self.flags[special]
        self.rst = special[kinds & RST != 0]
        self.syn = special[kinds & (SYN | RST) == SYN]
        self.fin = special[kinds & (SYN | RST) == 0]

    def _sort(self, low: Keys, high: Keys, number: Keys) -> None:
        """Order the packets by a number of 31 bits that their pair of endpoints has, and by their place in the file.

        A pair has one number, but two pairs may have the same one; then each may come in several runs.
        """
        key = (number << np.uint64(32)).view(np.int64)
        key |= np.arange(0, 2 * len(key), 2)
        key |= self.segments.source > self.segments.target
        key.sort()
        self.side = key & 1
        key &= 0xFFFFFFFF
        key >>= 1
        self.order = key
        low, high = low.take(key), high.take(key)
        edge = np.ones(len(key), np.bool_)
        np.not_equal(low[1:], low[:-1], out=edge[1:])
        edge[1:] |= high[1:] != high[:-1]
        self.start = np.flatnonzero(edge)
        self.count = np.diff(self.start, append=len(key))
        self.last = self.start + self.count - 1

    def __len__(self) -> int:
        return len(self.flow)

    def first_of(self, packets: Ints) -> Ints:
        """For each flow, the first of some packets (ascending); -1 where it has none of them."""
        first = np.full(len(self.row), -1)
        first[self.flow[packets[::-1]]] = packets[::-1]
        return first

    def first_by_pair(self, packets: Ints) -> Ints:
        """The same for each flow and side: shape (flows, 2)."""
        first = np.full(2 * len(self.row), -1)
        first[self.pair[packets[::-1]]] = packets[::-1]
        return first.reshape(-1, 2)

    def per_pair(self, packets: Ints) -> Ints:
        """How many of some packets each flow and side sent: shape (flows, 2)."""
        return np.bincount(self.pair[packets], minlength=2 * len(self.row)).reshape(-1, 2)

    def sums(self, values: Ints) -> Ints:
        """The sum of a column for each flow and side, below 2^31 in all: shape (flows, 2)."""
        both = np.add.reduceat(values + (values * self.side << 32), self.start)
        sums: Ints = np.empty((len(self.row), 2), np.int64)
        sums[:, 1] = both >> 32
        sums[:, 0] = (both & 0xFFFFFFFF) - sums[:, 1]
        return sums

    def latest(self) -> Ints:
        """The latest time of each flow."""
        time = self.segments.time
        if (time[1:] >= time[:-1]).all():
            return self.time.take(self.last)
        latest: Ints = np.maximum.reduceat(self.time, self.start)
        return latest


def either(pairs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether one of two columns holds; quicker than any(1)."""
    found: NDArray[np.bool_] = pairs[:, 0] | pairs[:, 1]
    return found


def _apart(values: Ints, side: Ints) -> tuple[Ints, Ints]:
    """A column once for each side, where the other side's values are too low to count; quicker than np.where."""
    lowered = side * (8 * FAR)
    return values - lowered, values - 8 * FAR + lowered


class Numbers:
    """Sequence numbers of a chunk, relative to where each end stood before it.

    Args:
        chunk: the packets.
        base: for each flow and side, the number that counts as 0: shape (flows, 2).

    Attributes:
        seq: of each packet; until: behind all that it carries; ack: relative to the other side's base.
        carries: how many numbers a packet takes; none where it is a RST.
        mine: the highest number its sender had reached before it; other: likewise its receiver.
        top: for each flow and side, the highest number reached: shape (flows, 2).
    """

    def __init__(self, chunk: Chunk, base: NDArray[np.uint32]) -> None:
        self._chunk = chunk
        flat = base.reshape(-1)
        swapped = base[:, ::-1].reshape(-1)
        self.seq = (chunk.seq - flat.take(chunk.pair)).view(np.int32).astype(np.int64)
        self.ack = (chunk.ack - swapped.take(chunk.pair)).view(np.int32).astype(np.int64)
        self.carries = chunk.length.copy()
        self.carries[chunk.fin] += 1
        self.carries[chunk.syn] += 1
        self.carries[chunk.rst] = 0
        self.until = self.seq + self.carries
        reached = self.until
        if len(chunk.rst):
            reached = reached.copy()
            reached[chunk.rst] = NEVER
        lane = chunk.flow * _LANE
        before, tops = [], []
        for sent in _apart(reached + lane, chunk.side):
            high = np.maximum.accumulate(sent)
            tops.append(np.maximum(high[chunk.last] - lane[chunk.last], 0))
            sent[0] = 0
            np.maximum(high[:-1], lane[1:], out=sent[1:])
            np.subtract(sent, lane, out=sent)
            before.append(sent)
        lower, upper = before
        self.mine = (upper - lower) * chunk.side
        self.mine += lower
        self.other = lower + upper
        self.other -= self.mine
        self.top = np.stack(tops, 1)

    def acked(self, known: Ints) -> Ints:
        """The highest number that each end has acknowledged, in the other's numbers: shape (flows, 2).

        Args:
            known: those before the chunk; `NEVER` without.
        """
        chunk = self._chunk
        ack = self.ack.copy()
        ack[np.flatnonzero(chunk.flags & (ACK | RST) != ACK)] = NEVER
        found: Ints = known.copy()
        for side, said in enumerate(_apart(ack, chunk.side)):
            np.maximum(found[:, side], np.maximum.reduceat(said, chunk.start), out=found[:, side])
        return found

    def probes(self, known: Ints, fin_at: Ints, fin_before: NDArray[np.bool_]) -> Ints:
        """The keep-alive and zero-window probes: one number below what is sent, and all of that is acknowledged.

        Args:
            known: as in `acked`.
            fin_at: for each flow and side, its first FIN in the chunk, -1 without.
            fin_before: whether it had sent one before.
        """
        chunk = self._chunk
        below: Ints = np.flatnonzero((self.mine - self.seq == 1) & (chunk.length <= 1))
        below = below[chunk.flags[below] & (SYN | RST | FIN | ACK) == ACK]
        flow, side = chunk.flow[below], chunk.side[below]
        own = fin_at[flow, side]
        below = below[~fin_before[flow, side] & ((own < 0) | (own > below))]
        if not len(below):
            return below
        some = np.zeros(len(chunk.row), np.bool_)
        some[chunk.flow[below]] = True
        packets = np.flatnonzero(some.take(chunk.flow))
        lane = chunk.flow[packets] * _LANE
        ack = np.where(chunk.flags[packets] & (ACK | RST) == ACK, self.ack[packets], NEVER)
        at = np.searchsorted(packets, below)
        told = np.empty(len(below), np.int64)
        for side_ in (0, 1):
            high = np.where(chunk.side[packets] == side_, ack, NEVER) + lane
            np.maximum.accumulate(high, out=high)
            high[1:] = high[:-1]
            high[0] = NEVER
            theirs = chunk.side[below] != side_
            told[theirs] = (high - lane)[at[theirs]]
        told = np.maximum(told, known[chunk.flow[below], 1 - chunk.side[below]])
        probes: Ints = below[told == self.mine[below]]
        return probes
