"""Sets of port numbers, as the kernel writes them: ``80,443,30000-32767``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import ClassVar

_PART = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_LAST = 65535

LONGEST = 4000
"""Bytes of a list that sysctl(8) and systemd-sysctl pass on whole.

The kernel takes 4,092 of one write, and both leave the rest away without a word."""


class Ports:
    """An immutable set of ports, kept as ranges that neither touch nor overlap."""

    FACT_KIND: ClassVar[str] = "ports"
    __slots__ = ("ranges",)

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """From inclusive (low, high) pairs within 0 to 65535, in any order.

        Raises:
            ValueError: when a pair is upside down or out of range.
        """
        joined: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if not 0 <= low <= high <= _LAST:
                raise ValueError(f"{low}-{high} is no range of ports")
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
            else:
                joined.append((low, high))
        self.ranges = tuple(joined)

    @classmethod
    def of(cls, ports: Iterable[int]) -> Ports:
        """From single ports."""
        return cls((port, port) for port in ports)

    @classmethod
    def parse(cls, text: str) -> Ports:
        """Read ``1,2-4,10-10`` as the kernel does; empty text is the empty set.

        Raises:
            ValueError: naming the part that is no port or range.
        """
        ranges = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            found = _PART.fullmatch(part)
            if found is None:
                raise ValueError(f"'{part}' is no port and no range of ports")
            low = int(found[1])
            ranges.append((low, int(found[2] or low)))
        return cls(ranges)

    def __or__(self, other: Ports) -> Ports:
        return Ports((*self.ranges, *other.ranges))

    def __sub__(self, other: Ports) -> Ports:
        return Ports(self._without(other))

    def __and__(self, other: Ports) -> Ports:
        return self - (self - other)

    def _without(self, other: Ports) -> Iterator[tuple[int, int]]:
        for low, high in self.ranges:
            start = low
            for cut_low, cut_high in other.ranges:
                if cut_high < start or cut_low > high:
                    continue
                if cut_low > start:
                    yield start, cut_low - 1
                start = cut_high + 1
            if start <= high:
                yield start, high

    def within(self, low: int, high: int) -> Ports:
        """Those from ``low`` to ``high``, both included; none when low is above high."""
        return self & Ports([(low, high)]) if low <= high else Ports()

    def fitting(self, longest: int = LONGEST) -> Ports:
        """The same ports, and as few more as it takes to write them in so many bytes: the smallest gaps are closed.

        Raises:
            ValueError: when not even one range fits.
        """
        low, high = 0, max(0, len(self.ranges) - 1)
        gaps = sorted(range(high), key=lambda at: self.ranges[at + 1][0] - self.ranges[at][1])
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if len(str(self._closed(gaps[:middle]))) <= longest else (middle + 1, high)
        found = self._closed(gaps[:low])
        if len(str(found)) > longest:
            raise ValueError(f"{found} is longer than {longest} bytes")
        return found

    def _closed(self, gaps: list[int]) -> Ports:
        """With the gaps after these ranges filled."""
        return Ports((*self.ranges, *((self.ranges[at][1], self.ranges[at + 1][0]) for at in gaps)))

    def __contains__(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.ranges)

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ports) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __str__(self) -> str:
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ranges)

    def __repr__(self) -> str:
        return f"Ports({str(self)!r})"
