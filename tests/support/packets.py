"""Frames as bytes, built layer by layer: ``ether(ip("10.0.0.1", "10.0.0.2", tcp(40000, 80, SYN)))``.

Checksums are left 0: what a capture of an offloading interface shows. Lengths are what the layer really carries, unless
given.
"""

from __future__ import annotations

import ipaddress
import struct

from advisor.capture.segments import ACK

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
"""Ethernet types."""
TCP, UDP = 6, 17
"""IP protocols."""


def segment(
    sport: int,
    dport: int,
    flags: int = ACK,
    *,
    seq: int = 0,
    ack: int = 0,
    window: int = 64240,
    payload: bytes = b"",
    options: bytes = b"",
    offset: int | None = None,
) -> bytes:
    """A TCP header (RFC 9293, 3.1) and what it carries; options are padded to words."""
    options += bytes(-len(options) % 4)
    words = 5 + len(options) // 4 if offset is None else offset
    bits = words << 12 | flags
    return struct.pack("!HHIIHHHH", sport, dport, seq % 2**32, ack % 2**32, bits, window, 0, 0) + options + payload


def ip(
    source: str,
    target: str,
    payload: bytes,
    *,
    protocol: int = TCP,
    ident: int = 0,
    options: bytes = b"",
    fragment: int = 0,
    more: bool = False,
    length: int | None = None,
) -> bytes:
    """An IPv4 packet (RFC 791); ``fragment`` is its offset in units of 8 bytes."""
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if length is None else length
    head = struct.pack(
        "!BBHHHBBH4s4s",
        4 << 4 | words,
        0,
        total,
        ident,
        more << 13 | fragment,
        64,
        protocol,
        0,
        ipaddress.IPv4Address(source).packed,
        ipaddress.IPv4Address(target).packed,
    )
    return head + options + payload


def ip6(
    source: str,
    target: str,
    payload: bytes,
    *,
    following: int = TCP,
    length: int | None = None,
) -> bytes:
    """An IPv6 packet (RFC 8200); ``following`` is the first next header."""
    total = len(payload) if length is None else length
    ends = ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(target).packed
    return struct.pack("!IHBB", 6 << 28, total, following, 64) + ends + payload


def tcp(
    source: tuple[str, int],
    target: tuple[str, int],
    flags: int = ACK,
    *,
    seq: int = 0,
    ack: int = 0,
    payload: bytes = b"",
    window: int = 64240,
    ident: int = 0,
    options: bytes = b"",
) -> bytes:
    """An IP packet, of the family of its addresses, with one TCP segment."""
    inner = segment(source[1], target[1], flags, seq=seq, ack=ack, payload=payload, window=window, options=options)
    if ":" in source[0]:
        return ip6(source[0], target[0], inner)
    return ip(source[0], target[0], inner, ident=ident)


def _ethertype(packet: bytes) -> int:
    return IPV6 if packet[:1] and packet[0] >> 4 == 6 else IPV4


def ether(packet: bytes, *, vlans: tuple[int, ...] = (), tags: tuple[int, ...] = (), kind: int | None = None) -> bytes:
    """An Ethernet frame, padded to 60 bytes; ``vlans`` from the outside, ``tags`` their types (0x8100)."""
    tag = b"".join(struct.pack("!HH", of, vlan) for of, vlan in zip(tags or (0x8100,) * len(vlans), vlans, strict=True))
    frame = bytes(12) + tag + struct.pack("!H", _ethertype(packet) if kind is None else kind) + packet
    return frame.ljust(60, b"\0")


def null(packet: bytes, *, family: int | None = None, order: str = "<") -> bytes:
    """LINKTYPE_NULL; with ``order=">"`` LINKTYPE_LOOP."""
    family = (30 if _ethertype(packet) == IPV6 else 2) if family is None else family
    return struct.pack(f"{order}I", family) + packet


def sll(packet: bytes, *, direction: int = 0, kind: int | None = None) -> bytes:
    """LINKTYPE_LINUX_SLL; ``direction`` 0 to us, 4 sent by us."""
    kind = _ethertype(packet) if kind is None else kind
    return struct.pack("!HHH8sH", direction, 1, 6, bytes(8), kind) + packet


def sll2(packet: bytes, *, ifindex: int = 1, direction: int = 0, kind: int | None = None) -> bytes:
    """LINKTYPE_LINUX_SLL2."""
    kind = _ethertype(packet) if kind is None else kind
    return struct.pack("!HHIHBB8s", kind, 0, ifindex, 1, direction, 6, bytes(8)) + packet
