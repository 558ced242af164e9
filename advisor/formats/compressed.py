"""Streams that may be compressed: gzip and zstd, told by their first bytes and unpacked piece by piece.

Formats: RFC 1952 (gzip), RFC 8878 (zstd). However much a stream grows when unpacked, only a piece is held at a time.
"""

from __future__ import annotations

import zlib
from functools import partial

from advisor.formats.frames import Into, PackingError, Source

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAGIC = 4
"""Bytes by which a compression is told."""
_PIECE = 1 << 20
"""Bytes of the compressed stream that are read at once."""
_GZIP_WRAPPER = 31
"""wbits of zlib: a window of 32 KiB, with a gzip header."""


def opened(source: Source) -> tuple[bytes, Into, str | None]:
    """What a source begins with, where to read on, and the name of its compression.

    Returns:
        bytes that have been read already, what reads those behind them, and ``gzip``, ``zstd`` or None.
    """
    head = b""
    while len(head) < _MAGIC and (more := source.read1(_MAGIC - len(head))):
        head += more
    if head.startswith(_GZIP):
        return b"", _Gzip(head, source).readinto1, "gzip"
    if head.startswith(_ZSTD):
        from advisor.formats.compressed_zstd import Zstd  # noqa: PLC0415 (7 ms, for few files)

        return b"", Zstd(head, source).readinto1, "zstd"
    return head, getattr(source, "readinto1", partial(_copied, source)), None


def _copied(source: Source, room: memoryview) -> int:
    """`Into` of a source that cannot write into place, which takes twice as long."""
    piece = source.read1(len(room))
    room[: len(piece)] = piece
    return len(piece)


class _Gzip:
    """One gzip member after the other (RFC 1952, 2.2)."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._packed, self._source = head, source
        self._member = zlib.decompressobj(_GZIP_WRAPPER)
        self._begun = True

    def readinto1(self, room: memoryview) -> int:
        """See `Into`.

        Raises:
            PackingError: when no more can be unpacked.
        """
        while self._packed or self._more():
            if not self._begun:
                self._packed = self._packed.lstrip(b"\0")  # tapes are padded so, and gzip(1) lets it pass
                if not self._packed:
                    continue
            piece = self._piece(len(room))
            self._begun = True
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_WRAPPER)
                self._begun = False
            if piece:
                room[: len(piece)] = piece
                return len(piece)
        if not self._begun:
            return 0
        piece = self._member.decompress(b"", len(room))  # what zlib held back, for want of room
        if not piece:
            raise PackingError("the gzip stream ends here, before its end")
        room[: len(piece)] = piece
        return len(piece)

    def _piece(self, size: int) -> bytes:
        """Some bytes; of a call that meets damage zlib gives nothing, so that it is then fed with ever less."""
        fed = len(self._packed)
        while True:
            before = self._member.copy()
            try:
                piece = self._member.decompress(self._packed[:fed], size)
            except zlib.error as error:
                self._member = before
                if fed == 1:
                    raise PackingError(f"the gzip stream is damaged here ({error})") from None
                fed = max(fed >> 4, 1)
            else:
                rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
                self._packed = rest + self._packed[fed:]
                return piece

    def _more(self) -> bool:
        self._packed = self._source.read1(_PIECE)
        return bool(self._packed)
