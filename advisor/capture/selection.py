"""The connections that are shown: those that match, the first of them by a key, out of any number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Connection

_Key = Callable[[Columns], NDArray[np.int64]]


def _handshake(some: Columns) -> NDArray[Any]:
    known = (some.syn_at != NONE) & (some.open_at != NONE)
    return np.where(known, some.open_at - some.syn_at, NONE)


SORTS: Mapping[str, _Key] = {
    "start": lambda some: -some.frame,
    "packets": lambda some: some.packets.sum(axis=1),
    "bytes": lambda some: some.bytes.sum(axis=1),
    "duration": lambda some: some.last - some.first,
    "idle": lambda some: some.idle,
    "retransmissions": lambda some: some.repeats.sum(axis=1, dtype=np.int64),
    "handshake": _handshake,
}
"""By name, what connections are sorted by, the greatest first; the earliest first where it is the same."""

_SPARE = 1000
"""Rows that are held before the best of them are sought."""


class Wanted(NamedTuple):
    """Conditions, all of which hold: each address (an endpoint without port) and port is that of one of the ends.

    ``state`` is that of either end, ``number`` the connection's own; None for any.
    """

    addresses: tuple[int, ...] = ()
    ports: tuple[int, ...] = ()
    state: int | None = None
    number: int | None = None

    def rows(self, some: Columns) -> NDArray[np.bool_]:
        """Which connections fit."""
        fit = np.ones(len(some), np.bool_)
        for address in self.addresses:
            fit &= (some.ends >> np.uint64(16) == address >> 16).any(axis=1)
        for port in self.ports:
            fit &= (some.ends & np.uint64(0xFFFF) == port).any(axis=1)
        if self.state is not None:
            fit &= (some.state == self.state).any(axis=1)
        if self.number is not None:
            fit &= some.number == self.number
        return fit


class Selection:
    """Takes connections in batches, and keeps the first ``limit`` of those wanted.

    Args:
        wanted: which of them.
        sort: a name of `SORTS`.
        limit: how many at most; None for all.

    Attributes:
        total: connections that were taken.
        matched: those of them that were wanted.
    """

    def __init__(self, wanted: Wanted, sort: str = "start", limit: int | None = None) -> None:
        self.total = self.matched = 0
        self._wanted = wanted
        self._key = SORTS[sort]
        self._limit = limit
        self._parts: list[Columns] = []
        self._held = 0

    def add(self, some: Columns) -> None:
        """Take a batch."""
        self.total += len(some)
        rows = np.flatnonzero(self._wanted.rows(some))
        self.matched += len(rows)
        self._parts.append(some.take(rows[self._first(some, rows)]))
        self._held += len(self._parts[-1])
        if self._limit is not None and self._held > _SPARE + 2 * self._limit:
            self._trim()

    def _trim(self) -> None:
        whole = Columns.join(self._parts)
        best = whole.take(self._first(whole, np.arange(len(whole))))
        self._parts, self._held = [best], len(best)

    def _first(self, some: Columns, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of these rows have the greatest keys, in order."""
        keys, limit = self._key(some)[rows], self._limit
        best = np.arange(len(rows))
        if limit == 0:
            return best[:0]
        if limit is not None and len(rows) > limit:
            best = np.flatnonzero(keys >= np.partition(keys, len(keys) - limit)[len(keys) - limit])
        order = np.lexsort((some.frame[rows[best]], -keys[best]))
        return best[order][:limit]

    def connections(self) -> list[Connection]:
        """Those to be shown, in their order."""
        self._trim()
        (best,) = self._parts
        return best.connections()
