"""Who connected to each server port, and how often."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PORT = 0xFFFF


class Clients:
    """Addresses by the server port they connected to; bounded."""

    MOST = 1 << 20
    """Pairs of address and port that are kept; a client that is first met after so many is not counted."""
    _FEW = 1 << 16

    def __init__(self) -> None:
        self.full = False
        """Whether some were left out."""
        self._pairs = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)
        self._new: list[NDArray[np.int64]] = []

    def add(self, clients: NDArray[np.int64], servers: NDArray[np.int64]) -> None:
        """Count connections: the client's and the server's endpoint of each."""
        self._new.append(clients & ~_PORT | servers & _PORT)
        if sum(map(len, self._new)) > max(self._FEW, len(self._pairs)):
            self._merge()

    def _merge(self) -> None:
        pairs = np.concatenate([self._pairs, *self._new])
        counts = np.concatenate([self._counts, np.ones(len(pairs) - len(self._pairs), np.int64)])
        self._new = []
        self._pairs, inverse = np.unique(pairs, return_inverse=True)
        self._counts = np.bincount(inverse, counts).astype(np.int64)
        if len(self._pairs) > self.MOST:
            kept = np.sort(np.argsort(-self._counts, kind="stable")[: self.MOST])
            self._pairs, self._counts, self.full = self._pairs[kept], self._counts[kept], True

    def of(self, port: int) -> NDArray[np.int64]:
        """How many connections each client made to a server port, the one with most first."""
        self._merge()
        counts = self._counts[self._pairs & _PORT == port]
        return -np.sort(-counts)
