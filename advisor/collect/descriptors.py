"""Which process holds a socket: the one with a descriptor of the socket's inode.

/proc/PID/fd is looked through, about 5 us a descriptor, until all are found or the budget is spent: first the
processes of our network namespace, and among them those of the sockets' users. Only root sees the descriptors of
everybody.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import NamedTuple

from advisor.collect.host import shares_network
from advisor.errors import InputError
from advisor.formats import procfs
from advisor.system import System

CPU_S = 2.0
MOST_DESCRIPTORS = 500_000
"""The budget of one search."""
_EACH_S = 5e-6
"""CPU time, in seconds, that looking at one takes."""

UNSOUGHT = "owner not looked for: too many descriptors"
_UNSEEN = "owner not visible without root"
_NOWHERE = "owner in no process that can be seen"


class Owner(NamedTuple):
    """A process; or with no pid, why none is named. ``nofile`` is its soft limit of open descriptors."""

    pid: int | None
    name: str
    descriptors: int | None = None
    nofile: int | None = None


def owners_of(
    system: System, inodes: set[int], uids: set[int], budget: float | None = None
) -> tuple[dict[int, Owner], Owner]:
    """The owner by inode, and what is said of those that were not found; ``budget``: less CPU time, in seconds."""
    found: dict[int, Owner] = {}
    missing = set(inodes)
    otherwise = Owner(None, _NOWHERE)
    left, end = MOST_DESCRIPTORS, time.process_time() + CPU_S
    if budget is not None and budget < CPU_S:
        left, end = min(left, int(budget / _EACH_S)), end - CPU_S + budget
    for pid in _pids(uids):
        if not missing:
            break
        if left <= 0 or time.process_time() > end:
            return found, Owner(None, UNSOUGHT)
        try:
            count, held = _descriptors(pid, missing, left)
        except PermissionError:
            otherwise = Owner(None, _UNSEEN)
            continue
        except OSError:
            continue
        left -= count
        if held and (owner := _owner(system, pid, count)) is not None:
            found |= dict.fromkeys(held, owner)
            missing -= held
    return found, otherwise


def _pids(uids: set[int]) -> list[int]:
    """All processes, those that share our network first, and among them those of some users."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):
                pid = int(name)
                found.append((not shares_network(pid), os.stat(f"/proc/{name}").st_uid not in uids, pid))
    return [pid for *_, pid in sorted(found)]


def _descriptors(pid: int, inodes: set[int], most: int) -> tuple[int, set[int]]:
    """How many descriptors a process has open, and which of the sockets are among the first of them.

    Leaves off once it has found them all.
    """
    folder = os.open(f"/proc/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    held = set()
    try:
        names = os.listdir(folder)
        for name in names[:most]:
            try:  # a context manager would cost a tenth of all
                status = os.stat(name, dir_fd=folder)
            except FileNotFoundError:
                continue
            if status.st_ino in inodes and stat.S_ISSOCK(status.st_mode):
                held.add(status.st_ino)
                if len(held) == len(inodes):
                    break
    finally:
        os.close(folder)
    return len(names), held


def _owner(system: System, pid: int, descriptors: int) -> Owner | None:
    """None when the process has ended meanwhile."""
    try:
        name = system.read(f"/proc/{pid}/comm").decode("utf-8", "replace").strip()
        nofile = procfs.open_files_limit(system.read(f"/proc/{pid}/limits"))
    except OSError:
        return None
    except ValueError as error:
        raise InputError(f"/proc/{pid}/limits: {error}") from None
    return Owner(pid, name, descriptors, nofile)
