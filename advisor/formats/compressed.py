"""Streams that may be compressed: gzip and zstd, told by their first bytes and unpacked piece by piece.

Formats: RFC 1952 (gzip), RFC 8878 (zstd). However much a stream grows when unpacked, only a piece is held at a time.
"""

from __future__ import annotations

import zlib

from advisor.errors import InputError
from advisor.formats.frames import Source

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAGIC = 4
"""Bytes by which a compression is told."""
_PIECE = 1 << 18
"""Bytes of the compressed stream that are read at once."""
_GZIP_WRAPPER = 31
"""wbits of zlib: a window of 32 KiB, with a gzip header."""
_WIDEST = 1 << 27
"""The widest window of a zstd stream that is unpacked, in bytes: what ``zstd -d`` takes without being told to."""


class PackingError(InputError):
    """A compressed stream that cannot be unpacked any further."""


def opened(source: Source) -> tuple[bytes, Source, str | None]:
    """What a source begins with, where to read on, and the name of its compression.

    Returns:
        bytes that have been read already, the stream behind them, and ``gzip``, ``zstd`` or None.
    """
    head = b""
    while len(head) < _MAGIC and (more := source.read1(_PIECE)):
        head += more
    if head.startswith(_GZIP):
        return b"", _Gzip(head, source), "gzip"
    if head.startswith(_ZSTD):
        return b"", _Zstd(head, source), "zstd"
    return head, source, None


class _Gzip:
    """One gzip member after the other (RFC 1952, 2.2)."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._packed, self._source = head, source
        self._member = zlib.decompressobj(_GZIP_WRAPPER)
        self._begun = True

    def read1(self, size: int = _PIECE, /) -> bytes:
        """At most ``size`` bytes, as soon as there are some.

        Raises:
            PackingError: when no more can be unpacked.
        """
        while self._packed or self._more():
            try:
                piece = self._member.decompress(self._packed, size)
            except zlib.error as error:
                raise PackingError(f"the gzip stream is damaged here ({error})") from None
            self._packed = self._member.unconsumed_tail
            self._begun = True
            if self._member.eof:
                self._packed = self._member.unused_data.lstrip(b"\0")  # tapes and gzip(1) pad with zeros
                self._member = zlib.decompressobj(_GZIP_WRAPPER)
                self._begun = False
            if piece:
                return piece
        if self._begun:
            raise PackingError("the gzip stream ends here, before its end")
        return b""

    def _more(self) -> bool:
        self._packed = self._source.read1(_PIECE)
        return bool(self._packed)


class _Zstd:
    """One zstd frame after the other (RFC 8878, 3.1)."""

    def __init__(self, head: bytes, source: Source) -> None:
        import zstandard  # noqa: PLC0415 (7 ms, for few files)

        self._error = zstandard.ZstdError
        self._packed = _Rest(head, source)
        context = zstandard.ZstdDecompressor(max_window_size=_WIDEST)
        self._reader = context.stream_reader(self._packed, _PIECE, read_across_frames=True)

    def read1(self, size: int = _PIECE, /) -> bytes:
        """At most ``size`` bytes, as soon as there are some.

        Raises:
            PackingError: when no more can be unpacked.
        """
        try:
            return self._reader.read1(size)
        except self._error as error:
            raise PackingError(f"the zstd stream is damaged here ({error})") from None


class _Rest:
    """A source behind bytes that have been read from it already, as zstandard reads it."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head, self._source = head, source

    def read(self, size: int) -> bytes:
        """Some bytes, at most ``size`` but for the head."""
        head, self._head = self._head, b""
        return head or self._source.read1(size)
