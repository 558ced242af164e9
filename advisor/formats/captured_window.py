"""The part of a stream that is in hand: one buffer, its unread rest moved to the front before more is read."""

from __future__ import annotations

import numpy as np

from advisor.formats.frames import SLACK, Into


class Window:
    """Bytes of a stream.

    Attributes:
        data: the buffer; `SLACK` bytes of it are never filled.
        stop: how many bytes of it are filled.
        base: where in the stream the first of them stands.
    """

    def __init__(self, into: Into, head: bytes, size: int) -> None:
        self._into, self._ended = into, False
        self.data = np.zeros(max(size, len(head)) + SLACK, np.uint8)
        self.base = 0
        self.data[: len(head)] = np.frombuffer(head, np.uint8)
        self.stop = len(head)

    def fill(self, most: int | None = None) -> bool:
        """Read once, into what is free, but no more than ``most``; room is doubled where nothing is free.

        Returns:
            False at the end of the stream.
        """
        if self.stop == len(self.data) - SLACK:
            self.data = np.concatenate((self.data, np.zeros(self.stop, np.uint8)))
        if not self._ended:
            size = self._into(self.data[self.stop : -SLACK][:most].data)
            self._ended = not size
            self.stop += size
        return not self._ended

    def head(self, size: int) -> bytes:
        """The first bytes, fewer only where the stream ends."""
        while self.stop < size and self.fill(size - self.stop):
            pass
        return self.data[: min(size, self.stop)].tobytes()

    def drop(self, used: int) -> None:
        """Forget the first bytes."""
        if used:
            rest = self.stop - used
            self.data[:rest] = self.data[used : self.stop]
            self.base += used
            self.stop = rest
