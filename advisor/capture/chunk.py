"""One chunk of segments, ordered by connection, with what can be said of each packet from those before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.capture.segments import FIN, RST, SYN, Segments

FAR = 1 << 30
"""Numbers further apart than this are compared packet by packet: half of half of the circle."""

_LANE = 1 << 34
"""Wider than all that one connection's numbers can span in a chunk: keeps running maxima of neighbours apart."""


class Chunk:
    """The segments of one chunk; a *flow* is a run of them, all that one pair of endpoints sent, in file order.

    Attributes:
        row: the row of each flow; start, count: where its run begins and how long it is; flow: of each packet.
        order: where each packet stood in the file's order.
        side: 0 when the lower endpoint sent it, 1 otherwise; pair: ``2 * flow + side``.
        seq, ack, flags, length, time: as in `Segments`.
    """

    def __init__(self, segments: Segments, rows: NDArray[np.int64]) -> None:
        self.segments = segments
        side = segments.source > segments.target
        key = (rows << 33) | (np.arange(len(rows)) << 1) | side
        key.sort()
        self.side = (key & 1).astype(np.int8)
        self.order = (key >> 1) & 0xFFFFFFFF
        row = key >> 33
        self.start = np.flatnonzero(np.concatenate(([True], row[1:] != row[:-1])))
        self.count = np.diff(np.append(self.start, len(row)))
        self.last = self.start + self.count - 1
        self.row = row[self.start]
        self.flow = np.repeat(np.arange(len(self.row)), self.count)
        self.pair = self.flow * 2 + self.side
        self.seq = segments.seq[self.order]
        self.ack = segments.ack[self.order]
        self.flags = segments.flags[self.order]
        self.length = segments.length[self.order]
        self.time = segments.time[self.order]

    def __len__(self) -> int:
        return len(self.flow)

    def first_of(self, packets: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each flow, the first of some packets (ascending); -1 where it has none of them."""
        first = np.full(len(self.row), -1)
        first[self.flow[packets[::-1]]] = packets[::-1]
        return first

    def first_by_pair(self, packets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same for each flow and side: shape (flows, 2)."""
        first = np.full(2 * len(self.row), -1)
        first[self.pair[packets[::-1]]] = packets[::-1]
        return first.reshape(-1, 2)

    def per_pair(self, packets: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many of some packets each flow and side sent: shape (flows, 2)."""
        return np.bincount(self.pair[packets], minlength=2 * len(self.row)).reshape(-1, 2)


class Numbers:
    """Sequence numbers of a chunk, relative to where each end stood before it.

    Args:
        chunk: the packets.
        base: for each flow and side, the number that counts as 0: shape (flows, 2).

    Attributes:
        seq: of each packet; until: behind all that it carries; ack: relative to the other side's base.
        mine: the highest number its sender had reached before it; other: likewise its receiver.
        top: for each flow and side, the highest number reached: shape (flows, 2).
    """

    def __init__(self, chunk: Chunk, base: NDArray[np.uint32]) -> None:
        flat = base.reshape(-1)
        self.seq = (chunk.seq - flat[chunk.pair]).view(np.int32).astype(np.int64)
        self.ack = (chunk.ack - flat[chunk.pair ^ 1]).view(np.int32).astype(np.int64)
        flags = chunk.flags
        reset = flags & RST != 0
        self.carries = chunk.length + (flags & (FIN | SYN) != 0)
        if reset.any():
            self.carries[reset] = 0
        self.until = self.seq + self.carries
        lane = chunk.flow * _LANE
        before = []
        tops = []
        for side in (0, 1):
            high = np.where((chunk.side == side) & ~reset, self.until, -FAR) + lane
            np.maximum.accumulate(high, out=high)
            earlier = np.empty_like(high)
            earlier[0] = 0
            np.maximum(high[:-1], lane[1:], out=earlier[1:])
            earlier -= lane
            before.append(earlier)
            tops.append(np.maximum(high[chunk.last] - lane[chunk.last], 0))
        first = chunk.side == 0
        self.mine = np.where(first, before[0], before[1])
        self.other = np.where(first, before[1], before[0])
        self.top = np.stack(tops, 1)
