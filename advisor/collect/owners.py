"""Who holds the sockets that leak: CLOSE_WAIT, and many connections of one process towards one destination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Literal, NamedTuple

from advisor.catalog.tcp import State
from advisor.collect.ages import AgeCount
from advisor.collect.descriptors import UNSOUGHT, Owner, owners_of
from advisor.collect.netlink import dump
from advisor.collect.sockets import read_sockets
from advisor.collect.units import read_units, unit_of
from advisor.errors import InputError
from advisor.formats import sockdiag
from advisor.formats.sockdiag_blocks import Timed, timed
from advisor.snapshot.counted import Held, Sockets
from advisor.system import System

MANY = 100
"""ESTABLISHED towards one destination from which on their owner is looked for."""
_MOST_SOCKETS = 100_000
"""Sockets whose owner is looked for; more are counted without one."""
_MOST_ROWS = 1_000
_LISTED_S = 7e-6
_WALKED_S = 1e-6
"""CPU time, in seconds, of a socket that is listed with its times, and of one that two walks pass by."""

_IN_QUEUE = "no process yet: waiting to be accepted"


_Key = tuple[Literal["CLOSE_WAIT", "ESTABLISHED"], str]
"""State and remote."""


class _One(NamedTuple):
    key: _Key
    inode: int
    uid: int
    age: float
    cgroup: int | None


class _Group(AgeCount):
    """Sockets of one owner, in one state, towards one remote."""

    def __init__(self) -> None:
        super().__init__()
        self.cgroups: set[int | None] = set()

    def join(self, other: AgeCount) -> None:
        super().join(other)
        if isinstance(other, _Group):
            self.cgroups |= other.cgroups


_Groups = dict[tuple[Owner, _Key], _Group]


def read_held(system: System, sockets: Sockets | None = None, budget: float | None = None) -> list[Held]:
    """Who holds CLOSE_WAIT, and ESTABLISHED towards a destination that has at least `MANY`.

    One row is a process, a state and a remote: ``10.0.3.9:3306``, or ``clients of port 80`` where the connection came
    in. The age of CLOSE_WAIT is the time since the peer's last segment, its FIN; of ESTABLISHED, since data last went
    either way. The rows with the most sockets are kept, the rest is one row a state.

    Args:
        system: the machine.
        sockets: what `read_sockets` said of it; asked for anew when it is not given.

        budget: CPU time, in seconds, that the search for owners may take; None: that of `descriptors`.

    Raises:
        OSError: when SOCK_DIAG can't be asked.
        InputError: when the tree is a fixture.
    """
    if not system.live:
        raise InputError("--root is a tree: it has no processes to ask")
    sockets = sockets or read_sockets(system, frozenset())
    groups: _Groups = {}
    wanted: dict[int, _One] = {}
    for one in chain(_close_wait(sockets), _outgoing(sockets)):
        if one.inode and len(wanted) < _MOST_SOCKETS:
            wanted[one.inode] = one
        else:
            _count(groups, Owner(None, UNSOUGHT if one.inode else _IN_QUEUE), one)
    found, otherwise = owners_of(system, set(wanted), {one.uid for one in wanted.values()}, budget)
    for inode, one in wanted.items():
        _count(groups, found.get(inode, otherwise), one)
    return _rows(system, groups)


def listing_cost(sockets: Sockets) -> float:
    """The CPU time, in seconds, that it takes to find the sockets whose owners are looked for."""
    listed = sockets.states.get(State.CLOSE_WAIT.name, 0)
    towards = (row.states.get(State.ESTABLISHED.name, 0) for row in sockets.destinations)
    listed += sum(count for count in towards if count >= MANY)
    return _LISTED_S * listed + _WALKED_S * sum(sockets.states.values())


def _count(groups: _Groups, owner: Owner, one: _One) -> None:
    group = groups.get((owner, one.key))
    if group is None:
        group = groups[owner, one.key] = _Group()
    group.add(one.age)
    group.cgroups.add(one.cgroup)


def _rows(system: System, groups: _Groups) -> list[Held]:
    ranked = sorted(groups.items(), key=lambda item: (-sum(item[1].counts), item[0][1], item[0][0].name))
    rest: _Groups = {}
    for (_, (state, _)), group in ranked[_MOST_ROWS:]:
        rest.setdefault((Owner(None, "others"), (state, "other remotes")), _Group()).join(group)
    rows = [*ranked[:_MOST_ROWS], *rest.items()]
    names = read_units(system, {number for _, group in rows for number in group.cgroups})
    return [_held(*key, group, unit_of(names, group.cgroups)) for key, group in rows]


def _held(owner: Owner, key: _Key, ages: AgeCount, unit: str | None) -> Held:
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
        unit=unit,
    )


def _close_wait(sockets: Sockets) -> Iterator[_One]:
    served = {listener.port: f"clients of port {listener.port}" for listener in sockets.listeners}
    for one in _timed(State.CLOSE_WAIT):
        remote = served.get(one.sport) or _end(one.destination, one.dport)
        yield _One(("CLOSE_WAIT", remote), one.inode, one.uid, one.last_ack_recv / 1000, one.cgroup)


def _outgoing(sockets: Sockets) -> Iterator[_One]:
    towards: Counter[str] = Counter()
    for row in sockets.destinations:
        towards[_shown(row.remote, row.port)] += row.states.get(State.ESTABLISHED.name, 0)
    many = {remote for remote, count in towards.items() if count >= MANY}
    ports = {row.port for row in sockets.destinations if _shown(row.remote, row.port) in many}
    if not ports:
        return
    served = {listener.port for listener in sockets.listeners}
    for one in _timed(State.ESTABLISHED, sockdiag.ports_filter(ports, remote=True)):
        if one.sport not in served and (remote := _end(one.destination, one.dport)) in many:
            age = min(one.last_data_sent, one.last_data_recv) / 1000
            yield _One(("ESTABLISHED", remote), one.inode, one.uid, age, one.cgroup)


def _timed(state: State, code: bytes = b"") -> Iterator[Timed]:
    for blocks in dump([state], [sockdiag.INFO], code):
        for block in blocks:
            yield from timed(block)


@lru_cache(_MOST_ROWS)
def _end(address: bytes, port: int) -> str:
    return _shown(sockdiag.text(address), port)


def _shown(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
