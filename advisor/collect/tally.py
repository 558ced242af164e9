"""Counting sockets while they are read: by state, by listener, by destination, in bounded memory."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from advisor.catalog.tcp import State, name
from advisor.formats import sockdiag
from advisor.formats.sockdiag import AF_INET, Info, Row, Socket
from advisor.snapshot.model import IDLE_EDGES, Ages, Destination, Listener, Reading, Sockets

MOST_ROWS = 1_000
"""Listeners and destinations in a snapshot."""
MOST_CLIENTS = 65_536
"""Distinct client addresses that are kept of one listener; more are not counted."""
MOST_CLIENTS_IN_ALL = 4 * MOST_CLIENTS
MOST_PEERS = 65_536
"""Destinations kept while reading; then the half with the fewest ports goes to the rest."""
_TOP_CLIENTS = 10
_JIFFY_MS = 10
"""A tick of the slowest kernel clock, HZ=100: ages in tcp_info are ticks, turned into ms."""

_ANY4, _ANY6 = bytes(4), bytes(16)


class AgeCount:
    """Ages in seconds, counted in the buckets of `IDLE_EDGES`, whose upper edges are inclusive."""

    def __init__(self) -> None:
        self.counts = [0] * (len(IDLE_EDGES) + 1)
        self.oldest: float | None = None

    def add(self, age: float) -> None:
        """Count one."""
        self.counts[bisect_left(IDLE_EDGES, age)] += 1
        if self.oldest is None or age > self.oldest:
            self.oldest = age

    def join(self, other: AgeCount) -> None:
        """Count all of another."""
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.oldest = max((age for age in (self.oldest, other.oldest) if age is not None), default=None)

    def done(self) -> Ages:
        """As a snapshot holds them."""
        return Ages(counts=self.counts, oldest=self.oldest)


class Served:
    """What is counted of one listening address."""

    def __init__(self, address: bytes, port: int) -> None:
        self.address = address
        self.port = port
        self.sockets = 0
        self.v6only = False
        self.queue: int | None = None
        self.limit: int | None = None
        self.drops: Reading | None = None
        self.states: Counter[int] = Counter()
        self.clients: Counter[bytes] = Counter()
        self.idle: AgeCount | None = None

    def join(self, queue: int, limit: int | None, drops: Reading | None) -> None:
        """One more socket of this address (SO_REUSEPORT): drops are added, the fullest queue is kept."""
        self.sockets += 1
        if self.queue is None or _fullness(queue, limit) > _fullness(self.queue, self.limit):
            self.queue, self.limit = queue, limit
        self.drops = _added(self.drops, drops)

    def row(self) -> Listener:
        """As a snapshot holds it."""
        return Listener(
            address=sockdiag.text(self.address),
            port=self.port,
            sockets=self.sockets,
            states=named(self.states),
            queue=self.queue,
            limit=self.limit,
            drops=self.drops,
            idle=self.idle.done() if self.idle else None,
            clients=len(self.clients),
            top_clients={sockdiag.text(raw): count for raw, count in self.clients.most_common(_TOP_CLIENTS)},
        )


def _fullness(queue: int, limit: int | None) -> float:
    return queue / max(limit or 0, 1)


def _added(one: Reading | None, two: Reading | None) -> Reading | None:
    if one is None or two is None:
        return one or two
    last = None if one.last is None or two.last is None else one.last + two.last
    return Reading(first=one.first + two.first, last=last)


def named(states: Counter[int]) -> dict[str, int]:
    """Counts by the word of a state."""
    found: Counter[str] = Counter()
    for state, count in sorted(states.items()):
        found[name(state)] += count
    return dict(found)


def idle_age(socket: Socket, info: Info) -> float | None:
    """How long a connection has been idle between requests, in seconds; None when it is not, or can't be said.

    A request came (data_segs_in), an answer went (data_segs_out), it went after the last request did (ages count
    backwards, within a tick), and nothing waits to be sent or read. nginx's keepalive_timeout starts when nginx's last
    write is accepted, which last_data_sent is nearest to. Streams between two messages look the same.
    """
    answered = bool(info.data_segs_in and info.data_segs_out) and not socket.rqueue and not socket.wqueue
    if answered and info.last_data_sent <= info.last_data_recv + _JIFFY_MS:
        return info.last_data_sent / 1000
    return None


class Tally:
    """Counts the listeners first, then connections, row by row."""

    def __init__(self) -> None:
        self.states: Counter[int] = Counter()
        self._listeners: dict[tuple[bytes, int], Served] = {}
        self._ports: set[bytes] = set()
        self._found: dict[tuple[int, bytes, bytes], Served | None] = {}
        self._peers: dict[tuple[int, bytes], Counter[int]] = {}
        self._clients = 0
        self._rest = 0

    @property
    def ports(self) -> frozenset[int]:
        """The ports that listen."""
        return frozenset(int.from_bytes(port, "big") for port in self._ports)

    def listen(self, source: bytes, port: int) -> Served:
        """Count a listening socket; the row it belongs to."""
        self.states[State.LISTEN] += 1
        self._ports.add(port.to_bytes(2, "big"))
        return self._listeners.setdefault((source, port), Served(source, port))

    def add(self, rows: Iterable[Row]) -> None:
        """Count some connections."""
        states, ports, peers = self.states, self._ports, self._peers
        for row in rows:
            family, state, sport, peer = row
            states[state] += 1
            if sport in ports:
                self._serve(row)
                continue
            key = (family, peer)
            counts = peers.get(key)
            if counts is None:
                self._bound()
                counts = peers[key] = Counter()
            counts[state] += 1

    def on(self, ports: Iterable[int]) -> list[Served]:
        """The listeners on some ports."""
        wanted = frozenset(ports)
        return [one for one in self._listeners.values() if one.port in wanted]

    def served(self, source: bytes, port: int) -> Served | None:
        """The listener that a connection on a local address came in through, as the kernel looks it up.

        IPv4 reaches [::] too, where that is not IPv6 only and nothing listens on 0.0.0.0.
        """
        exact = self._listeners.get((source, port))
        if exact is not None or len(source) == len(_ANY6):
            return exact or self._listeners.get((_ANY6, port))
        six = self._listeners.get((_ANY6, port))
        return self._listeners.get((_ANY4, port)) or (six if six and not six.v6only else None)

    def _serve(self, row: Row) -> None:
        family, state, sport, peer = row
        key = (family, sport, peer[2:18])
        if key not in self._found:
            if len(self._found) >= MOST_PEERS:
                self._found.clear()
            self._found[key] = self.served(sockdiag.address(family, peer[2:18]), int.from_bytes(sport, "big"))
        served = self._found[key]
        if served is None:
            return
        served.states[state] += 1
        if state == State.ESTABLISHED:
            self._client(served, peer[18:22] if family == AF_INET else sockdiag.address(family, peer[18:34]))

    def _client(self, served: Served, client: bytes) -> None:
        if client not in served.clients:
            if len(served.clients) >= MOST_CLIENTS or self._clients >= MOST_CLIENTS_IN_ALL:
                return
            self._clients += 1
        served.clients[client] += 1

    def _bound(self) -> None:
        if len(self._peers) < MOST_PEERS:
            return
        fewest = heapq.nsmallest(MOST_PEERS // 2, self._peers.items(), key=lambda item: item[1].total())
        for key, counts in fewest:
            self._rest += counts.total()
            del self._peers[key]

    def done(self, method: Literal["SOCK_DIAG", "/proc/net/tcp"], first: frozenset[int]) -> Sockets:
        """As a snapshot holds it.

        Listeners on the ports of ``first`` and then those with the most connections get the rows there are, and so do
        the destinations with the most ports; ``rest`` counts the connections of all others. The kernel keeps every
        (local address, local port, remote address, remote port) once: each socket towards a destination is one port.
        """
        served = sorted(self._listeners.values(), key=lambda one: (one.port not in first, -one.states.total()))
        reached = sorted(self._reached().items(), key=lambda item: (-item[1].total(), item[0]))
        rest = sum(one.states.total() for one in served[MOST_ROWS:])
        rest += sum(counts.total() for _, counts in reached[MOST_ROWS:])
        return Sockets(
            method=method,
            states=named(self.states),
            listeners=[one.row() for one in sorted(served[:MOST_ROWS], key=lambda one: (one.port, one.address))],
            destinations=[_destination(*item) for item in reached[:MOST_ROWS]],
            rest=self._rest + rest,
        )

    def _reached(self) -> dict[tuple[bytes, bytes, bytes], Counter[int]]:
        """The destinations by (local, remote, port), IPv4-mapped ones joined with IPv4."""
        joined: dict[tuple[bytes, bytes, bytes], Counter[int]] = {}
        for (family, peer), counts in self._peers.items():
            local, remote = sockdiag.address(family, peer[2:18]), sockdiag.address(family, peer[18:34])
            joined.setdefault((local, remote, peer[:2]), Counter()).update(counts)
        return joined


def _destination(key: tuple[bytes, bytes, bytes], counts: Counter[int]) -> Destination:
    local, remote, port = key
    return Destination(
        local=sockdiag.text(local),
        remote=sockdiag.text(remote),
        port=int.from_bytes(port, "big"),
        ports=counts.total(),
        states=named(counts),
    )
