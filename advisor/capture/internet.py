"""IP and TCP headers: a frame to its TCP segment. One frame at a time; the reference for the columns of `decode`.

IPv4 (RFC 791), IPv6 and its extension headers (RFC 8200, RFC 4302), TCP (RFC 9293). TCP inside IP in IP (RFC 2003, RFC
4213), GRE (RFC 2784, RFC 2890) and VXLAN (RFC 7348) is found, too.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.capture import link as links
from advisor.capture.link import Left

TCP, UDP, GRE = 6, 17, 47
IP_IN_IP = (4, 41)
VXLAN = 4789
"""The UDP port that IANA gave VXLAN."""
NEEDED = 16
"""Bytes of a TCP header that are read: up to the window. The checksum behind it may be cut."""

_FRAGMENT, _AH = 44, 51
EXTENSIONS = (0, 43, _FRAGMENT, _AH, 60, 135)
"""Hop-by-hop options, routing, fragment, authentication, destination options, mobility."""
_CHAIN = 16
"""Extension headers followed in one packet; RFC 8504, 5.3 lets a host stop at fewer."""
_NESTED = 4
"""Tunnels followed in one frame."""
_TRANSPARENT_ETHERNET = 0x6558


class Found(NamedTuple):
    """A TCP segment's headers: addresses of 4 or 16 bytes, ``ident`` the IPv4 identification (0 for IPv6)."""

    source: bytes
    target: bytes
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    window: int
    length: int
    ident: int


class _Packet(NamedTuple):
    """An IP packet: its protocol, whose header begins at ``at``, and where its payload ends on the wire."""

    protocol: int
    at: int
    end: int
    source: bytes
    target: bytes
    ident: int
    fragment: int
    more: int


def segment(link: int, data: bytes | memoryview, original: int) -> Found | Left:
    """The TCP segment in a frame of a link type, of which ``data`` was kept and ``original`` bytes were on the wire.

    The payload's length is what the IP header says, whatever was kept; of a first fragment, what it carries. Where IP
    says 0 (segmentation offload, BIG TCP, a jumbo payload option), it is all that the frame has.
    """
    data = memoryview(data)
    at = links.network(link, data)
    for _ in range(_NESTED):
        if isinstance(at, Left):
            return at
        packet = _packet(data, at, original)
        if isinstance(packet, Left):
            return packet
        if packet.protocol == TCP:
            return _tcp(data, packet)
        at, original = _tunnel(data, packet), packet.end
    return Left.MALFORMED


def _packet(data: memoryview, at: int, original: int) -> _Packet | Left:
    if len(data) <= at:
        return Left.CUT
    version = data[at] >> 4
    if version == 4:  # noqa: PLR2004 (IPv4)
        packet = _ipv4(data, at, original)
    elif version == 6:  # noqa: PLR2004 (IPv6)
        packet = _ipv6(data, at, original)
    else:
        return Left.MALFORMED
    return packet if isinstance(packet, Left) else _extended(data, packet)


def _ipv4(data: memoryview, at: int, original: int) -> _Packet | Left:
    if len(data) < at + 20:
        return Left.CUT
    header = (data[at] & 15) * 4
    total, ident, bits = (int.from_bytes(data[at + where : at + where + 2]) for where in (2, 4, 6))
    end = at + total if total else original
    if header < 20 or end < at + header:  # noqa: PLR2004 (the least of RFC 791, 3.1)
        return Left.MALFORMED
    source, target = bytes(data[at + 12 : at + 16]), bytes(data[at + 16 : at + 20])
    return _Packet(data[at + 9], at + header, end, source, target, ident, bits & 0x1FFF, bits >> 13 & 1)


def _ipv6(data: memoryview, at: int, original: int) -> _Packet | Left:
    if len(data) < at + 40:
        return Left.CUT
    payload = int.from_bytes(data[at + 4 : at + 6])
    end = at + 40 + payload if payload else original
    source, target = bytes(data[at + 8 : at + 24]), bytes(data[at + 24 : at + 40])
    return _Packet(data[at + 6], at + 40, end, source, target, 0, 0, 0)


def _extended(data: memoryview, packet: _Packet) -> _Packet | Left:
    """Go behind the extension headers."""
    for _ in range(_CHAIN):
        if packet.fragment:
            carries = packet.protocol in (TCP, GRE, *IP_IN_IP, *EXTENSIONS)
            return Left.FRAGMENT if carries else Left.NOT_TCP
        if packet.protocol not in EXTENSIONS:
            return packet
        head = data[packet.at : packet.at + 8]
        if len(head) < 8:  # noqa: PLR2004 (the unit of RFC 8200, 4)
            return Left.CUT if packet.end >= packet.at + 8 else Left.MALFORMED
        length = (head[1] + 2) * 4 if packet.protocol == _AH else (head[1] + 1) * 8
        if packet.protocol == _FRAGMENT:
            bits = int.from_bytes(head[2:4])
            length, packet = 8, packet._replace(fragment=bits >> 3, more=bits & 1)
        packet = packet._replace(protocol=head[0], at=packet.at + length)
    return Left.MALFORMED


def _tcp(data: memoryview, packet: _Packet) -> Found | Left:
    at, size = packet.at, packet.end - packet.at
    if size < 20:  # noqa: PLR2004 (the least of RFC 9293, 3.1)
        return Left.MALFORMED
    if len(data) < at + NEEDED:
        return Left.CUT
    header = (data[at + 12] >> 4) * 4
    if header < 20 or (header > size and not packet.more):  # noqa: PLR2004 (the least of RFC 9293, 3.1)
        return Left.MALFORMED
    sport, dport, window = (int.from_bytes(data[at + where : at + where + 2]) for where in (0, 2, 14))
    seq, ack = (int.from_bytes(data[at + where : at + where + 4]) for where in (4, 8))
    length = max(size - header, 0)
    ends = packet.source, packet.target, sport, dport
    return Found(*ends, seq, ack, data[at + 13], window, length, packet.ident)


def _tunnel(data: memoryview, packet: _Packet) -> int | Left:
    """Where the IP packet begins that this one carries."""
    at = packet.at
    if packet.protocol in IP_IN_IP:
        return at
    if packet.protocol == GRE:
        return _gre(data, at)
    if packet.protocol == UDP and int.from_bytes(data[at + 2 : at + 4]) == VXLAN:
        return links.ethertype(data, at + 28, at + 30)
    return Left.NOT_TCP


def _gre(data: memoryview, at: int) -> int | Left:
    if len(data) < at + 4:
        return Left.CUT
    bits, kind = (int.from_bytes(data[at + where : at + where + 2]) for where in (0, 2))
    if bits & 0x4007:  # source routes (RFC 1701), or version 1 (PPTP)
        return Left.NOT_TCP
    after = at + 4 + 4 * (bits >> 12 & 0b1011).bit_count()
    if kind == _TRANSPARENT_ETHERNET:
        return links.ethertype(data, after + 12, after + 14)
    return links.ethertype(data, at + 2, after)
