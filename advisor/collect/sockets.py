"""Every TCP socket of this network namespace, counted.

Four dumps by SOCK_DIAG: the listeners, with their queues and drops; the connections without attributes, those in
TIME_WAIT and FIN_WAIT2 first; and nginx's established ones with tcp_info, for their idle ages. They are taken one after
the other, so that their counts differ by what changed in between: a connection that closes then may be missed, but none
is counted twice. Where SOCK_DIAG is refused, and of a fixture tree, /proc/net/tcp and tcp6 are read: they
hold no limit, drops or ages.

Time grows with the sockets, about 1 us each (0.7 of it in the kernel), and with ages by 4 us for each connection of
nginx; memory does not grow with them, but with the distinct clients and destinations, up to bounds. Where that would
be more than a budget, a part of them is looked at and stands for all: see `advisor.collect.sampling`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice

from advisor.catalog.tcp import CONNECTIONS, State
from advisor.collect.ages import AgeCount, idle_age
from advisor.collect.netlink import dump, each
from advisor.collect.sampling import AGED_S, FULL_S, Part, population, stripe
from advisor.collect.served import Listeners
from advisor.collect.summary import read_states
from advisor.collect.tally import Tally
from advisor.collect.units import read_units, unit_of
from advisor.errors import InputError
from advisor.formats import procfs, sockdiag, sockdiag_whole
from advisor.formats.sockdiag import stripes_filter
from advisor.formats.sockdiag_blocks import timed
from advisor.formats.sockdiag_whole import Socket
from advisor.records import replace
from advisor.snapshot.counted import Reading, Sockets
from advisor.system import System

_MOST_LISTENING = 65_536
"""Listening sockets that are looked at."""
_ENDING = [State.TIME_WAIT, State.FIN_WAIT2]
"""States that have shorter messages: among others they cost twice as much as apart, a second walk included."""
_LINE = 4096
"""Bytes; a line of /proc/net/tcp has 150."""
_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"

Drops = Mapping[int, int]
"""Packets dropped by each listening socket, by its cookie."""


def read_drops(system: System) -> Drops:
    """What the listeners have dropped so far, to be handed to `read_sockets` at the end of the sample.

    Empty where SOCK_DIAG can't be asked: `read_sockets` says so.
    """
    if not system.live:
        return {}
    try:
        return {one.cookie: dropped for one in _listening() if (dropped := sockdiag_whole.drops(one)) is not None}
    except OSError:
        return {}


def read_sockets(
    system: System, nginx_ports: frozenset[int], before: Drops | None = None, budget: float | None = None
) -> Sockets:
    """Count the sockets.

    Args:
        system: the machine, or a fixture tree with proc/net/tcp.
        nginx_ports: ports whose idle connections are to be counted by age.
        before: the drops at the beginning of the sample; without them there is one reading.
        budget: CPU time in seconds to be spent on dumps, half of it on ages where they are wanted; None: no bound.

    Raises:
        OSError: when neither SOCK_DIAG nor /proc/net/tcp can be read.
        InputError: when one of them can't be understood.
    """
    if system.live:
        with suppress(OSError):
            return _by_netlink(system, nginx_ports, before, budget)
    return _by_procfs(system, nginx_ports)


def _by_netlink(system: System, nginx_ports: frozenset[int], before: Drops | None, budget: float | None) -> Sockets:
    begun = time.process_time()
    listeners = _listeners(system, before)
    ports = nginx_ports & listeners.ports
    tally = Tally(listeners, _ephemeral(system))
    everything = population(system) if budget is not None else 0
    width = stripe(everything, FULL_S, budget and (budget / 2 if ports else budget), everything)
    for states in (_ENDING, [state for state in CONNECTIONS if state not in _ENDING]):
        for blocks in dump(states, code=stripes_filter(width) if width else b""):
            tally.add(blocks)
    part = Part(read_states(system), width) if width else None
    found = tally.done("SOCK_DIAG", nginx_ports, part)
    left = None if budget is None else budget - (time.process_time() - begun)
    return _with_ages(found, listeners, ports, left, everything)


def _listeners(system: System, before: Drops | None) -> Listeners:
    listeners = Listeners()
    for one in _listening():
        served = listeners.add(one.source, one.sport)
        served.join(one.rqueue, one.wqueue, _reading(one, before))
        served.v6only = sockdiag_whole.v6only(one)
        served.cgroups.add(sockdiag_whole.cgroup(one))
    names = read_units(system, {group for served in listeners.all() for group in served.cgroups})
    for served in listeners.all():
        served.unit = unit_of(names, served.cgroups)
    return listeners


def _listening() -> Iterator[Socket]:
    return islice(each([State.LISTEN], [sockdiag.SKMEMINFO]), _MOST_LISTENING)


def _reading(one: Socket, before: Drops | None) -> Reading | None:
    """A socket that was not there before began at 0."""
    now = sockdiag_whole.drops(one)
    if now is None:
        return None
    return Reading(first=now) if before is None else Reading(first=before.get(one.cookie, 0), last=now)


def _ephemeral(system: System) -> tuple[int, int] | None:
    try:
        low, high = map(int, system.read(_RANGE).split())
    except (OSError, ValueError):
        return None
    return low, high


def _with_ages(
    found: Sockets, listeners: Listeners, ports: frozenset[int], budget: float | None, everything: int
) -> Sockets:
    """With the idle ages of the connections on nginx's ports; without, where tcp_info is too old to tell.

    Args:
        found: what was counted.
        listeners: who serves what.
        ports: nginx's.
        budget: what may be spent.
        everything: the sockets in the kernel's table.
    """
    wanted = sorted(ports)[: sockdiag.MOST_PORTS]
    if not wanted:
        return found
    established = sum(row.states.get("ESTABLISHED", 0) for row in found.listeners if row.port in ports)
    width = stripe(established, AGED_S, budget, everything)
    code = sockdiag.ports_filter(wanted, then=stripes_filter(width, local=False) if width else b"")
    ages, seen = _ages(listeners, wanted, code)
    share = min(1.0, seen / established) if width and established else 1.0
    rows = [
        replace(row, idle=ages[row.address, row.port].done(share)) if (row.address, row.port) in ages else row
        for row in found.listeners
    ]
    return replace(found, listeners=rows)


def _ages(listeners: Listeners, ports: list[int], code: bytes) -> tuple[dict[tuple[str, int], AgeCount], int]:
    """The ages by listener, and how many connections were looked at; nothing where the kernel is too old."""
    ages = {one: AgeCount() for one in listeners.on(ports)}
    seen = 0
    for blocks in dump([State.ESTABLISHED], [sockdiag.INFO], code):
        for one in chain.from_iterable(map(timed, blocks)):
            if one.data_segs_in is None:
                return {}, 0
            seen += 1
            age = idle_age(one)
            served = listeners.of(one.source, one.sport) if age is not None else None
            if age is not None and served in ages:
                ages[served].add(age)
    return {(sockdiag.text(one.address), one.port): count for one, count in ages.items()}, seen


def _by_procfs(system: System, nginx_ports: frozenset[int]) -> Sockets:
    """Two passes: who listens, and then who is connected."""
    listeners = Listeners()
    for row, rx_queue in _rows(system):
        family, state, sport, peer = row
        if state == State.LISTEN:
            served = listeners.add(sockdiag.address(family, peer[2:18]), int.from_bytes(sport, "big"))
            served.join(rx_queue, None, None)
    tally = Tally(listeners, _ephemeral(system), timed=False)
    tally.add_rows(row for row, _ in _rows(system) if row[1] != State.LISTEN)
    return tally.done("/proc/net/tcp", nginx_ports)


def _rows(system: System) -> Iterator[procfs.TcpRow]:
    yield from _file(system, "/proc/net/tcp")
    if system.exists("/proc/net/tcp6"):
        yield from _file(system, "/proc/net/tcp6")


def _file(system: System, path: str) -> Iterator[procfs.TcpRow]:
    with open(system.inside(path), "rb") as file:
        try:
            yield from procfs.tcp_rows(iter(lambda: file.readline(_LINE), b""))
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
