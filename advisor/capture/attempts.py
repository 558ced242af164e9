"""Flows of a chunk that hold nothing but SYNs, and perhaps the RST that refuses them: no packet of theirs is odd."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.capture.chunk import Chunk, either
from advisor.capture.columns import Columns
from advisor.capture.connection import Note
from advisor.capture.segments import ACK, RST, SYN
from advisor.catalog.tcp import State

_ONE = np.uint32(1)


class Attempts:
    """Handshakes that go unanswered or are refused in this chunk.

    Args:
        chunk: the packets.
        rows: the columns.
        fresh: the flows that had no connection before.
        left: the flows that are not to be looked at.

    Attributes:
        mask: the flows that are such attempts.
    """

    def __init__(self, chunk: Chunk, rows: Columns, fresh: NDArray[np.bool_], left: NDArray[np.bool_]) -> None:
        self._chunk, self._rows = chunk, rows
        begins = fresh & (chunk.flags.take(chunk.start) & (SYN | ACK | RST) == SYN)
        some = np.flatnonzero((begins | (~fresh & either(rows.state == State.SYN_SENT))) & ~left)
        new, start, last, count = begins[some], chunk.start[some], chunk.last[some], chunk.count[some]
        opener = np.where(new, chunk.side[start], rows.client[some].astype(np.int64))
        waits = (rows.state[some, opener] == State.SYN_SENT) & (rows.syns[some, 1 - opener] == 0)
        waits &= (rows.packets[some, 1 - opener] == 0) & (rows.early[some] == 0)
        isn = np.where(new, chunk.seq[start], rows.isn[some, opener].astype(np.uint32))
        place = np.full(len(fresh), -1)
        place[some] = np.arange(len(some))
        bare = chunk.syn[chunk.flags[chunk.syn] & ACK == 0]
        bare = bare[place[chunk.flow[bare]] >= 0]
        of = place[chunk.flow[bare]]
        same = (chunk.seq[bare] == isn[of]) & (chunk.side[bare] == opener[of]) & (chunk.length[bare] == 0)
        syns = np.bincount(of[same], minlength=len(some))
        refuses = (chunk.flags[last] & (SYN | RST | ACK) == RST | ACK) & (chunk.ack[last] == isn + _ONE)
        refused = refuses & (chunk.side[last] != opener) & (syns == count - 1) & (~new | (syns > 0))
        good = np.flatnonzero((new | waits) & (refused | (syns == count)))
        self._flows, self._new, self._opener = some[good], new[good], opener[good]
        self._isn, self._syns, self._refused = isn[good], syns[good], refused[good]
        self.mask = np.zeros_like(fresh)
        self.mask[self._flows] = True

    def apply(self) -> None:
        """Write what they are into the columns."""
        chunk, rows = self._chunk, self._rows
        self._begin(self._flows[self._new], self._opener[self._new], self._isn[self._new])
        flows, opener = self._flows, self._opener
        again = (self._syns - self._new).astype(np.int32)
        rows.packets[flows, opener] += self._syns
        rows.syns[flows, opener] += self._syns.astype(np.int32)
        rows.repeats[flows, opener] += again
        rows.syn_repeats[flows, opener] += again
        rows.last[flows] = np.maximum(rows.last[flows], chunk.latest()[flows])
        self._refuse(flows[self._refused], 1 - opener[self._refused])

    def _begin(self, flows: NDArray[np.int64], opener: NDArray[np.int64], isn: NDArray[np.uint32]) -> None:
        chunk, rows = self._chunk, self._rows
        start, other = chunk.start[flows], 1 - opener
        rows.client[flows] = opener
        rows.frame[flows] = chunk.segments.frame[chunk.order[start]]
        rows.first[flows] = rows.moved_at[flows] = rows.syn_at[flows] = rows.last[flows] = chunk.time[start]
        rows.isn[flows, opener] = isn
        rows.end[flows, opener] = rows.got[flows, other] = isn + _ONE
        rows.state[flows, opener] = State.SYN_SENT
        rows.state[flows, other] = State.SYN_RECV

    def _refuse(self, flows: NDArray[np.int64], server: NDArray[np.int64]) -> None:
        chunk, rows = self._chunk, self._rows
        end = chunk.last[flows]
        time = chunk.time[end]
        rows.packets[flows, server] += 1
        rows.bytes[flows, server] += chunk.length[end]
        rows.rsts[flows, server] += 1
        rows.idle[flows] = np.maximum(rows.idle[flows], time - rows.moved_at[flows])
        rows.moved_at[flows] = rows.closed_at[flows] = time
        rows.closer[flows] = rows.resetter[flows] = server
        rows.notes[flows] |= int(Note.REFUSED)
        rows.state[flows] = State.CLOSE
