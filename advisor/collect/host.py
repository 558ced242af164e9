"""The machine: its name, kernel, CPUs and memory, and which network namespace we see."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TypeVar

from advisor.collect.cgroup import read_cgroup
from advisor.errors import InputError
from advisor.formats import kernelstat, procfs
from advisor.snapshot.model import Host
from advisor.system import MIB, System

T = TypeVar("T", int, float)

_PID_NS_INIT_INO = 0xEFFFFFFC
"""Of the first PID namespace (PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h)."""
_ENGINES = re.compile(rb"docker|kubepods|libpod|lxc|containerd|nspawn")


def read_host(system: System, pid: int | None = None) -> Host:
    """What is known of the machine; CPUs and memory are None where /proc does not say.

    Args:
        system: the machine or the tree.
        pid: the process whose control group counts; None: ours.

    Raises:
        OSError: when the name or the kernel's release can't be read.
        InputError: when /proc/meminfo or /proc/stat can't be understood.
    """
    container = _container(system)
    return Host(
        name=_line(system, "/proc/sys/kernel/hostname"),
        kernel=_line(system, "/proc/sys/kernel/osrelease"),
        cpus=_number(system, "/proc/stat", procfs.processors),
        memory=_number(system, "/proc/meminfo", procfs.memory_total),
        netns=_netns(container) if system.live else "host",
        container=container,
        root=system.live and os.geteuid() == 0,
        cgroup=read_cgroup(system, pid),
        uptime=_number(system, "/proc/uptime", kernelstat.uptime),
        page=os.sysconf("SC_PAGE_SIZE") if system.live else None,
    )


def _line(system: System, path: str) -> str:
    return system.read(path, MIB).decode("ascii", "backslashreplace").strip()


def _number(system: System, path: str, parse: Callable[[bytes], T]) -> T | None:
    if not system.exists(path):
        return None
    try:
        return parse(system.read(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def shares_network(pid: int) -> bool:
    """Whether a process is in our network namespace; False when it has ended.

    Each namespace has its own file net/dev, so that its inode number names the namespace: unlike /proc/PID/ns/net,
    everybody may look at it.
    """
    try:
        return os.stat(f"/proc/{pid}/net/dev").st_ino == os.stat("/proc/self/net/dev").st_ino
    except OSError:
        return False


def _netns(container: str | None) -> str:
    """``host`` where process 1 of the machine itself is; else the inode number that names our network namespace."""
    first_pids = os.stat("/proc/self/ns/pid").st_ino == _PID_NS_INIT_INO
    if first_pids and container is None and shares_network(1):
        return "host"
    return str(os.stat("/proc/self/ns/net").st_ino)


def _container(system: System) -> str | None:
    """The engine that runs us, by the marks that engines leave; None when there is none."""
    if system.exists("/run/systemd/container"):
        return _line(system, "/run/systemd/container") or "unknown"
    for mark, engine in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman")):
        if system.exists(mark):
            return engine
    if not system.exists("/proc/1/cgroup"):
        return None
    found = _ENGINES.search(system.read("/proc/1/cgroup", MIB))
    return found[0].decode("ascii") if found else None
