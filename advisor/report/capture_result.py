"""What is told of a capture: how it was read, the connections that are shown, and what all of them come to."""

from __future__ import annotations

from typing import NamedTuple

from advisor.capture.connection import Connection
from advisor.capture.gaps import Gaps
from advisor.capture.ladder import Ladder
from advisor.capture.segments import Endpoints
from advisor.capture.totals import Totals


class Reading(NamedTuple):
    """How a capture was read.

    ``first`` and ``last`` are times in nanoseconds since the epoch, None without a frame; ``left_out`` counts frames
    that are no TCP segments, by reason; ``remarks`` say what else the reader should know (packets lost, interrupted);
    ``problem`` says why the rest could not be read.
    """

    name: str
    format: str
    frames: int
    segments: int
    first: int | None
    last: int | None
    left_out: tuple[tuple[str, int], ...] = ()
    remarks: tuple[str, ...] = ()
    problem: str | None = None


class Seen(NamedTuple):
    """A capture, as it is told.

    ``total`` connections are in it, ``matched`` of them were wanted, ``shown`` are those of the table, sorted by
    ``sort``; ``one`` says that a single one was asked for by its number. ``ladders`` have the numbers of their
    connections; there are none where more than a few matched. ``totals`` are of all that were wanted; ``gaps`` of the
    whole capture, None where it was narrowed down.
    """

    reading: Reading
    endpoints: Endpoints
    total: int
    matched: int
    shown: list[Connection]
    sort: str
    one: bool
    ladders: list[tuple[int, Ladder]]
    totals: Totals
    gaps: Gaps | None
