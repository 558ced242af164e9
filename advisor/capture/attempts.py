"""Flows of a chunk that hold nothing but SYNs, and perhaps the RST that refuses them: no packet of theirs is odd."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.capture.chunk import Chunk
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
        self._chunk, self._rows, self._fresh = chunk, rows, fresh
        state = rows.state
        client = rows.client.astype(np.int64)
        flows = np.arange(len(chunk.row))
        waits = (state[flows, client] == State.SYN_SENT) & (rows.syns[flows, 1 - client] == 0)
        waits &= (rows.packets[flows, 1 - client] == 0) & (rows.early == 0)
        self.opener = np.where(fresh, chunk.side[chunk.start], client)
        isn = np.where(fresh, chunk.seq[chunk.start], rows.isn[flows, client].astype(np.uint32))
        syns = chunk.syn[chunk.flags[chunk.syn] & ACK == 0]
        of = chunk.flow[syns]
        same = (chunk.seq[syns] == isn[of]) & (chunk.side[syns] == self.opener[of]) & (chunk.length[syns] == 0)
        self.syns = np.bincount(of[same], minlength=len(chunk.row))
        self.isn = isn
        end = chunk.last
        refuses = (chunk.flags[end] & (SYN | RST | ACK) == RST | ACK) & (chunk.ack[end] == isn + _ONE)
        refuses &= chunk.side[end] != self.opener
        own = (fresh | waits) & ~left
        self.refused = own & refuses & (self.syns == chunk.count - 1) & (~fresh | (self.syns > 0))
        self.mask = self.refused | (own & (self.syns == chunk.count))

    def apply(self) -> None:
        """Write what they are into the columns."""
        chunk, rows = self._chunk, self._rows
        new = np.flatnonzero(self.mask & self._fresh)
        row, opener, start = new, self.opener[new], chunk.start[new]
        other = 1 - opener
        rows.client[row] = opener
        rows.frame[row] = chunk.segments.frame[chunk.order[start]]
        rows.first[row] = rows.moved_at[row] = rows.syn_at[row] = rows.last[row] = chunk.time[start]
        rows.isn[row, opener] = self.isn[new]
        rows.end[row, opener] = rows.got[row, other] = self.isn[new] + _ONE
        rows.state[row, opener] = State.SYN_SENT
        rows.state[row, other] = State.SYN_RECV
        flows = np.flatnonzero(self.mask)
        row, opener = flows, self.opener[flows]
        again = self.syns[flows] - self._fresh[flows]
        rows.packets[row, opener] += self.syns[flows]
        rows.syns[row, opener] += self.syns[flows].astype(np.int32)
        rows.repeats[row, opener] += again.astype(np.int32)
        rows.syn_repeats[row, opener] += again.astype(np.int32)
        rows.last[row] = np.maximum(rows.last[row], chunk.latest()[flows])
        self._refuse(np.flatnonzero(self.refused))

    def _refuse(self, flows: NDArray[np.int64]) -> None:
        chunk, rows = self._chunk, self._rows
        row, server, end = flows, 1 - self.opener[flows], chunk.last[flows]
        time = chunk.time[end]
        rows.packets[row, server] += 1
        rows.bytes[row, server] += chunk.length[end]
        rows.rsts[row, server] += 1
        rows.idle[row] = np.maximum(rows.idle[row], time - rows.moved_at[row])
        rows.moved_at[row] = rows.closed_at[row] = time
        rows.closer[row] = rows.resetter[row] = server
        rows.notes[row] |= int(Note.REFUSED)
        rows.state[row] = State.CLOSE
