"""Asking the kernel about TCP sockets by NETLINK_SOCK_DIAG (sock_diag(7)): any user may, in its network namespace.

Where the kernel has its part for TCP as a module (tcp_diag), the first question loads it, as ss(8) does.
A dump walks the kernel's table bucket by bucket and takes time in proportion to the buckets and the sockets in it,
whatever a mask or a filter leaves out of the answer; what is answered costs as much again. LISTEN alone is in a table
of its own.
"""

from __future__ import annotations

import os
from _socket import AF_NETLINK, SOCK_RAW, socket  # the module ``socket`` takes 5 ms more to import
from collections.abc import Collection, Iterator
from contextlib import closing

from advisor.errors import InputError
from advisor.formats import sockdiag

TYPE_CHECKING = False  # as mypy knows it; the module ``typing`` takes 6 ms to import
if TYPE_CHECKING:
    from advisor.formats.sockdiag_blocks import Block
    from advisor.formats.sockdiag_whole import Socket

_NETLINK_SOCK_DIAG = 4
_DATAGRAM = 64 * 1024
"""Bytes; the kernel fills at most 32 KiB of a datagram of a dump, however large the buffer is."""
_BATCH = 256 * 1024
"""Bytes that are gathered before they are looked at: more of them no longer saves time, and spills the CPU's cache."""
_TIMEOUT_S = 5.0


def dump(states: Collection[int], extensions: Collection[int] = (), code: bytes = b"") -> Iterator[list[Block]]:
    """The sockets in some states, as they come: nothing is kept here.

    One walk through the kernel's tables answers for IPv4 and IPv6; where that is refused, each is asked for alone.

    Args:
        states: see `advisor.catalog.tcp.State`.
        extensions: see `sockdiag.question`.
        code: see `sockdiag.ports_filter`.

    Raises:
        OSError: when the kernel refuses.
        InputError: when an answer can't be understood.
    """
    from advisor.formats.sockdiag_blocks import Cutter  # noqa: PLC0415 (10 ms, which a mere summary need not pay)

    cutter = Cutter()
    for data in answers(states, extensions, code):
        try:
            yield cutter.cut(data)
        except ValueError as error:
            raise damaged(error) from None


def each(states: Collection[int], extensions: Collection[int] = (), code: bytes = b"") -> Iterator[Socket]:
    """The sockets in some states one by one and in full: for few of them. Arguments and errors as for `dump`."""
    from advisor.formats.sockdiag_whole import sockets  # noqa: PLC0415 (likewise)

    for data in answers(states, extensions, code):
        try:
            found, _ = sockets(data)
        except ValueError as error:
            raise damaged(error) from None
        yield from found


def answers(states: Collection[int], extensions: Collection[int] = (), code: bytes = b"") -> Iterator[bytes]:
    """What the kernel sends for `dump`, as it is; arguments and errors as there."""
    mask = sockdiag.states_mask(states)
    begun = False
    try:
        for data in ask(sockdiag.question(sockdiag.AF_UNSPEC, mask, extensions, code)):
            begun = True
            yield data
    except OSError:
        if begun:
            raise
        for family in (sockdiag.AF_INET, sockdiag.AF_INET6):
            yield from ask(sockdiag.question(family, mask, extensions, code))


def ask(question: bytes) -> Iterator[bytes]:
    """The answers to one question, many datagrams at a time; errors as for `dump`."""
    buffer = memoryview(bytearray(_BATCH + _DATAGRAM))
    with closing(socket(AF_NETLINK, SOCK_RAW, _NETLINK_SOCK_DIAG)) as asked:  # closed on exec, as Python's all are
        asked.settimeout(_TIMEOUT_S)
        asked.send(question)
        filled, status = 0, None
        while status is None:
            size = asked.recv_into(buffer[filled:])
            status = _status(buffer[filled : filled + size])
            filled += size
            if filled >= _BATCH or status is not None:
                yield bytes(buffer[:filled])
                filled = 0
        if status:
            raise OSError(status, f"SOCK_DIAG was refused: {os.strerror(status)}")


def _status(datagram: memoryview) -> int | None:
    """None while more follow, else 0 or the kernel's errno: see `sockdiag.messages`."""
    if not sockdiag.may_end(datagram):
        return None
    try:
        return sockdiag.messages(bytes(datagram))[1]
    except ValueError as error:
        raise damaged(error) from None


def damaged(error: ValueError) -> InputError:
    """The error that says so."""
    return InputError(f"SOCK_DIAG: {error}; this kernel's answers can't be read")
