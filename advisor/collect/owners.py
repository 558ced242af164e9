"""Who holds the sockets that leak: CLOSE_WAIT, and many connections of one process towards one destination.

A socket names its inode, and its process is the one with a descriptor of that inode: /proc/PID/fd is looked through,
processes of the sockets' users first, until all are found or the budget is spent. Only root sees all of it.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Literal, NamedTuple

from advisor.catalog.tcp import State
from advisor.collect.netlink import dump
from advisor.collect.sockets import read_sockets
from advisor.collect.tally import AgeCount
from advisor.errors import InputError
from advisor.formats import procfs, sockdiag
from advisor.formats.sockdiag import Socket
from advisor.snapshot.model import Held, Sockets
from advisor.system import System

MANY = 100
"""ESTABLISHED towards one destination from which on their owner is looked for."""
_CPU_S = 2.0
_MOST_DESCRIPTORS = 200_000
_MOST_SOCKETS = 100_000
"""Sockets whose owner is looked for; more are counted without one."""
_MOST_ROWS = 1_000

_IN_QUEUE = "no process yet: waiting to be accepted"
_UNSEEN = "owner not visible without root"
_UNSOUGHT = "owner not looked for: too many descriptors"
_NOWHERE = "owner in no process that can be seen"


_Key = tuple[Literal["CLOSE_WAIT", "ESTABLISHED"], str]
"""State and remote."""


class _Owner(NamedTuple):
    pid: int | None
    name: str
    descriptors: int | None = None
    nofile: int | None = None


class _One(NamedTuple):
    key: _Key
    inode: int
    uid: int
    age: float


def read_held(system: System, sockets: Sockets | None = None) -> list[Held]:
    """Who holds CLOSE_WAIT, and ESTABLISHED towards a destination that has at least `MANY`.

    One row is a process, a state and a remote: ``10.0.3.9:3306``, or ``clients of port 80`` where the connection came
    in. The age of CLOSE_WAIT is the time since the peer's last segment, its FIN; of ESTABLISHED, since data last went
    either way. The rows with the most sockets are kept, the rest is one row a state.

    Args:
        system: the machine.
        sockets: what `read_sockets` said of it; asked for anew when it is not given.

    Raises:
        OSError: when SOCK_DIAG can't be asked.
        InputError: when the tree is a fixture.
    """
    if not system.live:
        raise InputError("--root is a tree: it has no processes to ask")
    sockets = sockets or read_sockets(system, frozenset())
    groups: dict[tuple[_Owner, _Key], AgeCount] = {}
    wanted: dict[int, _One] = {}
    for one in chain(_close_wait(sockets), _outgoing(sockets)):
        if one.inode and len(wanted) < _MOST_SOCKETS:
            wanted[one.inode] = one
        else:
            _count(groups, _Owner(None, _UNSOUGHT if one.inode else _IN_QUEUE), one)
    owners, otherwise = _owners(system, set(wanted), {one.uid for one in wanted.values()})
    for inode, one in wanted.items():
        _count(groups, owners.get(inode, otherwise), one)
    return _rows(groups)


def _count(groups: dict[tuple[_Owner, _Key], AgeCount], owner: _Owner, one: _One) -> None:
    groups.setdefault((owner, one.key), AgeCount()).add(one.age)


def _rows(groups: dict[tuple[_Owner, _Key], AgeCount]) -> list[Held]:
    ranked = sorted(groups.items(), key=lambda item: (-sum(item[1].counts), item[0][1], item[0][0].name))
    rest: dict[tuple[_Owner, _Key], AgeCount] = {}
    for (_, (state, _)), ages in ranked[_MOST_ROWS:]:
        rest.setdefault((_Owner(None, "others"), (state, "other remotes")), AgeCount()).join(ages)
    return [_held(*key, ages) for key, ages in [*ranked[:_MOST_ROWS], *rest.items()]]


def _held(owner: _Owner, key: _Key, ages: AgeCount) -> Held:
    state, remote = key
    return Held(
        pid=owner.pid,
        name=owner.name,
        state=state,
        remote=remote,
        count=sum(ages.counts),
        ages=ages.done(),
        descriptors=owner.descriptors,
        nofile=owner.nofile,
    )


def _close_wait(sockets: Sockets) -> Iterator[_One]:
    served = {listener.port for listener in sockets.listeners}
    for one in chain.from_iterable(dump(sockdiag.sockets, [State.CLOSE_WAIT], [sockdiag.INFO])):
        info = sockdiag.info(one)
        if info is not None:
            remote = f"clients of port {one.sport}" if one.sport in served else _remote(one)
            yield _One(("CLOSE_WAIT", remote), one.inode, one.uid, info.last_ack_recv / 1000)


def _outgoing(sockets: Sockets) -> Iterator[_One]:
    towards: Counter[str] = Counter()
    for row in sockets.destinations:
        towards[_end(row.remote, row.port)] += row.states.get(State.ESTABLISHED.name, 0)
    many = {remote for remote, count in towards.items() if count >= MANY}
    ports = {row.port for row in sockets.destinations if _end(row.remote, row.port) in many}
    if not ports:
        return
    served = {listener.port for listener in sockets.listeners}
    code = sockdiag.ports_filter(ports, remote=True)
    for one in chain.from_iterable(dump(sockdiag.sockets, [State.ESTABLISHED], [sockdiag.INFO], code)):
        info = sockdiag.info(one)
        if info is not None and one.sport not in served and (remote := _remote(one)) in many:
            age = min(info.last_data_sent, info.last_data_recv) / 1000
            yield _One(("ESTABLISHED", remote), one.inode, one.uid, age)


def _remote(one: Socket) -> str:
    return _end(sockdiag.text(one.destination), one.dport)


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _owners(system: System, inodes: set[int], uids: set[int]) -> tuple[dict[int, _Owner], _Owner]:
    """The owner by inode, and what is said of those that were not found."""
    found: dict[int, _Owner] = {}
    otherwise = _Owner(None, _NOWHERE)
    left, end = _MOST_DESCRIPTORS, time.process_time() + _CPU_S
    for pid in _pids(uids):
        if len(found) == len(inodes):
            break
        if left <= 0 or time.process_time() > end:
            return found, _Owner(None, _UNSOUGHT)
        try:
            count, held = _descriptors(pid, inodes, left)
        except PermissionError:
            otherwise = _Owner(None, _UNSEEN)
            continue
        except OSError:
            continue
        left -= count
        if held and (owner := _owner(system, pid, count)) is not None:
            found |= dict.fromkeys(held - found.keys(), owner)
    return found, otherwise


def _pids(uids: set[int]) -> list[int]:
    """All processes, those of some users first."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):
                found.append((os.stat(f"/proc/{name}").st_uid not in uids, int(name)))
    return [pid for _, pid in sorted(found)]


def _descriptors(pid: int, inodes: set[int], most: int) -> tuple[int, set[int]]:
    """How many descriptors a process has open, and which of the sockets are among the first of them."""
    folder = os.open(f"/proc/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    held = set()
    try:
        names = os.listdir(folder)
        for name in names[:most]:
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=folder)
                if status.st_ino in inodes and stat.S_ISSOCK(status.st_mode):
                    held.add(status.st_ino)
    finally:
        os.close(folder)
    return len(names), held


def _owner(system: System, pid: int, descriptors: int) -> _Owner | None:
    """None when the process has ended meanwhile."""
    try:
        name = system.read(f"/proc/{pid}/comm").decode("utf-8", "replace").strip()
        nofile = procfs.open_files_limit(system.read(f"/proc/{pid}/limits"))
    except OSError:
        return None
    except ValueError as error:
        raise InputError(f"/proc/{pid}/limits: {error}") from None
    return _Owner(pid, name, descriptors, nofile)
