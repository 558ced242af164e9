"""Blocks of pcapng in one byte order: which are sound, and the frames that they hold.

draft-ietf-opsawg-pcapng, section 4; the Packet Block, obsolete there, is read as well. Every block is a multiple of 4
bytes long, so that all numbers are words of 32 bits, or two of them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from advisor.formats.captured_records import Bytes, Numbers
from advisor.formats.frames import Part
from advisor.formats.pcapng_interfaces import Interfaces
from advisor.formats.pcapng_layout import (
    AROUND,
    BYTE_ORDER,
    ENHANCED,
    INTERFACE,
    LAYOUTS,
    PACKET,
    SECTION,
    SIMPLE,
    SIMPLE_AROUND,
)
from advisor.formats.pcapng_packets import Packets

_LEAST = {SECTION: 28, INTERFACE: 20, ENHANCED: AROUND, PACKET: AROUND, SIMPLE: SIMPLE_AROUND}
"""The fewest bytes of a block that is read."""
_HEAD, _TAIL = 8, 4
_VERSION = 1
_NAMES: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}


class Blocks:
    """Some blocks that follow each other.

    Args:
        data: in which they stand.
        order: of its bytes, as of `struct`.
        starts: of each block, in bytes.
        fields: see `advisor.formats.pcapng_layout.Layout.fields`.
    """

    def __init__(self, data: Bytes, order: str, starts: Numbers, fields: Numbers) -> None:
        self._data, self._order, self._words = data, order, LAYOUTS[order].words(data)
        self._starts, self._fields = starts, fields
        self._kinds, self._sizes = fields[:2]
        self._odd = np.flatnonzero(self._kinds != ENHANCED)
        self._end = len(starts)
        self._fault: str | None = None

    def part(self, interfaces: Interfaces, clock: int) -> Part:
        """The frames up to the first block that is damaged, or that begins a section in another byte order.

        Args:
            interfaces: those known so far; what these blocks tell is added.
            clock: the time in nanoseconds that a frame without one gets, if there is none before it.

        Returns:
            ``used`` is -1 where all blocks were read.
        """
        self._check()
        first, here = self._follow(interfaces)
        which = self._holders()
        some = which if len(self._odd) else slice(None)
        packets = Packets(self._starts[some], self._fields[:, some], first[some])
        if len(self._odd):
            packets.amend(interfaces, big=self._order == ">")
        self._stop(which[packets.misfits(here[some])], "a frame that does not fit into its block, or of no interface")
        part = packets.part(int(np.searchsorted(which, self._end)), interfaces, clock)
        used = int(self._starts[self._end]) if self._end < len(self._starts) else -1
        return part._replace(used=used, fault=self._fault)

    def _stop(self, blocks: Numbers, fault: str | None) -> None:
        """End before the first of these, if that is not too late."""
        if len(blocks) and blocks[0] < self._end:
            self._end, self._fault = int(blocks[0]), fault

    def _check(self) -> None:
        """End before a block whose lengths differ or are too small, and before one in another byte order."""
        tails = self._words.take(((self._starts + self._sizes) >> 2) - 1)
        self._stop(np.flatnonzero(tails != self._sizes), "a block that says two lengths: the file is damaged here")
        if len(self._sizes) and self._sizes.min() < AROUND:
            least = np.zeros(len(self._sizes), np.int64)
            for kind, size in _LEAST.items():
                least[self._kinds == kind] = size
            self._stop(np.flatnonzero(self._sizes < least), "a block too short for its type: the file is damaged here")
        sections = self._odd[self._kinds[self._odd] == SECTION]
        self._stop(sections[self._fields[2, sections] != BYTE_ORDER], None)

    def _follow(self, interfaces: Interfaces) -> tuple[Numbers, Numbers]:
        """Take in sections and interfaces.

        Returns:
            for each block, the number of its section's first interface, and how many that has by then.
        """
        kinds = self._kinds[self._odd]
        marks = self._odd[(kinds == SECTION) | (kinds == INTERFACE)]
        states = [(interfaces.first, interfaces.here)]
        for index in marks[marks < self._end].tolist():
            try:
                self._take(index, interfaces)
            except ValueError as error:
                self._stop(np.array([index]), str(error))
                break
            states.append((interfaces.first, interfaces.here))
        places = np.concatenate(([0], marks[: len(states) - 1], [len(self._starts)]))
        first, here = np.repeat(np.array(states, np.int64), np.diff(places), axis=0).T
        return first, here

    def _take(self, index: int, interfaces: Interfaces) -> None:
        start, size = int(self._starts[index]), int(self._sizes[index])
        if self._kinds[index] == SECTION:
            version = int.from_bytes(self._data[start + 12 : start + 14].tobytes(), _NAMES[self._order])
            if version != _VERSION:
                raise ValueError(f"a section of version {version}, 1 is the only one")
            interfaces.begin_section()
        else:
            interfaces.add(self._data[start + _HEAD : start + size - _TAIL].tobytes(), self._order)

    def _holders(self) -> Numbers:
        """The blocks that hold a frame."""
        if not len(self._odd):
            return np.arange(len(self._starts))
        kinds = self._kinds
        return np.flatnonzero((kinds == ENHANCED) | (kinds == PACKET) | (kinds == SIMPLE))
