"""Where a capture's bytes come from: a file, or standard input while they come; both can be told to stop."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from advisor.errors import InputError

GRACE = 1.0
"""Seconds in which a pipe's writer, told to stop as well, may hand over what it still holds."""
_TICK = 0.2
"""Seconds between two looks at the clock while nothing comes; and the time in which small pieces are put together."""
_PIPE = 1 << 20
"""Bytes that a pipe may hold: what any user may ask for (pipe(7), pipe-max-size)."""
_FROM_A_PIPE = 1 << 16
"""Bytes that are read where nobody says how many."""


_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Order(NamedTuple):
    """What shall be captured now, and for how long: seconds, or packets, or both, whichever comes first."""

    interface: str
    expression: str | None = None
    seconds: float | None = None
    packets: int | None = None
    write: str | None = None


class Stream:
    """The bytes of a descriptor, read as `advisor.formats.frames.Source`.

    Attributes:
        size: of a regular file, in bytes; None for what has no end that is known.
        taken: bytes that were read.
        stopped: whether it was told to stop before its end.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        status = os.fstat(fd)
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        self.taken = 0
        self.stopped = False
        self._until: float | None = None
        self._waiting = select.poll()
        if self.size is None:
            self._waiting.register(fd, select.POLLIN)
            with suppress(OSError, ImportError):
                from fcntl import F_SETPIPE_SZ, fcntl  # noqa: PLC0415 (only for pipes)

                fcntl(fd, F_SETPIPE_SZ, _PIPE)

    def read1(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes, as soon as there are some; none at the end, or soon after `stop`.

        Raises:
            OSError: when it can't be read.
        """
        room = bytearray(size if size > 0 else _FROM_A_PIPE)
        return bytes(room[: self.readinto1(memoryview(room))])

    def readinto1(self, room: memoryview) -> int:
        """The same into a buffer; returns how many bytes.

        Raises:
            OSError: when it can't be read.
        """
        more = self._from_file(room) if self.size is not None else self._from_pipe(room)
        self.taken += more
        return more

    def _from_file(self, room: memoryview) -> int:
        return 0 if self.stopped else os.readv(self._fd, [room])

    def _from_pipe(self, room: memoryview) -> int:
        """What comes within a short time of the first byte: packet by packet, reading would cost more than judging."""
        got, soon = 0, None
        while got < len(room):
            self._look()
            now = time.monotonic()
            ends = [moment for moment in (soon, self._until) if moment is not None]
            wait = min([_TICK, *(moment - now for moment in ends)])
            if wait <= 0:
                break
            if not self._waiting.poll(wait * 1000):
                continue
            more = os.readv(self._fd, [room[got:]])
            if not more:
                break
            got += more
            soon = soon or now + _TICK
        return got

    def _look(self) -> None:
        """Look whether it is time for anything else."""

    def stop(self) -> None:
        """End: a file at once; a pipe when its writer closes it, or `GRACE` seconds from now."""
        if not self.stopped:
            self.stopped = True
            self._until = time.monotonic() + GRACE

    def remarks(self) -> list[str]:
        """What the reader should know of how it was captured."""
        if self.stopped and self.size:
            return [f"interrupted: {self.taken / self.size:.0%} of the file was read"]
        return []

    def close(self) -> None:
        """Be done with it."""
        os.close(self._fd)


@contextmanager
def opened(path: str) -> Iterator[Stream]:
    """A file, or standard input for ``-``.

    Raises:
        InputError: when it can't be opened, or a terminal would have to write it.
    """
    if path == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise InputError("standard input is no capture; pipe one in: tcpdump -w - -U | advisor capture -")
        yield Stream(sys.stdin.fileno())
        return
    stream = Stream(_descriptor(path))
    try:
        yield stream
    finally:
        stream.close()


def _descriptor(path: str) -> int:
    """A file or a pipe; opening anything else could act on it."""
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    raise InputError(f"{path} can't be read: it is neither a file nor a pipe")


@contextmanager
def interrupts(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a terminal that is closed end the reading, once; the second time they end the command."""

    def handle(_number: int, _frame: object) -> None:
        restore()
        stop()

    def restore() -> None:
        for number, former in before.items():
            signal.signal(number, former)

    # What is ignored stays so: nohup(1) ignores SIGHUP, a shell SIGINT for what runs in its background.
    heeded = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heeded}
    try:
        yield
    finally:
        restore()
