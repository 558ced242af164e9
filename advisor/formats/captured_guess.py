"""Guessing where the records of a capture begin: many places at once, from what a few records look like.

A chunk is cut into stretches, and in each the first place is looked for where something stands that looks like the
header of a record, followed by two more. From all these places the lengths are followed in step, one record of each
stretch at a time. What comes out is a guess, since payload may look like a record: `captured_records` checks it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_walk import Chain

_FEW = 2000
"""Records that are followed one by one sooner than guessed (measured)."""
_STEP_COST = 4
"""What a step of all stretches costs, in guesses of a beginning (measured)."""
_STRAY = 4
"""How many times as many steps as expected are taken before a stretch is given up."""
_HOPS = 2
"""Headers that must follow one that is guessed."""

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
    widest = int(np.diff(sample, append=start).max())
    likely = _Likeness(data, sample, chain).beginnings(start, stop, each * mean, 2 * widest)
    cursors = np.concatenate(([start], likely))
    return _followed(data, cursors, np.append(likely, stop), chain, _STRAY * each)


class _Likeness:
    """What the headers of records look like, judged by a sample.

    Of the bytes that are most often the same, what they are in the middle of the sample.
    """

    def __init__(self, data: Bytes, sample: Numbers, chain: Chain) -> None:
        self._data, self._chain = data, chain
        self._steady = np.array(chain.steady)
        self._values = np.sort(data[sample[:, None] + self._steady], axis=0)[len(sample) // 2]

    def beginnings(self, start: int, stop: int, stretch: int, width: int) -> Numbers:
        """For each stretch but the first, the first place that looks like a record, if there is one.

        Args:
            start: of the first stretch.
            stop: behind the last one.
            stretch: bytes of each.
            width: bytes of each that are looked at.
        """
        align = self._chain.align
        stretch -= stretch % align
        width = min(width, stretch) // align
        rows = (stop - start - self._chain.header) // stretch - 1
        match = np.ones((rows, width), np.bool_)
        for place, value in zip(self._chain.steady, self._values, strict=True):
            column = (start + stretch + place, (stretch, align))
            match &= np.ndarray((rows, width), np.uint8, self._data, *column) == value
        row, step = np.divmod(np.flatnonzero(match), width)
        places = start + (row + 1) * stretch + step * align
        followed = self._is_followed(places, stop)
        row, places = row[followed], places[followed]
        return places[np.diff(row, prepend=-1) > 0]

    def _is_followed(self, places: Numbers, stop: int) -> NDArray[np.bool_]:
        """Whether two more such headers follow, where the lengths say that they begin."""
        low, high = _length_bytes(self._data, self._chain)
        right = np.ones(len(places), np.bool_)
        for _ in range(_HOPS):
            places = np.minimum(places + self._chain.plus + low[places] + high[places] * np.int64(256), stop)
            right &= (self._data[places[:, None] + self._steady] == self._values).all(axis=1)
        return right


def _followed(data: Bytes, cursors: Numbers, ends: Numbers, chain: Chain, most: int) -> Numbers:
    """All places that come one after the other from each of the cursors to its end, of at most ``most`` steps."""
    low, high = _length_bytes(data, chain)
    steps = [cursors]
    for step in range(most):
        place = steps[-1]
        further = np.multiply(high.take(place, mode="clip"), 256, dtype=np.int64)
        further += low.take(place, mode="clip")
        further += place
        further += chain.plus
        steps.append(further)
        if not step % 8 and (further >= ends).all():
            break
    places = np.array(steps)
    return places.T[(places < ends).T]


def _length_bytes(data: Bytes, chain: Chain) -> tuple[Bytes, Bytes]:
    """The low bytes of the lengths of records that begin at each place, and those above."""
    low, high = (0, 1) if chain.order == "<" else (3, 2)
    return data[chain.at + low :], data[chain.at + high :]
