"""The TCP sockets of the host: per state, per listener, per destination."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, ClassVar, TypeVar

from advisor.errors import Unread
from advisor.facts.destinations import Callers, Destination, LocalPorts
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.values import Count, Histogram, Item
from advisor.records import dataclass, kept
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

T = TypeVar("T")

_SOURCE = From("SOCK_DIAG")
_TOP = 10
"""Clients looked at when asking whether a few addresses hold most connections."""


@dataclass(frozen=True)
class Listener(Item):
    """A listening address. ``at`` is where nginx's configuration asks for it, None where it does not.

    Its name is kept once made: many rules ask for it.
    """

    row: model.Listener
    snapshot: Snapshot
    at: Place | None
    file_location: Location | None

    @property
    def id(self) -> str:  # type: ignore[override]  # computed
        """Address and port."""
        return self.address

    @kept
    def address(self) -> str:
        """Address and port, as nginx writes them."""
        return str(Endpoint(self.row.address, self.row.port))

    @property
    def from_nginx(self) -> bool:
        """Whether nginx's configuration asks for it."""
        return self.at is not None

    @property
    def location(self) -> Location:
        """The ``listen`` that asks for it, else the address itself."""
        return self.file_location or Location(logical=self.address)

    def place(self, directive: str) -> Place:
        """Where ``listen.backlog`` would be written.

        Raises:
            Unread: when no configuration of nginx asks for this address.
        """
        if self.at is None:
            raise Unread("nginx", f"no listen directive that was read asks for {self.address} to give {directive} to")
        return self.at

    @property
    def queue(self) -> Annotated[Count, _SOURCE]:
        """Connections that wait to be accepted."""
        self.snapshot.still("listener.queue", self.id)
        return _seen(self.row.queue, "queue")

    @property
    def limit(self) -> Annotated[Count, _SOURCE]:
        """The most that may wait: the backlog after net.core.somaxconn cut it."""
        self.snapshot.still("listener.limit", self.id)
        return _seen(self.row.limit, "queue limit")

    @property
    def drops(self) -> Annotated[Count, _SOURCE]:
        """Connection attempts dropped during the sample."""
        self.snapshot.still("listener.drops", self.id)
        drops = _seen(self.row.drops, "drops")
        if drops.last is None:
            raise Unread("sockets", "drops were read once only; they need a sample (--sample 1)")
        return max(0, drops.last - drops.first)

    @property
    def drops_before(self) -> Annotated[Count, _SOURCE]:
        """Connection attempts dropped since the socket was made, up to the beginning of the sample."""
        self.snapshot.still("listener.drops", self.id)
        return _seen(self.row.drops, "drops").first

    @property
    def established(self) -> Annotated[Count, _SOURCE]:
        """Connections of it in ESTABLISHED."""
        self.snapshot.still("listener.states", self.id)
        return self.row.states.get("ESTABLISHED", 0)

    @property
    def clients(self) -> Annotated[Count, _SOURCE]:
        """Distinct remote addresses in ESTABLISHED."""
        self.snapshot.still("listener.states", self.id)
        return _seen(self.row.clients, "clients")

    @property
    def idle(self) -> Annotated[Histogram, _SOURCE]:
        """How long its keep-alive-idle connections have been idle."""
        self.snapshot.still("listener.idle", self.id)
        return Histogram.of(_seen(self.row.idle, "idle times"))

    def top(self) -> int:
        """ESTABLISHED connections held by the ten remote addresses that hold most."""
        self.snapshot.still("listener.states", self.id)
        _seen(self.row.clients, "clients")
        return sum(sorted(self.row.top_clients.values(), reverse=True)[:_TOP])


def serving(rows: dict[str, Listener], endpoint: Endpoint) -> Listener | None:
    """The socket that takes connections to an address: its own, else the wildcard's (nginx binds only that then)."""
    wildcard = Endpoint("::" if ":" in endpoint.address else "0.0.0.0", endpoint.port)  # noqa: S104 (to compare with)
    return rows.get(str(endpoint)) or rows.get(str(wildcard))


def _seen(value: T | None, what: str) -> T:
    if value is None:
        raise Unread("sockets", f"the way sockets were read does not show the {what} of a listener")
    return value


class Sockets:
    """The root ``sockets``."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(
        self,
        snapshot: Snapshot,
        asked: dict[str, tuple[Place, Location]],
        callers: Callers,
        local_ports: Callable[[], LocalPorts],
    ) -> None:
        """``asked``: where nginx's configuration asks for an address (``0.0.0.0:80``); ``callers``: who calls one."""
        self._snapshot = snapshot
        self._local_ports = local_ports
        self._asked = asked
        self._callers = callers

    @property
    def established(self) -> Annotated[Count, _SOURCE]:
        """Every ESTABLISHED socket of the namespace."""
        return self._state("ESTABLISHED")

    @property
    def time_wait(self) -> Annotated[Count, _SOURCE]:
        """Every TIME_WAIT socket of the namespace."""
        return self._state("TIME_WAIT")

    @property
    def time_wait_served(self) -> Annotated[Count, _SOURCE]:
        """TIME_WAIT on ports that listen: this side closed the connections of clients first."""
        self._snapshot.still("listener.states")
        return sum(row.states.get("TIME_WAIT", 0) for row in self._rows.listeners)

    @property
    def fin_wait2(self) -> Annotated[Count, _SOURCE]:
        """Every FIN_WAIT2 socket of the namespace, held by a process or not."""
        return self._state("FIN_WAIT2")

    @property
    def close_wait(self) -> Annotated[Count, _SOURCE]:
        """Every CLOSE_WAIT socket of the namespace."""
        return self._state("CLOSE_WAIT")

    @cached_property
    def listeners(self) -> list[Listener]:
        """Every listening address."""
        found = []
        for row in self._rows.listeners:
            place, location = self._asked.get(str(Endpoint(row.address, row.port)), (None, None))
            found.append(Listener(row, self._snapshot, place, location))
        return found

    @cached_property
    def destinations(self) -> list[Destination]:
        """Every destination (at most the 1,000 with most ports)."""
        return [Destination(row, self._snapshot, self._callers, self._local_ports) for row in self._rows.destinations]

    def towards(self, endpoint: Endpoint) -> list[Destination]:
        """The destinations with that remote address and port, one for each local address.

        Raises:
            Unread: when there is none among the rows, and the rows that were left out may hold it.
        """
        found = self._by_remote.get(endpoint, [])
        if not found and self._rows.rest:
            raise Unread("sockets", f"only the {len(self._rows.destinations):,} busiest destinations were kept")
        return found

    @cached_property
    def _by_remote(self) -> dict[Endpoint, list[Destination]]:
        found: dict[Endpoint, list[Destination]] = {}
        for one in self.destinations:
            found.setdefault(Endpoint(one.row.remote, one.row.port), []).append(one)
        return found

    @property
    def _rows(self) -> model.Sockets:
        rows: model.Sockets = self._snapshot.need("sockets")
        return rows

    def _state(self, state: str) -> int:
        self._snapshot.still("listener.states")
        return self._rows.states.get(state, 0)
