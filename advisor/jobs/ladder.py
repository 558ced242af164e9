"""A capture read once more, for a few connections packet by packet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from advisor.capture.connection import Connection
from advisor.capture.decode import Decoder
from advisor.capture.ladder import Ladder
from advisor.capture.machine import Conversation, no_connection
from advisor.capture.segments import Endpoints, Segment, Segments
from advisor.collect.capture import opened
from advisor.formats.captured import open_capture

LINES = 200
"""Lines of a ladder, where not all are asked for."""


def ladders(
    path: str, endpoints: Endpoints, wanted: Sequence[Connection], frames: int, limit: int | None
) -> list[tuple[int, Ladder]]:
    """Number and ladder of each connection.

    Args:
        path: the capture's file.
        endpoints: those of the first reading.
        wanted: the connections, as the first reading left them.
        frames: how many frames that was; later ones, of a file that still grows, are left out.
        limit: None for all lines of a ladder.

    Raises:
        InputError: when the file can't be read again.
    """
    found = {one.frame: Ladder(None if limit is None else LINES) for one in wanted}
    talks = {pair: Conversation(pair, no_connection) for one in wanted for pair in [(one.ends[0], one.ends[1])]}
    last = 0
    for segment in _segments(path, endpoints, list(talks), frames):
        pair = min(segment.source, segment.target), max(segment.source, segment.target)
        one = talks[pair].step(segment)
        last = max(last, segment.time)
        if one.frame in found:
            found[one.frame].add(one, segment)
    for talk in talks.values():
        talk.finish(last)
    return [(one.number, found[one.frame]) for one in wanted]


def _segments(path: str, endpoints: Endpoints, pairs: list[tuple[int, int]], frames: int) -> Iterator[Segment]:
    """Those between some pairs of endpoints."""
    decoder = Decoder(endpoints)
    with opened(path) as stream:
        for part in open_capture(stream, name=path):
            yield from _between(decoder.decode(part), pairs, frames)
            if part.first + len(part.offset) > frames:
                return


def _between(some: Segments, pairs: list[tuple[int, int]], frames: int) -> Iterator[Segment]:
    fit = np.zeros(len(some.frame), np.bool_)
    for low, high in pairs:
        fit |= (some.source == low) & (some.target == high) | (some.source == high) & (some.target == low)
    rows = np.flatnonzero(fit & (some.frame <= frames))
    return map(Segment._make, zip(*(column[rows].tolist() for column in some), strict=True))
