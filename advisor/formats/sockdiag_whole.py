"""Sockets one by one and in full, from the messages of NETLINK_SOCK_DIAG: for few of them.

Layout: include/uapi/linux/inet_diag.h.
"""

from __future__ import annotations

import struct
import sys
from typing import NamedTuple

from advisor.formats.sockdiag import CGROUP_ID, SKMEMINFO, address, messages

_SOCKET = struct.Struct("=16xBBxx2s2s16s16s4xQ4xIIII")
_DROPS = struct.Struct("=32xI")
_ATTRIBUTE = struct.Struct("=HH")
_SHORTEST = 88
_CGROUP_ID_SIZE = 8
_SKV6ONLY = 11


class Socket(NamedTuple):
    """One socket in full.

    ``source`` and ``destination`` are addresses of 4 or 16 bytes, IPv4-mapped ones made IPv4. In LISTEN ``rqueue``
    is the accept queue now and ``wqueue`` its limit; else they are bytes not read and not acknowledged.
    ``inode`` is 0 for a socket that no process holds. ``cookie`` never returns in a network namespace.
    """

    state: int
    sport: int
    dport: int
    source: bytes
    destination: bytes
    cookie: int
    rqueue: int
    wqueue: int
    uid: int
    inode: int
    attributes: dict[int, bytes]


def sockets(data: bytes) -> tuple[list[Socket], int | None]:
    """The sockets of one datagram in full; the second value and errors as for `messages`."""
    spans, status = messages(data)
    return [_socket(data, start, end) for start, end in spans], status


def _socket(data: bytes, start: int, end: int) -> Socket:
    family, state, sport, dport, source, destination, cookie, rqueue, wqueue, uid, inode = _SOCKET.unpack_from(
        data, start
    )
    return Socket(
        state,
        int.from_bytes(sport, "big"),
        int.from_bytes(dport, "big"),
        address(family, source),
        address(family, destination),
        cookie,
        rqueue,
        wqueue,
        uid,
        inode,
        attributes(data, start + _SHORTEST, end),
    )


def attributes(data: bytes, start: int, end: int) -> dict[int, bytes]:
    """The attributes that stand between two bytes, by number.

    Raises:
        ValueError: where one is shorter than its head or longer than what is left.
    """
    found: dict[int, bytes] = {}
    while end - start >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < _ATTRIBUTE.size or start + length > end:
            raise ValueError(f"byte {start}: an attribute of {length} bytes, {end - start} are left")
        found[kind] = data[start + _ATTRIBUTE.size : start + length]
        start += (length + 3) & ~3
    return found


def drops(socket: Socket) -> int | None:
    """The packets this socket dropped, of INET_DIAG_SKMEMINFO; None when it was not sent (before Linux 4.7)."""
    data = socket.attributes.get(SKMEMINFO)
    if data is None or len(data) < _DROPS.size:
        return None
    return int(_DROPS.unpack_from(data)[0])


def cgroup(socket: Socket) -> int | None:
    """The control group (version 2) that the socket was made in, as the inode number of its folder.

    None where the kernel does not say; 1 is the outermost group, which is where all are without version 2.
    """
    data = socket.attributes.get(CGROUP_ID, b"")
    return int.from_bytes(data, sys.byteorder) if len(data) == _CGROUP_ID_SIZE else None


def v6only(socket: Socket) -> bool:
    """Whether a listener on an IPv6 address refuses IPv4."""
    return socket.attributes.get(_SKV6ONLY, b"\0") != b"\0"
