"""Link layers: where the IP packet begins in a frame. One frame at a time; the readable reference.

Link types are those of https://www.tcpdump.org/linktypes.html. Ethernet in its shapes: VLAN tags (IEEE 802.1Q and
802.1ad), 802.2 LLC with SNAP (RFC 1042), PPPoE (RFC 2516), MPLS (RFC 3032).
"""

from __future__ import annotations

from enum import Enum

NULL, EN10MB, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2 = 0, 1, 101, 108, 113, 228, 229, 276
PPP, DLT_RAW_BSD, DLT_RAW_OPENBSD = 9, 12, 14
RAWS = (RAW, DLT_RAW_BSD, DLT_RAW_OPENBSD, IPV4, IPV6)
"""Link types whose frames are IP packets; 12 and 14 are DLT_RAW of BSDs, which some writers left in the file."""

ETHERTYPE_IP, ETHERTYPE_IPV6 = 0x0800, 0x86DD
TAGS = (0x8100, 0x88A8, 0x9100)
"""EtherTypes of VLAN tags; 0x9100 is what vendors used for the outer one before 802.1ad."""
FAMILIES = (2, 10, 24, 28, 30)
"""AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD and macOS, as LINKTYPE_NULL and LOOP say it, in either byte order."""

_HEADERS = {EN10MB: (14, 12), LINUX_SLL: (16, 14), LINUX_SLL2: (20, 0)}
"""The length of a link's header, and where in it the EtherType is."""
_PPPOE_SESSION, _MPLS = 0x8864, (0x8847, 0x8848)
_LLC_MOST = 1500
_LLC_SNAP = b"\xaa\xaa\x03\0\0\0"
_PPP_HDLC = b"\xff\x03"
_PPP_IP = (0x0021, 0x0057)
_SHIMS = 16
"""Tags, labels and headers that one frame may stack."""


class Left(Enum):
    """Why a frame gave no TCP segment."""

    LINK = "a link type that is not known"
    NOT_IP = "not IP"
    NOT_TCP = "not TCP"
    FRAGMENT = "a later fragment, without a TCP header"
    CUT = "captured too short: the snap length ends before the TCP header does"
    MALFORMED = "headers that contradict themselves"
    CROWDED = "an IPv6 address beyond the first half million"


def network(link: int, data: memoryview) -> int | Left:
    """Where the IP packet begins in a frame of a link type."""
    if link in RAWS:
        return 0
    if link in _HEADERS:
        length, where = _HEADERS[link]
        return ethertype(data, where, length)
    if link in (NULL, LOOP):
        known = {int.from_bytes(data[:4]), int.from_bytes(data[:4], "little")}.intersection(FAMILIES)
        return (4 if known else Left.NOT_IP) if len(data) >= 4 else Left.CUT  # noqa: PLR2004 (bytes of a family)
    return _ppp(data, 2 if data[:2] == _PPP_HDLC else 0) if link == PPP else Left.LINK


def ethertype(data: memoryview, where: int, after: int) -> int | Left:
    """Where the IP packet begins, if the EtherType is at ``where`` and what it announces at ``after``."""
    for _ in range(_SHIMS):
        kind = int.from_bytes(data[where : where + 2])
        if len(data) < max(where + 2, after):
            return Left.CUT
        if kind in (ETHERTYPE_IP, ETHERTYPE_IPV6):
            return after
        if kind in TAGS:
            where, after = after + 2, after + 4
        elif kind <= _LLC_MOST and data[after : after + 6] == _LLC_SNAP:
            where, after = after + 6, after + 8
        elif kind == _PPPOE_SESSION:
            return _ppp(data, after + 6)
        else:
            return _labels(data, after) if kind in _MPLS else Left.NOT_IP
    return Left.MALFORMED


def _ppp(data: memoryview, at: int) -> int | Left:
    if len(data) < at + 2:
        return Left.CUT
    return at + 2 if int.from_bytes(data[at : at + 2]) in _PPP_IP else Left.NOT_IP


def _labels(data: memoryview, at: int) -> int | Left:
    """Behind the last MPLS label; what follows shows itself by its version."""
    for _ in range(_SHIMS):
        if len(data) < at + 5:
            return Left.CUT
        last, at = data[at + 2] & 1, at + 4
        if last:
            return at if data[at] >> 4 in (4, 6) else Left.NOT_IP
    return Left.MALFORMED
