"""Idle gaps, and other lengths of time, counted by server port: no list of them is kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.capture.buckets import COUNT, LOWEST, STEPS
from advisor.capture.idle import CLIENT_CLOSED, CUT, GOODBYE, REUSED, SERVER_CLOSED

__all__ = [
    "AT_ONCE",
    "CLIENT_CLOSED",
    "CUT",
    "GOODBYE",
    "PORTS",
    "REUSED",
    "SERVER_CLOSED",
    "Gaps",
    "Lengths",
    "PortLengths",
]

AT_ONCE = 4
"""How an answer ended that no idle gap followed: the server closed within a second of it."""
PORTS = 64
"""Ports of which lengths are kept: those with most."""
_SECOND = 1_000_000_000
_BATCH = 1 << 15
_ALL_PORTS = 1 << 16


def buckets(lengths_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each length's bucket (see `advisor.capture.buckets`)."""
    mantissa, power = np.frexp(np.maximum(lengths_ns, 1).astype(np.float64))
    found = (power.astype(np.int64) - LOWEST - 1) * STEPS + ((mantissa - 0.5) * 2 * STEPS).astype(np.int64) + 1
    return np.clip(found, 0, COUNT - 1)


class PortLengths(NamedTuple):
    """Of one server port: ``counts`` by kind and bucket, and how many of its lengths are not among them."""

    port: int
    counts: NDArray[np.int64]
    missed: int

    def buckets(self) -> list[dict[int, int]]:
        """The counts above 0, by kind and bucket."""
        found = []
        for kind in self.counts:
            used = np.flatnonzero(kind)
            found.append(dict(zip(used.tolist(), kind[used].tolist(), strict=True)))
        return found


class Lengths:
    """Lengths of time by server port and kind, in buckets; those of the `PORTS` ports that have most.

    Memory is bounded, whatever comes: 37 KiB a kind for each of these ports, and 1 MiB for all.
    """

    def __init__(self, kinds: int) -> None:
        """``kinds``: how many kinds are told apart."""
        self._kinds = kinds
        self._seen = np.zeros(_ALL_PORTS, np.int64)
        self._sums = np.zeros(_ALL_PORTS, np.int64)
        self._kept: dict[int, NDArray[np.int64]] = {}
        self._batches: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]] = []
        self._waiting = 0

    def add(self, ports: NDArray[np.int64], lengths_ns: NDArray[np.int64], kinds: NDArray[np.int8]) -> None:
        """Count some: the server port of each, its length in nanoseconds (below 0 counts as 0), and its kind.

        They wait until there are many, for numpy's calls cost more than their work on few: leave them unchanged.
        """
        self._batches.append((ports, lengths_ns, kinds))
        self._waiting += len(ports)
        if self._waiting >= _BATCH:
            self._count_all()

    def _count_all(self) -> None:
        """Count what waits."""
        if self._waiting:
            columns = [np.concatenate(column) for column in zip(*self._batches, strict=True)]
            self._batches, self._waiting = [], 0
            self._count(*columns)

    def _count(self, ports: NDArray[np.int64], lengths_ns: NDArray[np.int64], kinds: NDArray[np.int8]) -> None:
        lengths = np.maximum(lengths_ns, 0)
        cells = kinds.astype(np.int64) * COUNT + buckets(lengths)
        order = np.argsort(ports, kind="stable")
        present, starts, sizes = np.unique(ports[order], return_index=True, return_counts=True)
        self._seen[present] += sizes
        self._sums[present] += np.add.reduceat(lengths[order] // 1000, starts)
        self._choose(present)
        cells = cells[order]
        for port, start, size in zip(present.tolist(), starts.tolist(), sizes.tolist(), strict=True):
            if port in self._kept:
                self._kept[port] += np.bincount(cells[start : start + size], minlength=self._kinds * COUNT)

    def _choose(self, present: NDArray[np.int64]) -> None:
        """Make room for the ports among these that by now have more than some that are kept."""
        known = np.fromiter(self._kept, np.int64, len(self._kept))
        new = present[~np.isin(present, known)]  # np.setdiff1d would import numpy.ma, for 20 ms
        if not len(new):
            return
        # Those already kept come first, and so stay where numbers are equal.
        both = np.concatenate([known, new])
        chosen = both[np.argsort(-self._seen[both], kind="stable")[:PORTS]]
        kept = {port: self._kept.get(port) for port in chosen.tolist()}
        self._kept = {
            port: np.zeros(self._kinds * COUNT, np.int64) if one is None else one for port, one in kept.items()
        }

    @property
    def total(self) -> int:
        """How many there were, those of ports that are not kept included."""
        self._count_all()
        return int(self._seen.sum())

    @property
    def rest(self) -> int:
        """How many are in no port's counts."""
        return self.total - sum(int(counts.sum()) for counts in self._kept.values())

    def sum_us(self, port: int) -> int:
        """The sum of all lengths of a port, in microseconds."""
        self._count_all()
        return int(self._sums[port])

    def ports(self) -> list[PortLengths]:
        """Those that are kept, the one with most first."""
        self._count_all()
        found = []
        for port in sorted(self._kept, key=lambda port: (-self._seen[port], port)):
            counts = self._kept[port].reshape(self._kinds, COUNT)
            found.append(PortLengths(port, counts, int(self._seen[port]) - int(counts.sum())))
        return found

    def port(self, port: int) -> PortLengths | None:
        """One of them; None where it has none, or is not kept."""
        return next((one for one in self.ports() if one.port == port), None)


class Gaps(Lengths):
    """Idle gaps by server port, and how each ended.

    A gap runs from the last new byte of an answer to the first new byte of the next request. The kinds are REUSED,
    CLIENT_CLOSED, SERVER_CLOSED, CUT (the capture ended first), and `AT_ONCE` for what is no gap: a server that closes
    right after its answer (``Connection: close``, ``keepalive_requests``) did not wait for a request.
    """

    def __init__(self) -> None:
        super().__init__(AT_ONCE + 1)

    def _count(self, ports: NDArray[np.int64], lengths_ns: NDArray[np.int64], kinds: NDArray[np.int8]) -> None:
        taken = kinds == GOODBYE
        if taken.any():
            if not taken.all():
                self._count(ports[~taken], lengths_ns[~taken], kinds[~taken])
            self._take_back(ports[taken], lengths_ns[taken])
            return
        at_once = (kinds == SERVER_CLOSED) & (lengths_ns < _SECOND)
        super()._count(ports, lengths_ns, np.where(at_once, np.int8(AT_ONCE), kinds))

    def _take_back(self, ports: NDArray[np.int64], lengths_ns: NDArray[np.int64]) -> None:
        for port, kept in self._kept.items():
            known = kept.reshape(-1, COUNT)
            back = np.bincount(buckets(lengths_ns[ports == port]), minlength=COUNT)
            back = np.minimum(back, known[REUSED])  # some may be from before the port was kept
            known[REUSED] -= back
            known[CLIENT_CLOSED] += back
