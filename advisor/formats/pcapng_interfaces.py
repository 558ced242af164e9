"""The interfaces of a pcapng file: link type, and what the numbers in its time stamps mean.

draft-ietf-opsawg-pcapng, sections 4.2 (Interface Description Block) and 3.5 (options).
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

_MOST = 65_536
"""Interfaces of all sections, and sections: many more than any program writes, few enough to keep."""
_MOST_OPTIONS = 256
_END, _RESOLUTION, _OFFSET = 0, 9, 14
_MICROSECONDS = 6
_BINARY = 0x80
"""The bit of if_tsresol that makes it a power of two."""
_SECOND = 1_000_000_000
_DIGITS = 9
"""Digits of a second in nanoseconds."""
_BITS = 33
"""The most bits of a second that are kept: times 10^9 they fit into 64."""
_RANGE = (1 << 63) - 1
"""Times are kept modulo 2^63 ns."""
_WIDTH = 64


class Interfaces:
    """The interfaces of all sections so far, numbered through.

    Attributes:
        first: the number of the first one of this section.
        links: the link type of each.
    """

    def __init__(self) -> None:
        self.first = 0
        self.links: list[int] = []
        self._sections = 0
        self._longest: list[int] = []
        self._resolutions: list[int] = []
        self._offsets: list[int] = []

    @property
    def here(self) -> int:
        """How many this section has."""
        return len(self.links) - self.first

    def begin_section(self) -> None:
        """From here on, interfaces are counted from 0 again.

        Raises:
            ValueError: when there are too many sections.
        """
        self._sections += 1
        if self._sections > _MOST:
            raise ValueError(f"more than {_MOST:,} sections")
        self.first = len(self.links)

    def add(self, body: bytes, order: str) -> None:
        """Take in the interface that a block describes.

        Args:
            body: the block without its type and lengths.
            order: of its bytes, as of `struct`.

        Raises:
            ValueError: when it is damaged, or one too many.
        """
        if len(self.links) >= _MOST:
            raise ValueError(f"more than {_MOST:,} interfaces")
        link, longest = struct.unpack_from(f"{order}H2xI", body)
        resolution, offset = _options(body, order)
        self.links.append(link)
        self._longest.append(longest or _RANGE)
        self._resolutions.append(resolution)
        self._offsets.append(offset * _SECOND & _RANGE)

    def longest(self, interface: NDArray[np.int64]) -> NDArray[np.int64]:
        """The most bytes that each of these keeps of a frame; no bound for one that was not described."""
        known = np.array([*self._longest, _RANGE], np.int64)
        return known[np.minimum(interface, len(self._longest))]

    def times(self, ticks: NDArray[np.uint64], interface: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Time stamps in nanoseconds since the epoch.

        What lies beyond 1970 to 2262 (a writer that took nanoseconds for microseconds) is moved by 2^63 ns into it, so
        that the time between two of them holds.

        Args:
            ticks: in the units of each interface.
            interface: the number of each, None where all are of interface 0.
        """
        if interface is None:
            time = _nanoseconds(ticks, self._resolutions[0]) + np.uint64(self._offsets[0])
        else:
            resolutions = np.array(self._resolutions)[interface]
            time = np.array(self._offsets, np.uint64)[interface]
            for resolution in np.unique(resolutions).tolist():
                some = resolutions == resolution
                time[some] += _nanoseconds(ticks[some], resolution)
        return (time & np.uint64(_RANGE)).view(np.int64)


def _options(body: bytes, order: str) -> tuple[int, int]:
    """if_tsresol and if_tsoffset of an interface, or what holds without them."""
    head, byte, seconds = struct.Struct(f"{order}HH"), struct.Struct("B"), struct.Struct(f"{order}q")
    wanted = {_RESOLUTION: (byte, _MICROSECONDS), _OFFSET: (seconds, 0)}
    found = {code: default for code, (_, default) in wanted.items()}
    place = 8
    for _ in range(_MOST_OPTIONS):
        if place + head.size > len(body):
            break
        code, size = head.unpack_from(body, place)
        place += head.size
        if code == _END:
            break
        if place + size > len(body):
            raise ValueError("an interface with an option that goes on beyond its block")
        if code in wanted:
            value = wanted[code][0]
            if size != value.size:
                raise ValueError(f"an interface whose option {code} has {size} bytes instead of {value.size}")
            (found[code],) = value.unpack_from(body, place)
        place += size + -size % 4
    return found[_RESOLUTION], found[_OFFSET]


def _nanoseconds(ticks: NDArray[np.uint64], resolution: int) -> NDArray[np.uint64]:
    """Nanoseconds of ticks, modulo 2^64; finer than these is cut off."""
    power = resolution & ~_BINARY
    if resolution & _BINARY:
        return _from_binary(ticks, power)
    if power <= _DIGITS:
        return ticks * np.uint64(10 ** (_DIGITS - power))
    divisor = 10 ** (power - _DIGITS)
    return ticks // np.uint64(divisor) if divisor >> _WIDTH == 0 else np.zeros_like(ticks)


def _from_binary(ticks: NDArray[np.uint64], bits: int) -> NDArray[np.uint64]:
    """Nanoseconds of ticks of which a second has two to the power of ``bits``; finer ones are cut to `_BITS`."""
    if bits > _BITS:
        ticks = ticks >> np.uint64(min(bits - _BITS, _WIDTH - 1))
        bits = _BITS
    parts = ticks & np.uint64((1 << bits) - 1)
    return (ticks >> np.uint64(bits)) * np.uint64(_SECOND) + (parts * np.uint64(_SECOND) >> np.uint64(bits))
