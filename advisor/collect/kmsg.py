"""The kernel's own log: /dev/kmsg, read without waiting and without taking anything from other readers.

A fixture tree may hold a regular file in its place.
"""

from __future__ import annotations

import bisect
import errno
import os
import stat
from collections.abc import Iterator

from advisor.errors import InputError
from advisor.formats.kernelstat import uptime
from advisor.formats.kmsg import parse
from advisor.snapshot.model import IDLE_EDGES, Ages, Logged
from advisor.system import MIB, System

_PATH = "/dev/kmsg"
_KMSG = os.makedev(1, 11)
"""The device (admin-guide/devices.txt)."""
_RECORD = 8192
"""Bytes of the largest record (PRINTK_MESSAGE_MAX of the kernel's kernel/printk/internal.h is 2,048, larger before)."""
_MOST_BYTES = 16 * MIB
"""Of records; the kernel's buffer is mostly 256 KiB (CONFIG_LOG_BUF_SHIFT)."""
_LONGEST = 0.5
"""Seconds for which records are read, should they come faster than we read."""


def read_kernel_log(system: System) -> list[Logged]:
    """What the kernel logged of the kinds of `advisor.formats.kmsg`, with the ages of the messages.

    Raises:
        OSError: when it can't be read.
        InputError: when /proc/uptime says nothing, or ``/dev/kmsg`` is something else.
    """
    try:
        found = parse(_records(system))
    except PermissionError:
        why = f"{_PATH} can't be read: root can, or who has CAP_SYSLOG (kernel.dmesg_restrict)"
        raise InputError(why) from None
    now = _since_boot(system) if found else 0.0
    rows = []
    for (kind, subject), messages in found.items():
        counts = [0] * (len(IDLE_EDGES) + 1)
        ages = [max(0.0, now - at) for at, _ in messages]
        for age, (_, times) in zip(ages, messages, strict=True):
            counts[bisect.bisect_left(IDLE_EDGES, age)] += times
        known = Ages(counts=counts, oldest=max(ages))
        rows.append(Logged(kind=kind, subject=subject, count=sum(counts), ages=known, newest=min(ages)))
    return rows


def _since_boot(system: System) -> float:
    """Now, on the clock of the log's times, which stands while the machine sleeps; that of a tree may have run on."""
    if system.live:
        return system.tick()
    try:
        return uptime(system.read("/proc/uptime", MIB))
    except ValueError as error:
        raise InputError(f"/proc/uptime: {error}") from None


def _records(system: System) -> Iterator[bytes]:
    """Whole records, many at once.

    Raises:
        OSError: with EINVAL where it is neither that device nor a file.
    """
    inside = system.inside(_PATH)
    mode = os.stat(inside)
    if stat.S_ISREG(mode.st_mode):
        yield system.read(_PATH, _MOST_BYTES)
        return
    if not (system.live and stat.S_ISCHR(mode.st_mode) and mode.st_rdev == _KMSG):
        raise OSError(errno.EINVAL, "not the kernel's log", _PATH)
    fd = os.open(inside, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        yield b"".join(_drain(system, fd))
    finally:
        os.close(fd)


def _drain(system: System, fd: int) -> Iterator[bytes]:
    """One record a read; those that were overwritten meanwhile are skipped (EPIPE), and the end is EAGAIN."""
    left, until = _MOST_BYTES, system.tick() + _LONGEST
    while left > 0 and system.tick() < until:
        try:
            record = os.read(fd, _RECORD)
        except BrokenPipeError:
            continue
        except BlockingIOError:
            return
        left -= len(record)
        yield record
