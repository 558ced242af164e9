"""Which row of the columns a pair of endpoints has: a hash table with open addressing, in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.capture.columns import Columns

_FIRST = 1 << 12
"""Rows to begin with; a power of two."""

_SMALL = 1 << 16
"""Rows that are copied when more are wanted."""

_SPARE = 4
"""Places in the table for each row: most pairs then stand in their first one."""

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Odd multipliers that spread ports and addresses over the upper bits."""


Keys = NDArray[np.uint64]


class Flows:
    """Rows for pairs of endpoints.

    Attributes:
        rows: the columns; a row in use has its pair in ``ends``, one that is not holds anything.
        used: how many rows were ever taken; those in ``free`` among them may be taken again.
        room: how many rows may be taken before the table must grow, up to `MOST`.
    """

    MOST = 1 << 19

    def __init__(self) -> None:
        self.used = 0
        self.free: NDArray[np.int64] = np.empty(0, np.int64)
        self.rows = Columns(0)
        self._low: Keys = np.empty(0, np.uint64)
        self._high: Keys = np.empty(0, np.uint64)
        self._scratch: NDArray[np.int64] = np.empty(0, np.int64)
        self.grow(_FIRST)

    def find(self, low: Keys, high: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The row of each pair, and the rows that are new; the lower endpoint comes first.

        There must be room for all: see `fits`, up to `MOST`.
        """
        self._room(len(low))
        place = self._place(low, high)
        found = self._table.take(place).astype(np.int64)
        wrong = np.flatnonzero((self._low.take(found) != low) | (self._high.take(found) != high))
        if not len(wrong):
            return found, np.empty(0, np.int64)
        return found, self._search(low[wrong], high[wrong], place[wrong], found, wrong)

    def _search(self, low: Keys, high: Keys, place: Any, found: Any, where: Any) -> NDArray[np.int64]:  # noqa: ANN401 (columns of `find`)
        """Find those that did not stand in their first place; the rows that are new."""
        taken: list[NDArray[np.int64]] = []
        left = np.arange(len(low))
        while len(left):
            row = self._table.take(place)
            empty = np.flatnonzero(row < 0)
            if len(empty):
                self._take(low, high, left.take(empty), place.take(empty), taken)
                row = self._table.take(place)
            other = (self._low.take(row) != low.take(left)) | (self._high.take(row) != high.take(left))
            found[where.take(left)] = row
            again = np.flatnonzero(other)
            left, place = left.take(again), (place.take(again) + 1) & self._mask
        return np.concatenate(taken) if taken else np.empty(0, np.int64)

    def differ(self, rows: NDArray[np.int64]) -> bool:
        """Whether no row is named twice."""
        place = np.arange(len(rows))
        self._scratch[rows] = place
        return bool((self._scratch.take(rows) == place).all())

    def drop(self, rows: NDArray[np.int64]) -> None:
        """Give rows free, to be taken again."""
        self.free = np.concatenate((self.free, rows))
        self._again()

    @property
    def in_use(self) -> int:
        """How many rows are in use."""
        return self.used - len(self.free)

    def fits(self, more: int) -> bool:
        """Whether so many more pairs fit as it is."""
        return self.used + max(0, more - len(self.free)) <= self.room

    def taken(self) -> NDArray[np.int64]:
        """The rows in use."""
        use = np.ones(self.used, np.bool_)
        use[self.free] = False
        return np.flatnonzero(use)

    def _take(self, low: Any, high: Any, left: Any, place: Any, taken: list[NDArray[np.int64]]) -> None:  # noqa: ANN401 (columns of `find`)
        """Give a row to one pair for each empty place: whoever writes last wins, the others look again."""
        self._table[place] = left
        won = np.flatnonzero(self._table.take(place) == left)
        winners, places = left.take(won), place.take(won)
        again = min(len(winners), len(self.free))
        rows = np.concatenate((self.free[:again], np.arange(self.used, self.used + len(winners) - again)))
        self.free = self.free[again:]
        self.used += len(winners) - again
        self.rows.renew(rows)
        self._low[rows] = self.rows.ends[rows, 0] = low[winners]
        self._high[rows] = self.rows.ends[rows, 1] = high[winners]
        self._table[places] = rows
        taken.append(rows)

    def _room(self, more: int) -> None:
        """Make sure that so many more pairs fit."""
        if not self.fits(more):
            self.grow(1 << (self.used + more - len(self.free) - 1).bit_length())

    def grow(self, room: int) -> None:
        """Let the table have room for so many rows.

        Beyond `_SMALL` memory is asked for once, for all that there may ever be: it is touched only as rows are used,
        and no copy stands beside it.
        """
        self.room = room
        size = room if room <= _SMALL else self.MOST
        if size > len(self.rows):
            self._low, self._high = (_longer(keys, size) for keys in (self._low, self._high))
            self._scratch = np.empty(size, np.int64)
            self.rows = self.rows.room(size)
        self._again()

    def _clear(self) -> None:
        size = _SPARE * self.room
        self._mask = size - 1
        self._shift = np.uint64(64 - size.bit_length() + 1)
        self._table = np.full(size, -1, np.int32)

    def _place(self, low: NDArray[np.uint64], high: NDArray[np.uint64]) -> NDArray[np.int64]:
        mixed = self.mixed(low, high)
        mixed >>= self._shift
        return mixed.view(np.int64)

    @staticmethod
    def mixed(low: Keys, high: Keys) -> Keys:
        """A number for each pair, spread over 64 bits; the upper ones are the best."""
        mixed = low * _MIX[0]
        mixed ^= high * _MIX[1]
        mixed *= _MIX[0]
        return mixed

    def _again(self) -> None:
        """Enter all rows in use into a new table."""
        self._clear()
        rows = self.taken()
        place = self._place(self._low[rows], self._high[rows])
        while len(rows):
            empty = self._table[place] < 0
            self._table[place[empty]] = rows[empty]
            lost = self._table[place] != rows
            rows, place = rows[lost], (place[lost] + 1) & self._mask


def _longer(keys: Keys, size: int) -> Keys:
    """The keys of so many rows, and at the end one that no pair has: what row -1 holds."""
    longer = np.empty(size + 1, np.uint64)
    longer[: max(0, len(keys) - 1)] = keys[:-1]
    longer[-1] = ~np.uint64(0)
    return longer
