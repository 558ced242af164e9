"""The listeners: which of them a connection came in through, and what is counted of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from advisor.catalog.tcp import name
from advisor.collect.ages import scaled
from advisor.formats import sockdiag
from advisor.snapshot.counted import Listener, Reading

MOST_CLIENTS = 65_536
"""Distinct client addresses that are kept of one listener; more are not counted."""
MOST_CLIENTS_IN_ALL = 2 * MOST_CLIENTS
_TOP_CLIENTS = 10
_ANY4, _ANY6 = bytes(4), bytes(16)


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
        self.cgroups: set[int | None] = set()
        self.unit: str | None = None

    def join(self, queue: int, limit: int | None, drops: Reading | None) -> None:
        """One more socket of this address (SO_REUSEPORT): drops are added, the fullest queue is kept."""
        self.sockets += 1
        if self.queue is None or _fullness(queue, limit) > _fullness(self.queue, self.limit):
            self.queue, self.limit = queue, limit
        self.drops = _added(self.drops, drops)

    def row(self, share: float = 1.0) -> Listener:
        """As a snapshot holds it.

        Args:
            share: the part of the connections that was looked at. How many clients they have can't be told of a part.
        """
        top = sorted(self.clients, key=self.clients.__getitem__, reverse=True)[:_TOP_CLIENTS]
        return Listener(
            address=sockdiag.text(self.address),
            port=self.port,
            sockets=self.sockets,
            states=named(self.states, share),
            queue=self.queue,
            limit=self.limit,
            drops=self.drops,
            clients=len(self.clients) if share >= 1 else None,
            top_clients={sockdiag.text(raw): scaled(self.clients[raw], share) for raw in top},
            unit=self.unit,
        )


def _fullness(queue: int, limit: int | None) -> float:
    return queue / max(limit or 0, 1)


def _added(one: Reading | None, two: Reading | None) -> Reading | None:
    if one is None or two is None:
        return one or two
    last = None if one.last is None or two.last is None else one.last + two.last
    return Reading(first=one.first + two.first, last=last)


def named(states: Counter[int], share: float = 1.0) -> dict[str, int]:
    """Counts by the word of a state; of a share that was looked at, those of the whole."""
    found: Counter[str] = Counter()
    for state, count in sorted(states.items()):
        found[name(state)] += scaled(count, share)
    return dict(found)


class Listeners:
    """All listening addresses of a network namespace."""

    def __init__(self) -> None:
        self._rows: dict[tuple[bytes, int], Served] = {}
        self._clients = 0

    @property
    def ports(self) -> frozenset[int]:
        """The ports that listen."""
        return frozenset(port for _, port in self._rows)

    def add(self, source: bytes, port: int) -> Served:
        """The row of an address, made if need be."""
        return self._rows.setdefault((source, port), Served(source, port))

    def all(self) -> list[Served]:
        """Every row."""
        return list(self._rows.values())

    def on(self, ports: Iterable[int]) -> list[Served]:
        """The listeners on some ports."""
        wanted = frozenset(ports)
        return [one for one in self._rows.values() if one.port in wanted]

    def of(self, source: bytes, port: int) -> Served | None:
        """The listener that a connection on a local address came in through, as the kernel looks it up.

        IPv4 reaches [::] too, where that is not IPv6 only and nothing listens on 0.0.0.0.
        """
        exact = self._rows.get((source, port))
        if exact is not None or len(source) == len(_ANY6):
            return exact or self._rows.get((_ANY6, port))
        six = self._rows.get((_ANY6, port))
        return self._rows.get((_ANY4, port)) or (six if six and not six.v6only else None)

    def client(self, served: Served, client: bytes, count: int) -> None:
        """Count connections of one client, within the bounds."""
        if client not in served.clients:
            if len(served.clients) >= MOST_CLIENTS or self._clients >= MOST_CLIENTS_IN_ALL:
                return
            self._clients += 1
        served.clients[client] += count
