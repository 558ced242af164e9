"""The records of a chunk of a capture, found fast: guessed, and then checked.

Following one record after the other in Python takes most of the time of reading a capture. Guesses are checked one by
one: each record must end where the next one begins. So what is found are exactly the records that `walk` finds, and
a wrong guess costs nothing but time.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_walk import Chain, walk

_SAMPLE = 64
"""Records that are followed one by one at first, and wherever a guess was wrong."""
_MOST_REPAIRS = 128
"""Wrong guesses of a chunk after which the rest of it is followed one by one."""

Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
"""Those of a chunk, with `advisor.formats.frames.SLACK` more behind the last that may be used."""


class Records(NamedTuple):
    """Whole records: where each starts, the numbers in its header (a row each), and where the last of them ends."""

    starts: Numbers
    fields: Numbers
    end: int


class Layout(Protocol):
    """How the records of a format look."""

    @property
    def chain(self) -> Chain:
        """How they follow each other."""

    @property
    def length(self) -> int:
        """Which of their fields is the one that tells how long they are."""

    def fields(self, data: Bytes, starts: Numbers) -> Numbers:
        """The numbers in the headers of the records that start there, a row each."""

    def guess(self, data: Bytes, sample: Numbers, start: int, stop: int) -> Numbers | None:
        """Where records may begin from ``start`` on, ascending; None if following them one by one is as fast.

        Those of ``sample`` come just before.
        """


def find(data: Bytes, start: int, stop: int, layout: Layout) -> Records:
    """The whole records from ``start`` to ``stop``: those of `walk`."""
    chain = layout.chain
    sample, end = walk(data, start, stop, chain, _SAMPLE)
    starts = np.array(sample, np.int64)
    guesses = layout.guess(data, starts, end, stop) if len(sample) == _SAMPLE else None
    if guesses is None:
        rest, end = walk(data, end, stop, chain)
        starts = np.concatenate((starts, np.array(rest, np.int64)))
        return Records(starts, layout.fields(data, starts), end)
    starts = np.concatenate((starts, guesses))
    fields = layout.fields(data, starts)
    pieces, end = _checked(data, starts, fields[layout.length], stop, chain)
    if len(pieces) == 1 and isinstance(pieces[0], slice):
        return Records(starts[pieces[0]], fields[:, pieces[0]], end)
    runs = [starts[piece] if isinstance(piece, slice) else np.array(piece, np.int64) for piece in pieces]
    heads = [
        fields[:, piece] if isinstance(piece, slice) else layout.fields(data, run)
        for piece, run in zip(pieces, runs, strict=True)
    ]
    return Records(np.concatenate(runs), np.concatenate(heads, axis=1), end)


def _checked(
    data: Bytes, starts: Numbers, lengths: Numbers, stop: int, chain: Chain
) -> tuple[list[slice | list[int]], int]:
    """The records, in pieces: runs of guesses in which each ends where the next begins, and what was between them.

    Returns:
        which guesses, or where each starts that was none; and where the last of them ends.
    """
    ends = starts + lengths
    ends += chain.plus
    broken = np.append(ends[:-1] != starts[1:], True)
    if lengths.min() < chain.least or lengths.max() > chain.longest:
        broken |= (lengths < chain.least) | (lengths > chain.longest)
    if chain.align > 1:
        broken |= lengths & (chain.align - 1) != 0
    broken = np.flatnonzero(broken)
    pieces: list[slice | list[int]] = []
    first = 0
    for _ in range(_MOST_REPAIRS):
        last = int(broken[np.searchsorted(broken, first)])
        if ends[last] > stop or not chain.may_be(int(lengths[last])):
            return [*pieces, slice(first, last)], int(starts[last])
        pieces.append(slice(first, last + 1))
        between, end, first = _bridge(data, starts, int(ends[last]), stop, chain)
        if between:
            pieces.append(between)
        if first < 0:
            return pieces, end
    rest, end = walk(data, int(starts[first]), stop, chain)
    return [*pieces, rest], end


def _bridge(data: Bytes, starts: Numbers, place: int, stop: int, chain: Chain) -> tuple[list[int], int, int]:
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
