"""zstd streams (RFC 8878), unpacked piece by piece, and whether they came to their end."""

from __future__ import annotations

from typing import IO, cast

import zstandard

from advisor.formats.frames import PackingError, Source

_PIECE = 1 << 20
"""Bytes of the packed stream that are read at once."""
_WIDEST = 1 << 27
"""The widest window that is unpacked, in bytes: what ``zstd -d`` takes without being told to."""
_MAGIC, _SKIPPABLE_HEADER, _BLOCK_HEADER = 4, 8, 3
_SKIPPABLE = bytes.fromhex("2a4d18")
"""The magic number of a skippable frame, but for its first byte (RFC 8878, 3.1.2)."""
_LONGEST_HEADER = 18
_REPEATED = 1
"""The type of a block that holds one byte, and says how often (RFC 8878, 3.1.1.2.2)."""
_CHECKSUM = 4


class Zstd:
    """One zstd frame after the other.

    Args:
        head: what was read from the source already.
        source: behind that.
    """

    def __init__(self, head: bytes, source: Source) -> None:
        self._packed = _Packed(head, source)
        context = zstandard.ZstdDecompressor(max_window_size=_WIDEST)
        self._reader = context.stream_reader(cast("IO[bytes]", self._packed), _PIECE, read_across_frames=True)

    def readinto1(self, room: memoryview) -> int:
        """See `advisor.formats.frames.Into`.

        Raises:
            PackingError: when no more can be unpacked.
        """
        try:
            size: int = self._reader.readinto1(room)
        except zstandard.ZstdError as error:
            raise PackingError(f"the zstd stream is damaged here ({error})") from None
        if not size and not self._packed.ended.between:
            raise PackingError("the zstd stream ends here, before its end")
        return size


class _Packed:
    """A source behind bytes that have been read from it already, as zstandard reads it."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head, self._source = head, source
        self.ended = _Frames()

    def read(self, size: int) -> bytes:
        """Some bytes, at most ``size`` but for the head."""
        head, self._head = self._head, b""
        piece = head or self._source.read1(size)
        self.ended.see(piece)
        return piece


class _Frames:
    """Where a stream stands in its frames: zstandard does not tell the end of a stream from one that was cut off."""

    def __init__(self) -> None:
        self._rest = b""
        self._skip = 0
        self._in_frame = self._checksum = False

    @property
    def between(self) -> bool:
        """Whether it is at the end of a frame."""
        return not (self._rest or self._skip or self._in_frame)

    def see(self, piece: bytes) -> None:
        """Follow it through some more bytes."""
        rest, place = self._rest + piece, 0
        while place < len(rest):
            skipped = min(self._skip, len(rest) - place)
            self._skip -= skipped
            place += skipped
            head = rest[place : place + _LONGEST_HEADER]
            taken = self._block(head) if self._in_frame else self._frame(head)
            place += taken
            if not taken:
                break
        self._rest = rest[place:]

    def _frame(self, head: bytes) -> int:
        """Take in the header of a frame, and say how long it is; 0 if not all of it is there."""
        if head[1:_MAGIC] == _SKIPPABLE and len(head) >= _SKIPPABLE_HEADER:
            self._skip = int.from_bytes(head[_MAGIC:_SKIPPABLE_HEADER], "little")
            return _SKIPPABLE_HEADER
        if head[1:_MAGIC] == _SKIPPABLE or len(head) <= _MAGIC:
            return 0
        descriptor = head[_MAGIC]
        single = descriptor >> 5 & 1
        content = (single, 2, 4, 8)[descriptor >> 6]
        size = _MAGIC + 1 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + content
        if len(head) < size:
            return 0
        self._in_frame, self._checksum = True, bool(descriptor >> 2 & 1)
        return size

    def _block(self, head: bytes) -> int:
        """Take in the header of a block, and say how long it is; 0 if not all of it is there."""
        if len(head) < _BLOCK_HEADER:
            return 0
        header = int.from_bytes(head[:_BLOCK_HEADER], "little")
        self._skip = 1 if header >> 1 & 3 == _REPEATED else header >> 3
        if header & 1:
            self._in_frame = False
            self._skip += _CHECKSUM * self._checksum
        return _BLOCK_HEADER
