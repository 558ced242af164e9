"""Where things stand: the place of a directive, the location a finding points at, and the way to a value in force."""

from __future__ import annotations

from typing import NamedTuple

from advisor.records import dataclass


class Place(NamedTuple):
    """Where an nginx directive stands or would stand, by logical address: edits leave it true.

    ``block`` is the path of blocks inside ``file``, each with its ordinal among blocks of its name there:
    ``http#0/server#1``; empty for the file's top level. ``ordinal`` counts directives of one name in it.
    """

    file: str
    block: str
    directive: str
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Location:
    """Where a finding points. Lines and columns from 1; ``length`` is of the marked text."""

    logical: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    length: int = 0
    excerpt: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A step on the way to an effective value: what happens there, and where; lines and columns as in `Location`.

    ``path`` is None for what stands in no file, such as a live value.
    """

    text: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    excerpt: str | None = None
    length: int = 0
