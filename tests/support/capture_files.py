"""Bytes of small pcap and pcapng files, record by record, for tests of the readers."""

from __future__ import annotations

import struct

MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
SECTION = 0x0A0D0D0A


def pcap(order: str = "<", magic: int = MICROSECONDS, link: int = 1, version: tuple[int, int] = (2, 4)) -> bytes:
    """The header of a pcap file."""
    return struct.pack(f"{order}IHHiIII", magic, *version, 0, 0, 65_535, link)


def record(seconds: int, fraction: int, frame: bytes, original: int | None = None, order: str = "<") -> bytes:
    """A record of a pcap file."""
    wire = len(frame) if original is None else original
    return struct.pack(f"{order}IIII", seconds, fraction, len(frame), wire) + frame


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block of a pcapng file, its body padded to a multiple of 4."""
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def section(order: str = "<", version: int = 1) -> bytes:
    """A Section Header Block."""
    return block(SECTION, struct.pack(f"{order}IHHq", 0x1A2B3C4D, version, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """An option of a block."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link: int = 1, snaplen: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    """An Interface Description Block."""
    return block(1, struct.pack(f"{order}HHI", link, 0, snaplen) + options, order)


def enhanced(ticks: int, frame: bytes, number: int = 0, original: int | None = None, order: str = "<") -> bytes:
    """An Enhanced Packet Block."""
    wire = len(frame) if original is None else original
    return block(
        6, struct.pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), wire) + frame, order
    )


def old_packet(ticks: int, frame: bytes, number: int = 0, order: str = "<") -> bytes:
    """A Packet Block, obsolete."""
    size = len(frame)
    return block(
        2, struct.pack(f"{order}HHIIII", number, 7, ticks >> 32, ticks & 0xFFFFFFFF, size, size) + frame, order
    )


def simple(frame: bytes, original: int | None = None, order: str = "<") -> bytes:
    """A Simple Packet Block."""
    return block(3, struct.pack(f"{order}I", len(frame) if original is None else original) + frame, order)
