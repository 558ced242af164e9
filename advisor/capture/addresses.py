"""IPv6 addresses to endpoint numbers, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from advisor.capture.segments import Endpoints

_ODD = np.uint64(0x9E3779B97F4A7C15)
_ODD2 = np.uint64(0xC2B2AE3D27D4EB4F)
_BITS = 16


class Addresses:
    """Numbers addresses in the order in which they come, whatever the chunks.

    Those met last stand in a table, one for each value of a few bits mixed from the address, so that most are found
    without sorting. An address is compared whole: a mix proves nothing. A number of 0 (that of ::ffff:0.0.0.0) stands
    for an empty place.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._known: NDArray[np.uint64] = np.zeros((1 << _BITS, 2), np.uint64)
        self._numbers: NDArray[np.uint64] = np.zeros(1 << _BITS, np.uint64)
        self._winner: NDArray[np.int64] = np.zeros(1 << _BITS, np.int64)

    def numbers(self, addresses: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The endpoint, with port 0, of each address (a row: its upper and lower 64 bits)."""
        mixed = _mix(addresses)
        slot = (mixed >> np.uint64(64 - _BITS)).astype(np.int64)
        of = self._numbers[slot]
        known = self._known[slot]
        met = (known[:, 0] == addresses[:, 0]) & (known[:, 1] == addresses[:, 1]) & (of != 0)
        missed = np.flatnonzero(~met)
        if len(missed):
            of[missed] = self._looked_up(addresses[missed], mixed[missed])
            places = slot[missed]
            self._winner[places] = missed
            winner = self._winner[places]  # one of those that share a place
            self._known[places], self._numbers[places] = addresses[winner], of[winner]
        return of

    def _looked_up(self, addresses: NDArray[np.uint64], mixed: NDArray[np.uint64]) -> NDArray[np.uint64]:
        _, first, which = np.unique(mixed, return_index=True, return_inverse=True)
        if not np.array_equal(addresses[first[which]], addresses):  # two addresses mixed to one number
            _, first, which = np.unique(addresses, axis=0, return_index=True, return_inverse=True)
        each: NDArray[np.uint64] = np.empty(len(first), np.uint64)
        whole = addresses.astype(">u8").tobytes()
        for one in np.argsort(first).tolist():
            start = int(first[one]) * 16
            each[one] = self._endpoints.number(whole[start : start + 16])
        of: NDArray[np.uint64] = each[which.reshape(-1)]
        return of


def _mix(addresses: NDArray[np.uint64]) -> NDArray[np.uint64]:
    high, low = addresses[:, 0], addresses[:, 1]
    mixed: NDArray[np.uint64] = (high ^ high >> np.uint64(31)) * _ODD ^ (low ^ low >> np.uint64(29)) * _ODD2
    return mixed
