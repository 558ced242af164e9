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
        begins = fresh & (chunk.flags.take(chunk.start) & (SYN | ACK | RST) == SYN)
        halfway = ~fresh & either(rows.state == State.SYN_RECV)
        self._some = some = np.flatnonzero((begins | halfway) & ~left)
        new, start = begins[some], chunk.start[some]
        client = np.where(new, chunk.side[start], rows.client[some].astype(np.int64))
        waits, answered = self._halfway(some, client, ~new)
        isn = rows.isn[some].astype(np.uint32)
        isn[new, client[new]] = chunk.seq[start[new]]
        lead, answer_at, good = self._syns(client, isn, answered)
        open_ = np.minimum(start + lead, chunk.last[some])
        more = lead < chunk.count[some]
        completes = (chunk.flags[open_] & (ACK | RST) == ACK) & (chunk.side[open_] == client)
        completes &= chunk.ack[open_] == np.take_along_axis(isn, 1 - client[:, None], 1)[:, 0] + _ONE
        in_time = answered | ((answer_at >= 0) & (answer_at < start + lead))
        good &= (new | waits | answered) & in_time & (completes | ~more)
        self._good, self._isn = good, isn
        self.mask, self.fresh = np.zeros_like(fresh), np.zeros_like(fresh)
        self.mask[some[good]] = True
        self.fresh[some[good & new]] = True
        self.client = np.zeros(len(fresh), np.int64)
        self.client[some] = client
        self.done_at = np.full(len(fresh), -1)
        self.done_at[some[good & more]] = open_[good & more]
        self.base = rows.end.astype(np.uint32)
        self.base[some] = np.where(rows.end[some] == NONE, isn, self.base[some])

    def _halfway(
        self, flows: NDArray[np.int64], client: NDArray[np.int64], old: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Of connections that were there before: those whose SYN has no answer, and those whose SYN,ACK has none."""
        rows = self._rows
        server = 1 - client
        plain = old & (rows.notes[flows] & _STRANGE == 0) & (rows.early[flows] == 0)
        plain &= (rows.state[flows, server] == State.SYN_RECV) & (rows.acked[flows, client] == NONE)
        plain &= ~either(rows.rsts[flows] != 0) & ~either(rows.bytes[flows] != 0)
        state = rows.state[flows, client]
        waits = plain & (state == State.SYN_SENT) & (rows.packets[flows, server] == 0)
        tied = ~either(rows.got[flows, ::-1] != rows.end[flows])
        tied &= rows.acked[flows, server] == rows.end[flows, client]
        return waits, plain & (state == State.ESTABLISHED) & tied

    def _syns(
        self, client: NDArray[np.int64], isn: NDArray[np.uint32], answered: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Of each flow: how many SYNs it begins with, its first SYN,ACK, and whether all SYNs are as they should be.

        The first SYN,ACK tells the server's ISN, which is entered.
        """
        chunk = self._chunk
        place = np.full(len(chunk.row), -1)
        place[self._some] = np.arange(len(self._some))
        of = place[chunk.flow[chunk.syn]]
        kept = np.flatnonzero(of >= 0)
        of, syn = of[kept], chunk.syn[kept]
        side, answer = chunk.side[syn], chunk.flags[syn] & ACK != 0
        answer_at = np.full(len(client), -1)
        answers = np.flatnonzero(answer)[::-1]
        answer_at[of[answers]] = syn[answers]
        now = np.flatnonzero(~answered & (answer_at >= 0))
        isn[now, 1 - client[now]] = chunk.seq[answer_at[now]]
        rank = np.arange(len(of)) - np.searchsorted(of, of)
        leads = syn - chunk.start[self._some[of]] == rank
        wrong = (side == client[of]) == answer
        wrong |= (chunk.length[syn] != 0) | (chunk.seq[syn] != isn[of, side])
        wrong |= answer & (chunk.ack[syn] != isn[of, 1 - side] + _ONE)
        good = np.ones(len(client), np.bool_)
        good[of[wrong]] = False
        return np.bincount(of[leads], minlength=len(client)), answer_at, good

    def begin(self) -> None:
        """Write into the columns what is known of them."""
        chunk, rows = self._chunk, self._rows
        flows = np.flatnonzero(self.fresh)
        rows.client[flows] = self.client[flows]
        rows.syn_at[flows] = chunk.time[chunk.start[flows]]
        rows.isn[self._some[self._good]] = self._isn[self._good]
        flows = np.flatnonzero(self.done_at >= 0)
        rows.open_at[flows] = chunk.time[self.done_at[flows]]
