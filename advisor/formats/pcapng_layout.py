"""Blocks of pcapng: how they follow each other, what stands in their heads, and where they may begin.

draft-ietf-opsawg-pcapng, sections 3.1 and 4. Every block is a multiple of 4 bytes long, and says at both its ends how
long it is; all numbers of its head are words of 32 bits, or two of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_records import Bytes, Numbers
from advisor.formats.captured_walk import Chain

SECTION, INTERFACE, PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
"""Types of blocks."""
BYTE_ORDER = 0x1A2B3C4D
"""The third word of a section."""
AROUND, SIMPLE_AROUND = 32, 16
"""What a block holds beside the frame, at the least."""
_SHORTEST, _LONGEST = 12, 16 << 20
"""The shortest block, and the longest that is not taken for damage: libpcap's bound for blocks without frames."""
_SIZE = 1
_FIELDS = 7


class Layout:
    """Blocks in one byte order, for `advisor.formats.captured_records.find`."""

    length = _SIZE

    def __init__(self, order: str) -> None:
        self._type = np.dtype(f"{order}u4")
        self._enhanced = np.array(ENHANCED, self._type).view(np.uint32)
        self.chain = Chain(order, _SHORTEST, 4 * _SIZE, 0, _SHORTEST, _LONGEST, 4)

    def words(self, data: Bytes) -> NDArray[np.uint32]:
        """Bytes as numbers."""
        return data[: len(data) & ~3].view(self._type)

    def fields(self, data: Bytes, starts: Numbers) -> Numbers:
        """The first seven words of each block.

        Of an Enhanced Packet Block: type, size, interface, two of the time, bytes captured, bytes on the wire.
        """
        heads = np.ndarray((len(data) // 4 - _FIELDS + 1,), f"V{4 * _FIELDS}", data, strides=(4,))[starts >> 2]
        return np.array(heads.view(self._type).reshape(-1, _FIELDS).T, np.int64, order="C")

    def guess(self, data: Bytes, sample: Numbers, start: int, stop: int) -> Numbers:  # noqa: ARG002 (as of `Layout`)
        """Wherever there is the type of an Enhanced Packet Block, and two equal sizes where they would be."""
        words = self.words(data)[start >> 2 : stop >> 2]
        places = np.flatnonzero(words.view(np.uint32) == self._enhanced)
        sizes = words.take(places + _SIZE, mode="clip").astype(np.int64)
        tails = words.take(places + (sizes >> 2) - 1, mode="clip")
        found: Numbers = places[(sizes >= AROUND) & (tails == sizes)]
        return start + 4 * found


LAYOUTS = {order: Layout(order) for order in "<>"}
"""By the order of bytes as of `struct`."""
