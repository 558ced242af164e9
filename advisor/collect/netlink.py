"""Asking the kernel about TCP sockets by NETLINK_SOCK_DIAG (sock_diag(7)): any user may, in its network namespace.

Where the kernel has its part for TCP as a module (tcp_diag), the first question loads it, as ss(8) does.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from advisor.errors import InputError
from advisor.formats import sockdiag

T = TypeVar("T")

_NETLINK_SOCK_DIAG = 4
_DATAGRAM = 64 * 1024
"""Bytes; the kernel fills at most 32 KiB of a datagram of a dump."""
_TIMEOUT_S = 5.0


def dump(
    parse: Callable[[bytes], tuple[list[T], int | None]],
    states: Collection[int],
    extensions: Collection[int] = (),
    code: bytes = b"",
) -> Iterator[list[T]]:
    """The sockets in some states, datagram by datagram: nothing is kept here.

    One walk through the kernel's tables answers for IPv4 and IPv6; where that is refused, each is asked for alone.

    Args:
        parse: `sockdiag.rows` or `sockdiag.sockets`.
        states: see `advisor.catalog.tcp.State`.
        extensions: see `sockdiag.question`.
        code: see `sockdiag.ports_filter`.

    Raises:
        OSError: when the kernel refuses.
        InputError: when an answer can't be understood.
    """
    mask = sockdiag.states_mask(states)
    begun = False
    try:
        for found in ask(parse, sockdiag.question(sockdiag.AF_UNSPEC, mask, extensions, code)):
            begun = True
            yield found
    except OSError:
        if begun:
            raise
        for family in (sockdiag.AF_INET, sockdiag.AF_INET6):
            yield from ask(parse, sockdiag.question(family, mask, extensions, code))


def ask(parse: Callable[[bytes], tuple[list[T], int | None]], question: bytes) -> Iterator[list[T]]:
    """The answers to one question; errors as for `dump`."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG) as asked:
        asked.settimeout(_TIMEOUT_S)
        asked.send(question)
        status = None
        while status is None:
            try:
                found, status = parse(asked.recv(_DATAGRAM))
            except ValueError as error:
                raise InputError(f"SOCK_DIAG: {error}; this kernel's answers can't be read") from None
            if found:
                yield found
        if status:
            raise OSError(status, f"SOCK_DIAG was refused: {os.strerror(status)}")
