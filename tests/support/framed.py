"""Frames as the readers of captures give them, made by hand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from advisor.capture import link as links
from advisor.formats.frames import Frames


@dataclass(frozen=True)
class Frame:
    """A frame of a test's capture; on the wire it was as long as it is, unless ``original`` says so."""

    data: bytes
    link: int = links.EN10MB
    interface: int = 0
    time: int = 0
    original: int | None = None


def frames(some: list[Frame], first: int = 1, kinds: tuple[int, ...] = ()) -> Frames:
    """A chunk: interfaces numbered, each with its link type (``kinds``, if the chunk shall know more than it shows)."""
    sizes = [len(one.data) for one in some]
    shown = {one.interface: one.link for one in some}
    kinds = kinds or tuple(shown.get(i, links.EN10MB) for i in range(max(shown, default=0) + 1))
    original = [len(one.data) if one.original is None else one.original for one in some]
    column = [np.array(values, np.int64) for values in ([0, *accumulate(sizes)][:-1], sizes, original)]
    return Frames(
        np.frombuffer(b"".join(one.data for one in some), np.uint8),
        *column,
        np.array([one.time for one in some], np.int64),
        kinds,
        np.array([one.interface for one in some], np.int64) if len(kinds) > 1 else None,
        first,
    )
