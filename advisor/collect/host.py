"""The machine: its name, kernel, CPUs and memory, and which network namespace we see."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress

from advisor.errors import InputError
from advisor.formats import procfs
from advisor.snapshot.model import Host
from advisor.system import MIB, System

_PID_NS_INIT_INO, _NET_NS_INIT_INO = 0xEFFFFFFC, 0xEFFFFFF9
"""Of the first namespaces (the kernel's include/uapi/linux/nsfs.h); the second is fixed from Linux 6.18 on."""
_ENGINES = re.compile(rb"docker|kubepods|libpod|lxc|containerd|nspawn")


def read_host(system: System) -> Host:
    """What is known of the machine; CPUs and memory are None where /proc does not say.

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
    )


def _line(system: System, path: str) -> str:
    return system.read(path, MIB).decode("ascii", "backslashreplace").strip()


def _number(system: System, path: str, parse: Callable[[bytes], int]) -> int | None:
    if not system.exists(path):
        return None
    try:
        return parse(system.read(path))
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def _netns(container: str | None) -> str:
    """``host`` for the network namespace of the machine itself; else the inode number that names ours.

    Before Linux 6.18 that is where process 1 of the first PID namespace is, which only root may look at.
    """
    ours = os.stat("/proc/self/ns/net").st_ino
    if ours == _NET_NS_INIT_INO:
        return "host"
    first_pids = os.stat("/proc/self/ns/pid").st_ino == _PID_NS_INIT_INO
    with suppress(PermissionError):
        if first_pids and container is None and ours == os.stat("/proc/1/ns/net").st_ino:
            return "host"
    return f"namespace {ours}"


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
