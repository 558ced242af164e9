"""Guessing where the records of a pcap file begin: many places at once, from what a few records look like.

A chunk is cut into stretches, and in each the first place is looked for where something stands that looks like the
header of a record, followed by two more. From all these places the lengths are followed in step, one record of each
stretch at a time. What comes out is a guess, since payload may look like a record: `captured_records` checks it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_walk import Chain

_FEW = 2000
"""Records that are followed one by one sooner than guessed (measured)."""
_STEP_COST = 10
"""What a step of all stretches costs, in beginnings to be found (measured)."""
_STRAY = 4
"""How many times as many steps as expected are taken before a stretch is given up."""
_WIDE = 2
"""The most that is looked at of a stretch, in records; where none begins there, the stretch before goes on."""
_CHECK = 16
"""Steps between two looks which stretches are done."""
_HOPS = 2
"""Headers that must follow one that is guessed."""
_STEADY = {"<": (3, 10, 11, 14, 15), ">": (0, 8, 9, 12, 13)}
"""Bytes that hardly change from header to header: the highest of the seconds, and the upper two of both lengths."""
_LOW_HIGH = {"<": (0, 1), ">": (3, 2)}
_BYTE = 256

Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


def guess(data: Bytes, sample: Numbers, start: int, stop: int, chain: Chain) -> Numbers | None:
    """Where records may begin from ``start`` on, ascending, or None if that is not worth it.

    Args:
        data: with `advisor.formats.frames.SLACK` bytes behind ``stop``.
        sample: some records that end at ``start``, one after the other.
        start: where the next one begins.
        stop: behind the last byte to look at.
        chain: how they follow each other.
    """
    mean = (start - int(sample[0])) // len(sample)
    count = (stop - start) // mean
    if count < _FEW:
        return None
    each = int((count / _STEP_COST) ** 0.5)
    widest = min(int(np.diff(sample, append=start).max()), _WIDE * mean)
    likely = _Likeness(data, sample, chain).beginnings(start, stop, each * mean, widest)
    ends = np.append(likely, stop)
    return _followed(data, np.append(start, likely), ends, chain, _STRAY * each)


class _Likeness:
    """What the headers of records look like: the steady bytes are what they are in the middle of a sample."""

    def __init__(self, data: Bytes, sample: Numbers, chain: Chain) -> None:
        self._data, self._chain = data, chain
        self._steady = np.array(_STEADY[chain.order])
        self._values = np.sort(data[sample[:, None] + self._steady], axis=0)[len(sample) // 2]

    def beginnings(self, start: int, stop: int, stretch: int, width: int) -> Numbers:
        """For each stretch but the first, the first place that looks like a record, if there is one.

        Args:
            start: of the first stretch.
            stop: behind the last one.
            stretch: bytes of each.
            width: bytes of each that are looked at.
        """
        width = min(width, stretch)
        rows = (stop - start - self._chain.header) // stretch - 1
        first = start + stretch + int(self._steady[0])
        column = np.ndarray((rows, width), np.uint8, self._data, first, (stretch, 1))
        row, step = np.divmod(np.flatnonzero(column == self._values[0]), width)
        places = begins = start + (row + 1) * stretch + step
        low, high = _length_bytes(self._data, self._chain)
        for _ in range(1 + _HOPS):
            alike = self._alike(places)
            row, begins, places = row[alike], begins[alike], places[alike]
            places = np.minimum(places + self._chain.plus + low[places] + high[places] * np.int64(_BYTE), stop)
        return begins[np.diff(row, prepend=-1) > 0]

    def _alike(self, places: Numbers) -> Numbers:
        """Which of them look like records; one byte after the other, as few are left after the first."""
        alike = np.arange(len(places))
        for byte, value in zip(self._steady.tolist(), self._values.tolist(), strict=True):
            here = places if len(alike) == len(places) else places.take(alike)
            alike = alike.take(np.flatnonzero(self._data[byte:].take(here, mode="clip") == value))
        return alike


def _followed(data: Bytes, cursors: Numbers, ends: Numbers, chain: Chain, most: int) -> Numbers:
    """All places that come one after the other from each of the cursors to its end, of at most ``most`` steps."""
    found: list[Numbers] = []
    for _ in range(0, most, _CHECK):
        places = _steps(data, cursors, chain)
        inside = places[:-1].ravel().take(np.flatnonzero(places[:-1] < ends))
        found.append(inside.astype(np.uint32))  # sorts twice as fast
        going = np.flatnonzero(places[-1] < ends)
        cursors, ends = places[-1].take(going), ends.take(going)
        if not len(cursors):
            break
    return np.sort(np.concatenate(found)).astype(np.int64)


def _steps(data: Bytes, cursors: Numbers, chain: Chain) -> Numbers:
    """The cursors, and where `_CHECK` steps lead from each, a row a step."""
    low, high = _length_bytes(data, chain)
    lengths = np.zeros(len(cursors), "<i8")
    lowest, next_lowest = lengths.view(np.uint8).reshape(-1, lengths.itemsize).T[:2]
    places = np.empty((_CHECK + 1, len(cursors)), np.int64)
    places[0] = cursors
    for here, further in pairwise(places):
        lowest[:] = low.take(here, mode="clip")
        next_lowest[:] = high.take(here, mode="clip")
        np.add(here, lengths, out=further)
        np.add(further, chain.plus, out=further)
    return places


def _length_bytes(data: Bytes, chain: Chain) -> tuple[Bytes, Bytes]:
    """The low bytes of the lengths of records that begin at each place, and those above."""
    low, high = _LOW_HIGH[chain.order]
    return data[chain.at + low :], data[chain.at + high :]
