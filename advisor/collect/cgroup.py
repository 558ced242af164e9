"""The limits of a process' control group and of all groups around it: CPU time and memory (cgroups(7)).

Version 2 says ``cpu.max``, ``memory.max``, ``memory.current`` and, in ``memory.stat``, ``sock``
(admin-guide/cgroup-v2.rst); version 1 ``cpu.cfs_quota_us``, ``cpu.cfs_period_us``, ``memory.limit_in_bytes``,
``memory.usage_in_bytes`` and ``memory.kmem.tcp.usage_in_bytes`` (scheduler/sched-bwc.rst,
admin-guide/cgroup-v1/memory.rst).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from advisor.snapshot.model import Cgroup
from advisor.system import MIB, System

_MOUNTED = "/sys/fs/cgroup"
_NO_LIMIT = 2**62
"""Version 1 says no limit as the largest number of pages that fits 63 bits."""
_DEEPEST = 64


def read_cgroup(system: System, pid: int | None) -> Cgroup | None:
    """The narrowest limits around a process, ours where no pid is given; None where they can't be told."""
    try:
        groups = _of(system, pid)
        cpus = [one for path in _around(system, groups, "cpu") if (one := _cpus(system, path)) is not None]
        limits = [
            (one, path) for path in _around(system, groups, "memory") if (one := _memory(system, path)) is not None
        ]
        memory, folder = min(limits, default=(None, ""))
        used = None if memory is None else _number(system, folder, "memory.current", "memory.usage_in_bytes")
        sockets = None if memory is None else _sockets(system, folder)
    except (OSError, ValueError):
        return None
    return Cgroup(cpus=min(cpus, default=None), memory=memory, memory_used=used, sockets=sockets)


def quota_folder(system: System, pid: int) -> str | None:
    """The folder of the group with the tightest CPU quota, of a process' and those around it; None: there is none."""
    try:
        quotas = [
            (one, path) for path in _around(system, _of(system, pid), "cpu") if (one := _cpus(system, path)) is not None
        ]
    except (OSError, ValueError):
        return None
    return min(quotas, default=(0, None))[1]


def memory_folder(system: System, pid: int) -> str | None:
    """The folder of a process' own group, as memory is counted; None where it can't be told."""
    try:
        return next(_around(system, _of(system, pid), "memory"))
    except (OSError, ValueError):
        return None


def _of(system: System, pid: int | None) -> dict[str, str]:
    """The folder of a process' group for each controller, below where that is mounted.

    Raises:
        OSError: when it can't be read.
        ValueError: when it is none.
    """
    text = system.read(f"/proc/{pid or 'self'}/cgroup", MIB).decode("utf-8", "surrogateescape")
    return dict(_groups(text.splitlines()))


def _groups(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The folder of each controller's group; that of version 2 has no name.

    Raises:
        ValueError: for a group outside of what we see (``/../``): its limits stand nowhere.
    """
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if "/.." in path:
            raise ValueError(path)
        for controller in controllers.split(","):
            yield controller, path.rstrip("/")
        if number == "0":
            yield "", path.rstrip("/")


def _around(system: System, groups: dict[str, str], controller: str) -> Iterator[str]:
    """The folders of a group and of those around it, innermost first.

    Raises:
        OSError: when none is mounted: ip-netns(8), among others, gives what it runs a /sys without them.
    """
    top = f"{_MOUNTED}/{controller}" if controller in groups else _MOUNTED
    if not any(system.names(top)):
        raise FileNotFoundError(errno.ENOENT, "no control groups are mounted", top)
    path = groups.get(controller, groups.get("", ""))
    for _ in range(_DEEPEST):
        yield top + path
        if not path:
            return
        path = path.rpartition("/")[0]


def _cpus(system: System, folder: str) -> float | None:
    words = _words(system, f"{folder}/cpu.max") or [
        *_words(system, f"{folder}/cpu.cfs_quota_us"),
        *_words(system, f"{folder}/cpu.cfs_period_us"),
    ]
    if len(words) != 2 or words[0] in {"max", "-1"}:  # noqa: PLR2004 (quota and period)
        return None
    quota, period = map(int, words)
    if quota <= 0 or period <= 0:
        raise ValueError(words)
    return quota / period


def _memory(system: System, folder: str) -> int | None:
    words = _words(system, f"{folder}/memory.max") or _words(system, f"{folder}/memory.limit_in_bytes")
    if not words or words[0] == "max":
        return None
    limit = int(words[0])
    return limit if 0 <= limit < _NO_LIMIT else None


def _number(system: System, folder: str, *names: str) -> int | None:
    """What the first of these files that is there says."""
    words = next((words for name in names if (words := _words(system, f"{folder}/{name}"))), None)
    return None if words is None else int(words[0])


def _sockets(system: System, folder: str) -> int | None:
    words = _words(system, f"{folder}/memory.stat")
    said = dict(zip(words[::2], words[1::2], strict=True))
    return int(said["sock"]) if "sock" in said else _number(system, folder, "memory.kmem.tcp.usage_in_bytes")


def _words(system: System, path: str) -> list[str]:
    """What a file says; nothing where it is not there, as in the outermost group."""
    return system.read(path, MIB).decode("ascii", "replace").split() if system.exists(path) else []
