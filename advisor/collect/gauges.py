"""The counters outside of TCP: softirqs, conntrack, neighbours, pressure, open files, control groups, network cards.

A kernel without one of them, a namespace that does not show it or a user who may not read it is nothing wrong: its
counters are then missing, and unknown.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

from advisor.catalog.counters import FILES
from advisor.collect.cgroup import memory_folder, quota_folder
from advisor.errors import InputError
from advisor.formats import kernelstat
from advisor.system import MIB, System

_NIC = ("rx_missed_errors", "rx_fifo_errors", "rx_dropped")
_MOST_CARDS = 256
_UNSEEN = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EOPNOTSUPP, errno.ENODEV)
"""What the kernel answers where there is no such thing, or not for us; EOPNOTSUPP: pressure is switched off."""


def read_gauges(system: System, pid: int | None) -> Iterator[tuple[str, int]]:
    """Each counter that is there, by the name of the catalogue.

    Args:
        system: the machine or the tree.
        pid: the process whose control group counts; None: no nginx runs, and none does.

    Raises:
        OSError: when a file is there and can't be read.
        InputError: when one can't be understood.
    """
    yield from _group(system, "softnet", kernelstat.softnet)
    yield from _group(system, "nf_conntrack", kernelstat.per_cpu)
    for table in ("arp_cache", "ndisc_cache"):
        yield from _group(system, table, lambda data: kernelstat.per_cpu(data, ("entries",)))
    yield from _group(system, "file", lambda data: {"allocated": kernelstat.open_files(data)})
    for resource in ("cpu", "memory", "io"):
        path = f"{FILES['psi']}/{resource}"
        for name, value in _parsed(system, path, kernelstat.pressure).items():
            yield f"psi.{resource}.{name}", value
    yield from _cards(system)
    if pid is not None:
        yield from _throttled(system, quota_folder(system, pid))
        yield from _killed(system, memory_folder(system, pid))


def _group(system: System, group: str, parse: Callable[[bytes], dict[str, int]]) -> Iterator[tuple[str, int]]:
    for name, value in _parsed(system, FILES[group], parse).items():
        yield f"{group}.{name}", value


def _parsed(system: System, path: str, parse: Callable[[bytes], dict[str, int]]) -> dict[str, int]:
    try:
        return parse(system.read(path, MIB))
    except OSError as error:
        if error.errno not in _UNSEEN:
            raise
        return {}
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def _throttled(system: System, folder: str | None) -> Iterator[tuple[str, int]]:
    said = _parsed(system, f"{folder}/cpu.stat", kernelstat.pairs) if folder is not None else {}
    if "nr_periods" in said:
        yield "cgroup.nr_periods", said["nr_periods"]
        yield "cgroup.nr_throttled", said.get("nr_throttled", 0)
        # Version 1 says it in nanoseconds.
        yield "cgroup.throttled", said.get("throttled_usec", said.get("throttled_time", 0) // 1000)


def _killed(system: System, folder: str | None) -> Iterator[tuple[str, int]]:
    """Version 2 says it in memory.events, version 1 in memory.oom_control."""
    for name in ("memory.events", "memory.oom_control") if folder is not None else ():
        said = _parsed(system, f"{folder}/{name}", kernelstat.pairs)
        if "oom_kill" in said:
            yield "cgroup.oom_kill", said["oom_kill"]


def _cards(system: System) -> Iterator[tuple[str, int]]:
    """Of all devices with hardware behind them; /sys shows the namespace in which it was mounted, maybe not ours."""
    folder = FILES["nic"]
    try:
        names = [name for name in system.list(folder) if system.exists(f"{folder}/{name}/statistics")]
        ours = kernelstat.devices(system.read("/proc/net/dev", MIB))
    except OSError:
        return
    except ValueError as error:
        raise InputError(f"/proc/net/dev: {error}") from None
    cards = [name for name in names if system.exists(f"{folder}/{name}/device")]
    if {*names} != ours or len(cards) > _MOST_CARDS:
        return
    for counter in _NIC:
        paths = [f"{folder}/{card}/statistics/{counter}" for card in cards]
        values = [_parsed(system, path, kernelstat.number) for path in paths]
        if all(values):
            yield f"nic.{counter}", sum(value["is"] for value in values)
