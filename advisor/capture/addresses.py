"""IPv6 addresses to endpoint numbers, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from advisor.capture.segments import Endpoints

_ODD = np.uint64(0x9E3779B97F4A7C15)
_ODD2 = np.uint64(0xC2B2AE3D27D4EB4F)


def numbers(addresses: NDArray[np.uint64], endpoints: Endpoints) -> NDArray[np.uint64]:
    """The endpoint, with port 0, of each address (upper and lower 64 bits a row); new ones numbered in their order."""
    high, low = addresses[:, 0], addresses[:, 1]
    mixed = (high ^ high >> np.uint64(31)) * _ODD ^ (low ^ low >> np.uint64(29)) * _ODD2
    _, first, which = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(addresses[first[which]], addresses):  # two addresses mixed to one number
        _, first, which = np.unique(addresses, axis=0, return_index=True, return_inverse=True)
    known: NDArray[np.uint64] = np.empty(len(first), np.uint64)
    whole = addresses.astype(">u8").tobytes()
    for one in np.argsort(first).tolist():
        start = int(first[one]) * 16
        known[one] = endpoints.number(whole[start : start + 16])
    of: NDArray[np.uint64] = known[which.reshape(-1)]
    return of
