"""Every TCP socket of this network namespace, counted.

Three dumps by SOCK_DIAG: the listeners, with their queues and drops; the connections, without attributes; and nginx's
established ones with tcp_info, for their idle ages. They are taken one after the other, so that their counts differ
by what changed in between. Where SOCK_DIAG is refused, and of a fixture tree, /proc/net/tcp and tcp6 are read: they
hold no limit, drops or ages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice

from advisor.catalog.tcp import CONNECTIONS, State
from advisor.collect.netlink import dump
from advisor.collect.tally import AgeCount, Tally, idle_age
from advisor.errors import InputError
from advisor.formats import procfs, sockdiag
from advisor.formats.sockdiag import Socket
from advisor.snapshot.model import Reading, Sockets
from advisor.system import System

_MOST_LISTENING = 65_536
"""Listening sockets that are looked at."""
_LINE = 4096
"""Bytes; a line of /proc/net/tcp has 150."""

Drops = Mapping[int, int]
"""Packets dropped by each listening socket, by its cookie."""


def read_drops(system: System) -> Drops:
    """What the listeners have dropped so far, to be handed to `read_sockets` at the end of the sample.

    Empty where SOCK_DIAG can't be asked: `read_sockets` says so.
    """
    if not system.live:
        return {}
    try:
        return {one.cookie: dropped for one in _listening() if (dropped := sockdiag.drops(one)) is not None}
    except OSError:
        return {}


def read_sockets(system: System, nginx_ports: frozenset[int], before: Drops | None = None) -> Sockets:
    """Count the sockets.

    Args:
        system: the machine, or a fixture tree with proc/net/tcp.
        nginx_ports: ports whose idle connections are to be counted by age.
        before: the drops at the beginning of the sample; without them there is one reading.

    Raises:
        OSError: when neither SOCK_DIAG nor /proc/net/tcp can be read.
        InputError: when one of them can't be understood.
    """
    if system.live:
        with suppress(OSError):
            return _by_netlink(nginx_ports, before)
    return _by_procfs(system, nginx_ports)


def _by_netlink(nginx_ports: frozenset[int], before: Drops | None) -> Sockets:
    tally = Tally()
    for one in _listening():
        served = tally.listen(one.source, one.sport)
        served.join(one.rqueue, one.wqueue, _reading(one, before))
        served.v6only = sockdiag.v6only(one)
    for rows in dump(sockdiag.rows, CONNECTIONS):
        tally.add(rows)
    _ages(tally, nginx_ports & tally.ports)
    return tally.done("SOCK_DIAG", nginx_ports)


def _listening() -> Iterator[Socket]:
    found = dump(sockdiag.sockets, [State.LISTEN], [sockdiag.SKMEMINFO])
    return islice(chain.from_iterable(found), _MOST_LISTENING)


def _reading(one: Socket, before: Drops | None) -> Reading | None:
    """A socket that was not there before began at 0."""
    now = sockdiag.drops(one)
    if now is None:
        return None
    return Reading(first=now) if before is None else Reading(first=before.get(one.cookie, 0), last=now)


def _ages(tally: Tally, ports: frozenset[int]) -> None:
    """Count the idle ages of the connections on nginx's ports; not at all where tcp_info is too old to tell."""
    wanted = sorted(ports)[: sockdiag.MOST_PORTS]
    if not wanted:
        return
    ages = {one: AgeCount() for one in tally.on(wanted)}
    code = sockdiag.ports_filter(wanted)
    for one in chain.from_iterable(dump(sockdiag.sockets, [State.ESTABLISHED], [sockdiag.INFO], code)):
        info, served = sockdiag.info(one), tally.served(one.source, one.sport)
        if info is None or info.data_segs_in is None:
            return
        age = idle_age(one, info)
        if age is not None and served in ages:
            ages[served].add(age)
    for served, counted in ages.items():
        served.idle = counted


def _by_procfs(system: System, nginx_ports: frozenset[int]) -> Sockets:
    """Two passes: who listens, and then who is connected."""
    tally = Tally()
    for row, rx_queue in _rows(system):
        family, state, sport, peer = row
        if state == State.LISTEN:
            served = tally.listen(sockdiag.address(family, peer[2:18]), int.from_bytes(sport, "big"))
            served.join(rx_queue, None, None)
    tally.add(row for row, _ in _rows(system) if row[1] != State.LISTEN)
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
