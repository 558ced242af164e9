"""The messages of NETLINK_SOCK_DIAG: packing questions about TCP sockets and reading the answers.

Numbers and layouts: sock_diag(7), and the kernel's include/uapi/linux/{netlink,sock_diag,inet_diag,tcp}.h.
Netlink speaks the machine's byte order; ports and addresses are in network order.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10
INFO, SKMEMINFO = 2, 7
"""Attributes that a question may ask for (INET_DIAG_INFO, INET_DIAG_SKMEMINFO)."""
_SKV6ONLY = 11

_TCPDIAG_GETSOCK, _SOCK_DIAG_BY_FAMILY = 18, 20
_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE = 1, 2, 3
_REQUEST_DUMP = 0x0301
_REQ_BYTECODE = 1
_IPPROTO_TCP = 6
_OP_JMP, _OP_S_EQ, _OP_D_EQ = 1, 11, 12

_HEADER = struct.Struct("=IHHII")
_HEAD = struct.Struct("=IH")
_ROW = struct.Struct("=16xBBxx2s34s")
_SOCKET = struct.Struct("=16xBBxx2s2s16s16s4xQ4xIIII")
_TCP_INFO = struct.Struct("=44xI4xII")
_DATA_SEGS = struct.Struct("=152xII")
_DROPS = struct.Struct("=32xI")
_ATTRIBUTE = struct.Struct("=HH")
_ERRNO = struct.Struct("=i")
_OP = struct.Struct("=BBH")
_SHORTEST = 88
_MAPPED = bytes(10) + b"\xff\xff"
MOST_PORTS = 4096
"""Ports that fit into one filter: 12 bytes each, in an attribute of at most 64 KiB."""

Row = tuple[int, int, bytes, bytes]
"""Family, state, local port (2 bytes), and remote port, local and remote address (2 + 16 + 16 bytes) as sent."""


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


class Info(NamedTuple):
    """What we use of ``struct tcp_info``: ages in ms, counts of segments with data (None before Linux 4.6)."""

    last_data_sent: int
    last_data_recv: int
    last_ack_recv: int
    data_segs_in: int | None
    data_segs_out: int | None


def states_mask(states: Iterable[int]) -> int:
    """The bits that ask for some states (see `advisor.catalog.tcp.State`)."""
    return sum({1 << state for state in states})


def question(family: int, mask: int, extensions: Collection[int] = (), code: bytes = b"") -> bytes:
    """A dump request for TCP sockets.

    Args:
        family: AF_UNSPEC asks with TCPDIAG_GETSOCK, which walks the kernel's tables once for both families; AF_INET
            or AF_INET6 asks with SOCK_DIAG_BY_FAMILY.
        mask: see `states_mask`.
        extensions: attributes wanted in each answer, INFO or SKMEMINFO.
        code: a filter that the kernel runs, see `ports_filter`.
    """
    wanted = sum(1 << (number - 1) for number in extensions)
    if family == AF_UNSPEC:
        kind, body = _TCPDIAG_GETSOCK, struct.pack("=BBBB48xII", family, 0, 0, wanted, mask, 0)
    else:
        kind, body = _SOCK_DIAG_BY_FAMILY, struct.pack("=BBBxI48x", family, _IPPROTO_TCP, wanted, mask)
    if code:
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(code), _REQ_BYTECODE) + code
    return _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_DUMP, 1, 0) + body


def ports_filter(ports: Collection[int], *, remote: bool = False) -> bytes:
    """The filter that lets only sockets of these local (or remote) ports through.

    Each port is a comparison that jumps over the next instruction when it fails; that instruction jumps to the very
    end, which accepts. The last comparison jumps 4 bytes beyond the end, which rejects.

    Raises:
        ValueError: with no port, or more than `MOST_PORTS`.
    """
    if not 0 < len(ports) <= MOST_PORTS:
        raise ValueError(f"a filter takes 1 to {MOST_PORTS} ports, not {len(ports)}")
    equal = _OP_D_EQ if remote else _OP_S_EQ
    size = 12 * len(ports) - 4
    code = b""
    for index, port in enumerate(sorted(ports)):
        code += _OP.pack(equal, 8, 12) + _OP.pack(0, 0, port)
        if index < len(ports) - 1:
            code += _OP.pack(_OP_JMP, 4, size - len(code))
    return code


def messages(data: bytes) -> tuple[list[tuple[int, int]], int | None]:
    """Where the sockets of one datagram stand, by the length that each message states.

    Returns:
        the (start, end) of each socket's message, and None while more datagrams follow, 0 at the end of the dump,
        or the errno with which the kernel refused.

    Raises:
        ValueError: when the datagram is damaged: what, and at which byte.
    """
    spans: list[tuple[int, int]] = []
    start, size = 0, len(data)
    while start < size:
        if size - start < _HEADER.size:
            raise ValueError(f"byte {start}: {size - start} bytes are no netlink header")
        length, kind = _HEAD.unpack_from(data, start)
        end = start + length
        if length < _HEADER.size or end > size:
            raise ValueError(f"byte {start}: a message of {length} bytes in a datagram of {size}")
        if kind in {_SOCK_DIAG_BY_FAMILY, _TCPDIAG_GETSOCK}:
            if length < _SHORTEST:
                raise ValueError(f"byte {start}: a socket in {length} bytes, {_SHORTEST} is the least")
            spans.append((start, end))
        elif kind in {_NLMSG_ERROR, _NLMSG_DONE}:
            return spans, _errno(data, start, end)
        elif kind != _NLMSG_NOOP:
            raise ValueError(f"byte {start}: a message of type {kind}, which no dump of sockets holds")
        start += (length + 3) & ~3
    return spans, None


def _errno(data: bytes, start: int, end: int) -> int:
    if end - start < _HEADER.size + _ERRNO.size:
        return 0
    (code,) = _ERRNO.unpack_from(data, start + _HEADER.size)
    return abs(int(code))


def rows(data: bytes) -> tuple[list[Row], int | None]:
    """The sockets of one datagram, each as a `Row`; the second value and errors as for `messages`."""
    spans, status = messages(data)
    unpack = _ROW.unpack_from
    return [unpack(data, start) for start, _ in spans], status


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
        _attributes(data, start + _SHORTEST, end),
    )


def _attributes(data: bytes, start: int, end: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while end - start >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < _ATTRIBUTE.size or start + length > end:
            raise ValueError(f"byte {start}: an attribute of {length} bytes, {end - start} are left")
        found[kind] = data[start + _ATTRIBUTE.size : start + length]
        start += (length + 3) & ~3
    return found


def info(socket: Socket) -> Info | None:
    """What INET_DIAG_INFO says; None when it was not sent (TIME_WAIT has none) or is shorter than any kernel's."""
    data = socket.attributes.get(INFO)
    if data is None or len(data) < _TCP_INFO.size:
        return None
    segments = _DATA_SEGS.unpack_from(data) if len(data) >= _DATA_SEGS.size else (None, None)
    return Info(*_TCP_INFO.unpack_from(data), *segments)


def drops(socket: Socket) -> int | None:
    """The packets this socket dropped, of INET_DIAG_SKMEMINFO; None when it was not sent (before Linux 4.7)."""
    data = socket.attributes.get(SKMEMINFO)
    if data is None or len(data) < _DROPS.size:
        return None
    return int(_DROPS.unpack_from(data)[0])


def v6only(socket: Socket) -> bool:
    """Whether a listener on an IPv6 address refuses IPv4."""
    return socket.attributes.get(_SKV6ONLY, b"\0") != b"\0"


def address(family: int, raw: bytes) -> bytes:
    """The 4 or 16 bytes of an address that a message holds in 16; an IPv4-mapped one (RFC 4291) is 4 bytes."""
    if family == AF_INET:
        return raw[:4]
    return raw[12:] if raw.startswith(_MAPPED) else raw


def text(raw: bytes) -> str:
    """An address of 4 or 16 bytes as people write it: ``10.0.0.1``, ``2001:db8::1`` (RFC 5952)."""
    return str(IPv4Address(raw) if len(raw) == 4 else IPv6Address(raw))  # noqa: PLR2004 (the size of an IPv4 address)
