"""Where the records of a capture begin, one after the other, each found by the length that the one before it states."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Chain(NamedTuple):
    """How records of one format follow each other.

    A record takes ``plus`` bytes and as many as the number of 32 bits ``at`` bytes behind its start says; that number
    is between ``least`` and ``longest`` and a multiple of ``align``, as are the starts. Nothing can be said of a record
    of which fewer than ``header`` bytes are there. ``order`` is that of its bytes, as of `struct`.
    """

    order: str
    header: int
    at: int
    plus: int
    least: int
    longest: int
    align: int

    def may_be(self, length: int) -> bool:
        """Whether a record may state this length."""
        return self.least <= length <= self.longest and not length % self.align


def walk(
    data: NDArray[np.uint8], start: int, stop: int, chain: Chain, most: int | None = None
) -> tuple[list[int], int]:
    """The starts of the whole records from ``start`` on, and where the last of them ends.

    It ends there because of ``stop``, because of a length that may not be, or because there are ``most``.
    """
    unpack = struct.Struct(f"{chain.order}I").unpack_from
    view = data.data
    starts: list[int] = []
    at, plus, last = chain.at, chain.plus, stop - chain.header
    least, longest, align = chain.least, chain.longest, chain.align
    while start <= last and len(starts) != most:
        length: int = unpack(view, start + at)[0]
        end = start + plus + length
        if end > stop or not least <= length <= longest or length % align:
            break
        starts.append(start)
        start = end
    return starts, start
