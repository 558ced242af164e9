"""Which systemd unit or container a socket belongs to, by the control group that it was made in.

INET_DIAG_CGROUP_ID is the inode number of the group's folder in the file system of version 2 (cgroups(7)): one walk of
its folders names all. A socket keeps its group when it is accepted, and when its process moves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from advisor.system import System

_MOUNTED = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
"""Where systemd mounts version 2: alone, or beside version 1."""
_MOST_FOLDERS = 20_000
_DEEPEST = 32
_OUTERMOST = 1
_UNIT = re.compile(r"[^/]+\.(?:service|scope|socket|mount|swap)(?=/|$)")


def read_units(system: System, wanted: Iterable[int | None]) -> dict[int, str]:
    """The names of some control groups, by their numbers; those that are not found are not there.

    Looks at no file where none but the outermost group is wanted, as without version 2.
    """
    left = {group for group in wanted if group is not None and group > _OUTERMOST}
    found: dict[int, str] = {}
    if not left:
        return found
    for top in _MOUNTED:
        if system.exists(f"{top}/cgroup.procs"):
            for number, path in _folders(system.inside(top)):
                if number in left:
                    left.remove(number)
                    found[number] = _name(path)
                if not left:
                    break
            break
    return found


def _folders(top: str) -> Iterator[tuple[int, str]]:
    """Inode number and path below the top of each folder, the outer ones first."""
    todo = [""]
    for seen, path in enumerate(todo):
        if seen >= _MOST_FOLDERS:
            return
        with suppress(OSError), os.scandir(top + path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below = f"{path}/{entry.name}"
                    yield entry.inode(), below
                    if below.count("/") < _DEEPEST:
                        todo.append(below)


def _name(path: str) -> str:
    """The innermost systemd unit of a path, which is also how containers are named; without one, the path itself."""
    units = _UNIT.findall(path)
    return units[-1] if units else path.lstrip("/")


def unit_of(names: Mapping[int, str], groups: Iterable[int | None]) -> str | None:
    """The name of what some sockets belong to; None where it is not known, or they belong to several."""
    found = {names.get(group) if group is not None else None for group in groups}
    return found.pop() if len(found) == 1 else None
