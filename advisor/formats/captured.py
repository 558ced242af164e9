"""Capture files of any kind as frames: pcap or pcapng, packed or not, told by their first bytes, never by a name.

A file is read once from front to back, chunk by chunk, into one buffer that is used again and again: pipes work, and
files that are larger than memory.
"""

from __future__ import annotations

from advisor.errors import InputError
from advisor.formats import compressed, pcap, pcapng
from advisor.formats.captured_window import Window
from advisor.formats.frames import Format, Frames, PackingError, Part, Source

CHUNK = 32 << 20
"""The most bytes that are read at once."""
_FIRST = 4 << 20
"""Bytes that are read at first, and later at the least."""
_RECORDS = 1 << 17
"""Frames that are read at once where they are of one size: enough for what a chunk costs whatever it holds to be
little, few enough for their columns to stay in the cache (measured)."""
_NAMED = 12
"""Bytes by which a format is told."""
_OTHERS = (
    (b"snoop\0", "this is a snoop capture of Solaris; editcap turns it into pcap"),
    (b"btsnoop\0", "this is a Bluetooth capture"),
    (b"GMBU", "this is a Network Monitor capture; editcap turns it into pcap"),
    (b"XCP\0", "this is a Sniffer capture; editcap turns it into pcap"),
    (b"RTSS", "this is a Network Monitor capture; editcap turns it into pcap"),
    (b"PK\3\4", "this is a zip archive: unpack it"),
    (b"BZh", "packed by bzip2: unpack it"),
    (b"\xfd7zXZ\0", "packed by xz: unpack it"),
    (b"\x04\x22\x4d\x18", "packed by lz4: unpack it"),
    (b"\x1f\x8b", "packed twice: unpack it once"),
    (b"\x28\xb5\x2f\xfd", "packed twice: unpack it once"),
    (b"\x7fELF", "this is a program"),
)
_PRINTABLE = frozenset((*range(0x20, 0x7F), *b"\t\r\n"))


class Capture:
    """The frames of a capture, in chunks; see `Frames` for how long each may be used.

    Attributes:
        format: what it is, ready to print: ``pcap, microseconds, big-endian, gzip``.
        frames: how many there were so far.
        untimed: how many of them have no time of their own (pcapng's Simple Packet Blocks): each has that of the
            frame before it, 0 where there is none.
        first, last: the earliest and the latest time so far, in nanoseconds since the epoch; None before any frame.
        problem: once all was read, what kept the rest from being read, or None. Every frame before it was given.
    """

    def __init__(self, window: Window, kind: Format, words: str, name: str) -> None:
        self._window, self._kind, self._name = window, kind, name
        self._used, self._most = 0, _FIRST
        self.format = words
        self.frames = self.untimed = 0
        self.first: int | None = None
        self.last: int | None = None
        self.problem: InputError | None = None

    def __iter__(self) -> Capture:
        return self

    def __next__(self) -> Frames:
        window = self._window
        while self.problem is None:
            window.drop(self._used)
            self._used = 0
            more = self._fill()
            part = self._kind.read(window.data, window.stop)
            self._used = part.used
            if part.fault is not None:
                self._stop(window.base + part.used, part.fault)
            elif not more and self.problem is None:
                self._cut(window.base + part.used, window.stop - part.used)
            if len(part.offset):
                return self._counted(part)
            if not more:
                break
        raise StopIteration

    def _fill(self) -> bool:
        try:
            return self._window.fill(self._most)
        except PackingError as damage:
            self._stop(self._window.base + self._window.stop, str(damage))
        except OSError as error:
            self._stop(self._window.base + self._window.stop, f"cannot be read any further ({error.strerror})")
        return False

    def _stop(self, place: int, what: str) -> None:
        self.problem = InputError(f"{self._name}: byte {place:,}: {what}; everything before it was read")

    def _cut(self, place: int, rest: int) -> None:
        """Tell of the bytes of a record whose end is not there."""
        if rest:
            self._stop(place, f"the file ends {rest:,} bytes into a record: it was cut off, or is still being written")

    def _counted(self, part: Part) -> Frames:
        earliest, latest = int(part.time.min()), int(part.time.max())
        self.first = earliest if self.first is None else min(self.first, earliest)
        self.last = latest if self.last is None else max(self.last, latest)
        number = self.frames + 1
        self.frames += len(part.offset)
        self._most = max(_FIRST, part.used // len(part.offset) * _RECORDS)
        self.untimed += part.untimed
        return Frames(self._window.data, *part[:4], self._kind.links, part.interface, number)


def open_capture(source: Source, chunk: int = CHUNK, name: str = "capture") -> Capture:
    """Begin to read a capture.

    Args:
        source: read once, front to back; a chunk is handed on as soon as the source gives bytes.
        chunk: how many bytes are asked for at once, at the most; fewer where the frames are small.
        name: what it is called in errors.

    Raises:
        InputError: when it is no capture, or one that nothing can be read of: what it is instead.
    """
    try:
        head, rest, packing = compressed.opened(source)
        window = Window(rest, head, chunk)
        kind = _format(window)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from None
    words = kind.words if packing is None else f"{kind.words}, {packing}"
    return Capture(window, kind, words, name)


def _format(window: Window) -> Format:
    """The format, behind what stands at the front of a file."""
    head = window.head(_NAMED)
    if pcap.is_pcap(head):
        head = window.head(pcap.HEADER)
        if len(head) < pcap.HEADER:
            raise InputError(f"a pcap file cut off in its header: {len(head)} bytes of {pcap.HEADER}")
        window.drop(pcap.HEADER)
        return pcap.Pcap(head)
    if pcapng.is_pcapng(head):
        return pcapng.Pcapng(head)
    raise InputError(f"{_what(head)}; only pcap and pcapng are read")


def _what(head: bytes) -> str:
    """What a file is that begins so."""
    if not head:
        return "is empty"
    for magic, what in _OTHERS:
        if head.startswith(magic):
            return what
    return "this is a text file" if _PRINTABLE.issuperset(head) else f"begins with {head[:4].hex(' ')}"
