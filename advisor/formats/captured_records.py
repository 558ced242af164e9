"""The records of a chunk of a capture, found fast: guessed, and then checked.

Following one record after the other in Python takes most of the time of reading a capture. Guesses are checked one by
one: each record must end where the next one begins. So what is found are exactly the records that `walk` finds, and
a wrong guess costs nothing but time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_guess import guess
from advisor.formats.captured_walk import Chain, walk

_SAMPLE = 64
"""Records that are followed one by one at first, and wherever a guess was wrong."""
_MOST_REPAIRS = 32
"""Wrong guesses of a chunk after which the rest of it is followed one by one."""

Numbers = NDArray[np.int64]
Fields = tuple[NDArray[np.uint32], ...]


class Records(NamedTuple):
    """Whole records: where each starts, fields of their headers, and where the last of them ends."""

    starts: Numbers
    fields: Fields
    end: int


def find(
    data: NDArray[np.uint8], start: int, stop: int, chain: Chain, gather: Callable[[Numbers], Fields], length: int
) -> Records:
    """The whole records from ``start`` on: those of `walk`.

    Args:
        data: with `advisor.formats.frames.SLACK` bytes behind ``stop``.
        start: where the first one begins.
        stop: behind the last byte that may be used.
        chain: how they follow each other.
        gather: gives fields of the records that begin at some places.
        length: which of them is the one that tells how long a record is.
    """
    sample, end = walk(data, start, stop, chain, _SAMPLE)
    starts = np.array(sample, np.int64)
    guesses = guess(data, starts, end, stop, chain) if len(sample) == _SAMPLE else None
    if guesses is None:
        rest, end = walk(data, end, stop, chain)
        starts = np.concatenate((starts, np.array(rest, np.int64)))
        return Records(starts, gather(starts), end)
    starts = np.concatenate((starts, guesses))
    fields = gather(starts)
    pieces, end = _checked(data, starts, fields[length], stop, chain)
    if len(pieces) == 1:
        starts = pieces[0]
        return Records(starts, tuple(field[: len(starts)] for field in fields), end)
    starts = np.concatenate(pieces)
    return Records(starts, gather(starts), end)


def _checked(
    data: NDArray[np.uint8], starts: Numbers, lengths: NDArray[np.uint32], stop: int, chain: Chain
) -> tuple[list[Numbers], int]:
    """The records, in pieces: runs of guesses in which each ends where the next begins, and what was between them."""
    ends = starts + chain.plus + lengths
    right = (lengths >= chain.least) & (lengths <= chain.longest) & (lengths & (chain.align - 1) == 0) & (ends <= stop)
    linked = right.copy()
    linked[:-1] &= ends[:-1] == starts[1:]
    linked[-1] = False
    broken = np.flatnonzero(~linked)
    pieces: list[Numbers] = []
    first = 0
    for _ in range(_MOST_REPAIRS):
        last = int(broken[np.searchsorted(broken, first)])
        if not right[last]:
            return [*pieces, starts[first:last]], int(starts[last])
        pieces.append(starts[first : last + 1])
        between, end, first = _bridge(data, starts, int(ends[last]), stop, chain)
        if between:
            pieces.append(np.array(between, np.int64))
        if first < 0:
            return pieces, end
    rest, end = walk(data, int(starts[first]), stop, chain)
    return [*pieces, np.array(rest, np.int64)], end


def _bridge(
    data: NDArray[np.uint8], starts: Numbers, place: int, stop: int, chain: Chain
) -> tuple[list[int], int, int]:
    """The records from a place on, one by one, up to a guess, or to the end.

    Returns:
        their starts, where they end, and the number of the guess, -1 where none was met.
    """
    found: list[int] = []
    while True:
        some, end = walk(data, place, stop, chain, _SAMPLE)
        indexes = np.minimum(np.searchsorted(starts, some), len(starts) - 1)
        met = np.flatnonzero(starts[indexes] == some)
        if len(met):
            return found + some[: met[0]], some[met[0]], int(indexes[met[0]])
        found += some
        if len(some) < _SAMPLE:
            return found, end, -1
        place = end
