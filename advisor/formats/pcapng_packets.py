"""The blocks of pcapng that hold a frame, column by column.

draft-ietf-opsawg-pcapng: Enhanced Packet Block (4.3), Simple Packet Block (4.4), and the Packet Block, which is
obsolete (appendix A).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_records import Numbers
from advisor.formats.frames import LONGEST, Part
from advisor.formats.pcapng_interfaces import Interfaces
from advisor.formats.pcapng_layout import AROUND, PACKET, SIMPLE, SIMPLE_AROUND

_FRAME, _SIMPLE_FRAME = 28, 12
"""Where the frame begins in a block."""
_HALF, _LOW_HALF = 16, 0xFFFF
_WORD = 32


class Packets:
    """Blocks that hold a frame.

    Args:
        starts: where each starts.
        fields: see `advisor.formats.pcapng_layout.Layout.fields`; they are overwritten.
        first: the number of the first interface of each one's section.
    """

    def __init__(self, starts: Numbers, fields: Numbers, first: Numbers) -> None:
        self._kinds, sizes, self._number, self._high, self._low, self._captured, self._original = fields
        self._first = first
        self._offset = starts + _FRAME
        self._room = sizes - AROUND
        self._timed: NDArray[np.bool_] | None = None

    def amend(self, interfaces: Interfaces, *, big: bool) -> None:
        """Do justice to those that are not Enhanced Packet Blocks; ``big`` is their byte order."""
        kinds = self._kinds
        old = kinds == PACKET
        self._number[old] = self._number[old] >> _HALF if big else self._number[old] & _LOW_HALF
        simple = kinds == SIMPLE
        if simple.any():
            self._timed = ~simple
            self._original[simple] = self._number[simple]
            self._number[simple] = 0
            self._offset[simple] += _SIMPLE_FRAME - _FRAME
            self._room[simple] += AROUND - SIMPLE_AROUND
            longest = interfaces.longest(self._first[simple])
            self._captured[simple] = np.minimum(self._original[simple], np.minimum(self._room[simple], longest))

    def misfits(self, here: Numbers) -> Numbers:
        """Those whose frame does not fit into them, is longer than any, or is of an interface that nobody described.

        Args:
            here: how many interfaces the section of each has.
        """
        wrong = (self._captured > self._room) | (self._captured > LONGEST) | (self._number >= here)
        return np.flatnonzero(wrong)

    def part(self, count: int, interfaces: Interfaces, clock: int) -> Part:
        """The first ``count`` frames.

        Args:
            count: none of these is a misfit.
            interfaces: of all of them.
            clock: see `advisor.formats.pcapng_blocks.Blocks.part`.
        """
        one = len(interfaces.links) == 1
        interface = None if one else (self._first + self._number)[:count]
        ticks = (self._high[:count] << _WORD | self._low[:count]).view(np.uint64)
        time = interfaces.times(ticks, interface) if count else np.zeros(0, np.int64)
        untimed = 0
        if self._timed is not None:
            timed = self._timed[:count]
            time, untimed = _filled(time, timed, clock), count - int(np.count_nonzero(timed))
        columns = (self._offset[:count], self._captured[:count], self._original[:count])
        return Part(*columns, time, interface, -1, None, untimed)


def _filled(time: Numbers, timed: NDArray[np.bool_], clock: int) -> Numbers:
    """Times, each that is none replaced by the one before it, or ``clock``."""
    before = np.maximum.accumulate(np.where(timed, np.arange(1, len(time) + 1), 0))
    return np.concatenate(([clock], time))[before]
