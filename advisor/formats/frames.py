"""Captured frames in chunks: what both capture formats give, whatever the compression."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from advisor.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLACK = 512
"""Bytes of `Frames.data` that may be read behind the last frame; what they hold means nothing."""
LONGEST = 262_144
"""The most bytes that are kept of a frame: libpcap's MAXIMUM_SNAPLEN, beyond which a length is taken for damage."""


class Frames(NamedTuple):
    """Some frames of a capture, in file order, one column a property.

    ``data`` holds the bytes of all (valid only until the next chunk is asked for), and `SLACK` more; ``offset`` is
    where each frame starts in it, ``captured`` how many bytes were kept, ``original`` how many were on the wire;
    ``time`` is in nanoseconds since the epoch. ``links`` are the link types (LINKTYPE_, FCS bits masked) of the
    interfaces met so far, in all sections; ``interface`` the number of each frame's among them, None where all came
    from the one interface 0. ``first`` is the number of the first frame in the file, from 1.
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


Into = Callable[[memoryview], int]
"""Fills some of a buffer as soon as there are bytes, and says how much; 0 at the end: readinto1 of `io`."""


class PackingError(InputError):
    """A compressed stream that cannot be unpacked any further."""


class Part(NamedTuple):
    """What a format made of the bytes in hand: columns as in `Frames`, and where it stopped.

    ``used`` bytes are done with; what follows is the beginning of a record that goes on beyond the bytes in hand or,
    where there is a ``fault``, is the damage that it tells of. ``untimed`` counts frames without a time of their own.
    """

    offset: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    time: NDArray[np.int64]
    interface: NDArray[np.int64] | None
    used: int
    fault: str | None
    untimed: int


class Format(Protocol):
    """A format of captures, at some place in a file of it."""

    @property
    def words(self) -> str:
        """What it is, ready to print."""

    @property
    def links(self) -> tuple[int, ...]:
        """The link types of the interfaces met so far."""

    def read(self, data: NDArray[np.uint8], stop: int) -> Part:
        """The frames in the first ``stop`` bytes, which begin with a record."""
