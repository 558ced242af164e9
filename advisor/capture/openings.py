"""Handshakes of a chunk that go by the book: SYNs, SYN,ACKs and the ACK that completes them, sent again or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.capture.chunk import Chunk, either
from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Note
from advisor.capture.segments import ACK, RST, SYN
from advisor.catalog.tcp import State

_ONE = np.uint32(1)
_STRANGE = int(Note.MIDSTREAM | Note.SPLIT | Note.GAP | Note.EARLY_DATA)


class Openings:
    """The flows that begin, or go on with, their handshake in this chunk; each holds a SYN,ACK by now.

    Args:
        chunk: the packets.
        rows: the columns.
        fresh: the flows that had no connection before.
        left: the flows that are not to be looked at.

    Attributes:
        mask: the flows that are such.
        fresh: of these, those that begin here.
        client: which side opens, in any flow of `mask`.
        base: for each flow and side, the number that counts as 0; shape (flows, 2).
        done_at: the packet that completes the handshake; -1 where none does.
    """

    def __init__(self, chunk: Chunk, rows: Columns, fresh: NDArray[np.bool_], left: NDArray[np.bool_]) -> None:
        self._chunk, self._rows = chunk, rows
        flows = np.arange(len(chunk.row))
        waits, answered = self._halfway(fresh)
        first = chunk.flags[chunk.start]
        begins = fresh & (first & (SYN | ACK | RST) == SYN)
        self.client = np.where(fresh, chunk.side[chunk.start], rows.client.astype(np.int64))
        server = 1 - self.client
        isn = rows.isn.astype(np.uint32)
        isn[begins, self.client[begins]] = chunk.seq[chunk.start[begins]]
        answers = chunk.syn[chunk.flags[chunk.syn] & ACK != 0]
        answer_at = chunk.first_of(answers)
        now = ~answered & (answer_at >= 0)
        isn[now, server[now]] = chunk.seq[answer_at[now]]
        self._answer_at = np.where(now, answer_at, NONE)
        lead, good = self._syns(isn)
        open_ = np.minimum(chunk.start + lead, chunk.last)
        more = lead < chunk.count
        completes = (chunk.flags[open_] & (ACK | RST) == ACK) & (chunk.side[open_] == self.client)
        completes &= chunk.ack[open_] == isn[flows, server] + _ONE
        in_time = answered | (now & (answer_at < chunk.start + lead))
        self.mask = good & (begins | waits | answered) & in_time & (completes | ~more) & ~left
        self.fresh = self.mask & begins
        self.done_at = np.where(self.mask & more, open_, -1)
        self.base = np.where(rows.end == NONE, isn, rows.end.astype(np.uint32))
        self._isn = isn

    def _halfway(self, fresh: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of connections that were there before: those whose SYN has no answer, and those whose SYN,ACK has none."""
        rows = self._rows
        waits, answered = np.zeros_like(fresh), np.zeros_like(fresh)
        flows = np.flatnonzero(~fresh & either(rows.state == State.SYN_RECV))
        client = rows.client[flows].astype(np.int64)
        server = 1 - client
        plain = (
            (rows.notes[flows] & _STRANGE == 0)
            & (rows.early[flows] == 0)
            & (rows.state[flows, server] == State.SYN_RECV)
        )
        plain &= (rows.rsts[flows] == 0).all(1) & (rows.acked[flows, client] == NONE) & (rows.bytes[flows] == 0).all(1)
        state = rows.state[flows, client]
        waits[flows] = plain & (state == State.SYN_SENT) & (rows.packets[flows, server] == 0)
        tied = (rows.got[flows, ::-1] == rows.end[flows]).all(1) & (
            rows.acked[flows, server] == rows.end[flows, client]
        )
        answered[flows] = plain & (state == State.ESTABLISHED) & tied
        return waits, answered

    def _syns(self, isn: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """How many SYNs each flow begins with, and whether all of its SYNs are as they should be."""
        chunk = self._chunk
        flow = chunk.flow[chunk.syn]
        rank = np.arange(len(flow)) - np.searchsorted(flow, flow)
        leads = chunk.syn - chunk.start[flow] == rank
        answer = chunk.flags[chunk.syn] & ACK != 0
        side = chunk.side[chunk.syn]
        wrong = (side == self.client[flow]) == answer
        wrong |= (chunk.length[chunk.syn] != 0) | (chunk.seq[chunk.syn] != isn[flow, side])
        wrong |= answer & (chunk.ack[chunk.syn] != isn[flow, 1 - side] + _ONE)
        good = np.ones(len(chunk.row), np.bool_)
        good[flow[wrong]] = False
        return np.bincount(flow[leads], minlength=len(good)), good

    def begin(self) -> None:
        """Write into the columns what is known of them."""
        chunk, rows = self._chunk, self._rows
        flows = np.flatnonzero(self.fresh)
        rows.client[flows] = self.client[flows]
        rows.syn_at[flows] = chunk.time[chunk.start[flows]]
        flows = np.flatnonzero(self.mask)
        rows.isn[flows] = self._isn[flows]
        flows = np.flatnonzero(self.done_at >= 0)
        rows.open_at[flows] = chunk.time[self.done_at[flows]]
