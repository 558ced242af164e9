"""A live capture: tcpdump is run, its pipe is read. Nothing of the host is changed."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator

from advisor.collect.capture import GRACE, Order, Stream
from advisor.errors import InputError, UsageError

PROGRAMS = ("/usr/bin/tcpdump", "/usr/sbin/tcpdump", "/sbin/tcpdump")
"""Where it may be: a PATH that somebody else has set does not decide what root runs."""
SNAPLEN = 128
"""Bytes of each frame: Ethernet with two VLAN tags 22, IPv6 40, TCP with all its options 60; SLL2 takes 20, not 22."""
_BUFFER = 16 * 1024
"""KiB that the kernel may hold while nobody reads; tcpdump's own 2,048 are full within a moment of a busy card."""
_HELD = 1.2
"""Seconds for which packets may lie in the kernel before tcpdump gets them (its timeout of a second), and some more.

With --immediate-mode they would not. But then tcpdump takes five times the CPU, which a busy server has not to spare.
"""
_END = 3.0
"""Seconds that tcpdump has to end when told to."""
_SAID = 1 << 16
"""Bytes of its messages that are read."""
_INTERFACE = re.compile(r"[A-Za-z0-9_.:@][A-Za-z0-9_.:@-]{0,31}", re.ASCII)
_DROPPED = re.compile(r"(\d+) packets? dropped by (?:kernel|interface)", re.ASCII)


class Live(Stream):
    """What a running tcpdump writes.

    Args:
        process: tcpdump, its standard output and errors being pipes.
        order: what it was told.
        copy: a descriptor that gets all that is read; None for none.
    """

    def __init__(self, process: subprocess.Popen[bytes], order: Order, copy: int | None) -> None:
        assert process.stdout is not None  # noqa: S101 (for mypy: it was asked for)
        super().__init__(process.stdout.fileno())
        self._process, self._order, self._copy = process, order, copy
        self._deadline = None if order.seconds is None else time.monotonic() + order.seconds
        self._enough: float | None = None
        self._said: str | None = None

    def readinto1(self, room: memoryview) -> int:
        """As `Stream.readinto1`.

        Raises:
            InputError: when tcpdump ends without having captured anything, with what it said; when the copy can't be
                written.
        """
        more = super().readinto1(room)
        if not more and not self.taken:
            said = self.said()
            if self._process.returncode and not self.stopped:
                raise InputError(f"tcpdump can't capture: {_reason(said, self._order.interface)}")
        if self._copy is not None:
            _append(self._copy, room[:more], self._order.write)
        return more

    def _look(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self.stop()
        if self._enough is not None and now >= self._enough:
            self._process.terminate()

    def stop(self) -> None:
        """Read on until the kernel has handed over what came before, then tell tcpdump to end."""
        if not self.stopped:
            self.stopped = True
            self._enough = time.monotonic() + _HELD
            self._until = self._enough + GRACE

    def said(self) -> str:
        """End tcpdump; all that it wrote to standard error."""
        if self._said is None:
            self._process.terminate()
            try:
                self._process.wait(_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            errors = self._process.stderr
            self._said = errors.read(_SAID).decode(errors="replace") if errors is not None else ""
        return self._said

    def remarks(self) -> list[str]:
        """Packets that nobody took in time, and an end that nobody asked for; the capture is over."""
        said = self.said()
        dropped = sum(map(int, _DROPPED.findall(said)))
        lost = f"{dropped:,} packets were dropped before they could be captured: gaps follow from that"
        found = [lost] if dropped else []
        if (self._process.returncode or 0) > 0 and not self.stopped:
            found.append(f"tcpdump ended early: {_reason(said, self._order.interface)}")
        return found


def _reason(said: str, interface: str) -> str:
    """The last thing that tcpdump said of itself; the interface is told already."""
    own = [line.removeprefix("tcpdump: ").strip() for line in said.splitlines() if line.startswith("tcpdump: ")]
    lines = [line.removeprefix(f"{interface}: ") for line in own]
    last = next((line for line in reversed(lines) if not line.startswith("listening on ")), "it gave no reason")
    return f"{last}; run it as root" if "permi" in last.lower() else last


def _append(copy: int, rest: memoryview, path: str | None) -> None:
    try:
        while rest:
            rest = rest[os.write(copy, rest) :]
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}") from None


@contextlib.contextmanager
def live(order: Order) -> Iterator[Live]:
    """Run tcpdump; it is gone afterwards.

    Raises:
        UsageError: when the interface's name can't be one.
        InputError: when there is no tcpdump, or the copy can't be made; a file that is there is never overwritten.
    """
    if _INTERFACE.fullmatch(order.interface) is None:
        raise UsageError(f"-i {order.interface!r}: no name of an interface; see: ip link")
    program = next((path for path in PROGRAMS if os.access(path, os.X_OK)), None)
    if program is None:
        raise InputError(f"there is no tcpdump in {', '.join(PROGRAMS)}; install it, or bring a capture's FILE")
    with contextlib.ExitStack() as stack:
        copy = None if order.write is None else stack.enter_context(_new(order.write))
        yield stack.enter_context(_running(program, order, copy))


@contextlib.contextmanager
def _running(program: str, order: Order, copy: int | None) -> Iterator[Live]:
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 (a list of arguments, the program by its full path)
        arguments(program, order),
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        env={"LC_ALL": "C"},
        process_group=0,  # Ctrl-C is for us: told at once, tcpdump would lose what the kernel still holds
    ) as process:
        with contextlib.suppress(OSError):
            # It has inherited our nice 19, at which it would lose packets just when the host is busy.
            os.setpriority(os.PRIO_PROCESS, process.pid, 0)
        found = Live(process, order, copy)
        try:
            yield found
        finally:
            found.said()


def arguments(program: str, order: Order) -> list[str]:
    """The command line of tcpdump: behind ``--`` no expression is taken for an option (getopt_long(3))."""
    count = [] if order.packets is None else ["-c", str(order.packets)]
    options = ["-n", "-U", "-s", str(SNAPLEN), "-B", str(_BUFFER), *count, "-w", "-", "-i", order.interface]
    return [program, *options, "--", *([order.expression] if order.expression else [])]


@contextlib.contextmanager
def _new(path: str) -> Iterator[int]:
    """A file that was not there, for its owner alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise InputError(f"--write {path}: it is there already; name another, or remove it") from None
    except OSError as error:
        raise InputError(f"--write {path}: it can't be written: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)
