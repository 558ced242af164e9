"""The segments of a capture one by one, for what goes packet by packet."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator

from advisor.capture.connection import Connection
from advisor.capture.decode import Decoder
from advisor.capture.machine import Conversation
from advisor.capture.segments import Endpoints, Segment, Segments
from advisor.formats.captured import open_capture


def one_by_one(segments: Segments) -> Iterator[Segment]:
    """The rows of columns."""
    return map(Segment._make, zip(*(column.tolist() for column in segments), strict=True))


def read(path: pathlib.Path, endpoints: Endpoints) -> list[Segment]:
    """All segments of a whole, small file."""
    decoder = Decoder(endpoints)
    with path.open("rb") as file:
        capture = open_capture(file)
        found = [one for frames in capture for one in one_by_one(decoder.decode(frames))]
    assert capture.problem is None, capture.problem
    return found


def conversations(segments: Iterable[Segment]) -> Iterator[tuple[Segment, Connection]]:
    """Each segment, and the connection it belongs to as it stands behind it: take what you need of that at once."""
    known: dict[tuple[int, int], Conversation] = {}
    for one in segments:
        ends = min(one.source, one.target), max(one.source, one.target)
        if ends not in known:
            known[ends] = Conversation(ends, lambda _: None)
        yield one, known[ends].step(one)
