"""The messages of NETLINK_SOCK_DIAG: packing questions about TCP sockets and reading the answers.

Numbers and layouts: sock_diag(7), and the kernel's include/uapi/linux/{netlink,sock_diag,inet_diag,tcp}.h.
Netlink speaks the machine's byte order; ports and addresses are in network order.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Collection, Iterable

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10
INFO, SKMEMINFO, CGROUP_ID = 2, 7, 21
"""Attributes: INET_DIAG_INFO and INET_DIAG_SKMEMINFO come when asked for, INET_DIAG_CGROUP_ID by itself (Linux 5.7)."""

_TCPDIAG_GETSOCK, _SOCK_DIAG_BY_FAMILY = 18, 20
_SOCKETS = frozenset({_TCPDIAG_GETSOCK, _SOCK_DIAG_BY_FAMILY})
_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE = 1, 2, 3
_REQUEST_DUMP = 0x0301
_REQ_BYTECODE = 1
_IPPROTO_TCP = 6
_OP_JMP, _OP_S_GE, _OP_S_LE, _OP_D_GE, _OP_D_LE, _OP_S_EQ, _OP_D_EQ = 1, 2, 3, 4, 5, 11, 12

_HEADER = struct.Struct("=IHHII")
_HEAD = struct.Struct("=IH")
_ATTRIBUTE = struct.Struct("=HH")
_ERRNO = struct.Struct("=i")
_OP = struct.Struct("=BBH")
_SHORTEST = 88
FAMILY, STATE, TIMER = 16, 17, 18
"""Where these bytes stand in a message."""
_DONE_SIZE = 20
_ENDS = tuple(kind.to_bytes(2, sys.byteorder) for kind in (_NLMSG_ERROR, _NLMSG_DONE))
MAPPED = bytes(10) + b"\xff\xff"
"""How an IPv4-mapped address begins (RFC 4291, 2.5.5.2)."""
MOST_PORTS = 4096
"""Ports that fit into one filter: 12 bytes each, in an attribute of at most 64 KiB."""
STRIPE = 4096
"""Ports of which a sample takes the last few: close enough to each other for every program's way to choose ports."""
_STRIPE_CODE = 20

Row = tuple[int, int, bytes, bytes]
"""Family, state, local port (2 bytes), and remote port, local and remote address (2 + 16 + 16 bytes) as sent."""


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


def ports_filter(ports: Collection[int], *, remote: bool = False, then: bytes = b"") -> bytes:
    """The filter that lets only sockets of these local (or remote) ports through.

    Each port is a comparison that jumps over the next instruction when it fails; that instruction jumps to the very
    end, which accepts. The last comparison jumps 4 bytes beyond the end, which rejects.

    Args:
        ports: 1 to `MOST_PORTS`.
        remote: whether they are remote ones.
        then: a filter that must let them through as well.

    Raises:
        ValueError: with no port, or more than `MOST_PORTS`.
    """
    if not 0 < len(ports) <= MOST_PORTS:
        raise ValueError(f"a filter takes 1 to {MOST_PORTS} ports, not {len(ports)}")
    equal = _OP_D_EQ if remote else _OP_S_EQ
    size = 12 * len(ports) - 4
    code = b""
    for index, port in enumerate(sorted(ports)):
        last = index == len(ports) - 1
        code += _OP.pack(equal, 8, 12 + len(then) * last) + _OP.pack(0, 0, port)
        if not last:
            code += _OP.pack(_OP_JMP, 4, size - len(code))
    return code + then


def stripes_filter(width: int, *, local: bool = True) -> bytes:
    """The filter that lets sockets through whose remote, or local, port is in a stripe: see `in_stripes`.

    A stripe is two comparisons and a jump to the end, which accepts; a comparison that fails goes on to the next
    stripe, and from the last one 4 bytes beyond the end, which rejects.
    """
    ends = [(_OP_D_GE, _OP_D_LE), *([(_OP_S_GE, _OP_S_LE)] if local else [])]
    stripes = [(*ops, start) for ops in ends for start in range(0, 65_536, STRIPE)]
    size = _STRIPE_CODE * len(stripes) - 4
    code = b""
    for at_least, at_most, start in stripes:
        low, high = start + STRIPE - width, start + STRIPE - 1
        code += _OP.pack(at_least, 8, 20) + _OP.pack(0, 0, low) + _OP.pack(at_most, 8, 12) + _OP.pack(0, 0, high)
        if len(code) < size:
            code += _OP.pack(_OP_JMP, 4, size - len(code))
    return code


def in_stripes(port: int, width: int) -> bool:
    """Whether a port is among the last ``width`` of the `STRIPE` ports that it belongs to."""
    return port % STRIPE >= STRIPE - width


def may_end(datagram: bytes | memoryview) -> bool:
    """Whether the last message of a dump may be in a datagram, at one of its ends: `messages` then tells."""
    ends = (datagram[4:6], datagram[-_DONE_SIZE + 4 : -_DONE_SIZE + 6])
    return any(end in _ENDS for end in ends) or len(datagram) < _SHORTEST


def aligned(length: int) -> int:
    """What a message takes of a datagram."""
    return (length + 3) & ~3


def stride(data: bytes) -> int:
    """What each socket takes in some datagrams, where all are of one length and family; else 0.

    Of every message that is compared which says where the next one begins: as `messages`, this takes nothing on
    trust. The message that ends the dump may follow them.
    """
    if len(data) < _SHORTEST:
        return 0
    length, kind = _HEAD.unpack_from(data)
    if length < _SHORTEST or kind not in _SOCKETS:
        return 0
    step = aligned(length)
    sockets, rest = divmod(len(data), step)
    if rest and not _is_end(data[-rest:]):
        return 0
    end = sockets * step
    same = all(data[place:end:step].count(data[place]) == sockets for place in (*range(_HEAD.size), FAMILY))
    return step if same else 0


def _is_end(message: bytes) -> bool:
    """Whether this is the message that ends a dump that was granted."""
    if len(message) != _DONE_SIZE or _HEAD.unpack_from(message) != (_DONE_SIZE, _NLMSG_DONE):
        return False
    return _errno(message, 0, _DONE_SIZE) == 0


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
        if kind in _SOCKETS:
            if length < _SHORTEST:
                raise ValueError(f"byte {start}: a socket in {length} bytes, {_SHORTEST} is the least")
            spans.append((start, end))
        elif kind in {_NLMSG_ERROR, _NLMSG_DONE}:
            return spans, _errno(data, start, end)
        elif kind != _NLMSG_NOOP:
            raise ValueError(f"byte {start}: a message of type {kind}, which no dump of sockets holds")
        start += aligned(length)
    return spans, None


def _errno(data: bytes, start: int, end: int) -> int:
    if end - start < _HEADER.size + _ERRNO.size:
        return 0
    (code,) = _ERRNO.unpack_from(data, start + _HEADER.size)
    return abs(int(code))


def address(family: int, raw: bytes) -> bytes:
    """The 4 or 16 bytes of an address that a message holds in 16; an IPv4-mapped one (RFC 4291) is 4 bytes."""
    if family == AF_INET:
        return raw[:4]
    return raw[12:] if raw.startswith(MAPPED) else raw


def text(raw: bytes) -> str:
    """An address of 4 or 16 bytes as people write it: ``10.0.0.1``, ``2001:db8::1`` (RFC 5952)."""
    if len(raw) == 4:  # noqa: PLR2004 (the size of an IPv4 address)
        return ".".join(map(str, raw))
    from ipaddress import IPv6Address  # noqa: PLC0415 (3 ms, which a host without IPv6 need not pay)

    return str(IPv6Address(raw))
