"""Captured frames in chunks: what both capture formats give, whatever the compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Frames(NamedTuple):
    """Some frames of a capture, in file order, one column a property.

    ``data`` holds the bytes of all (valid only until the next chunk is asked for); ``offset`` is where each frame
    starts in it, ``captured`` how many bytes were kept, ``original`` how many were on the wire; ``time`` is in
    nanoseconds since the epoch. ``links`` are the link types (LINKTYPE_, FCS bits masked) of the interfaces met so far;
    ``interface`` the number of each frame's, None where all came from the one interface 0. ``first`` is the number of
    the first frame in the file, from 1.
    """

    data: NDArray[np.uint8]
    offset: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    time: NDArray[np.int64]
    links: tuple[int, ...]
    interface: NDArray[np.int64] | None
    first: int


class Source(Protocol):
    """A stream of bytes that may give fewer than asked for (a pipe), and b"" at its end."""

    def read1(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes, as soon as there are some."""
