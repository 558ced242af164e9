"""The TCP sockets of the host: per state, per listener, per destination."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Protocol, TypeVar

from advisor.errors import Unread
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.values import Count, Histogram, Item
from advisor.records import dataclass
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

T = TypeVar("T")

_SOURCE = From("SOCK_DIAG")
_TOP = 10
"""Clients looked at when asking whether a few addresses hold most connections."""


@dataclass(frozen=True, slots=True)
class Listener(Item):
    """A listening address. ``at`` is where nginx's configuration asks for it, None where it does not."""

    row: model.Listener
    snapshot: Snapshot
    at: Place | None
    file_location: Location | None

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """Address and port."""
        return self.address

    @property
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


class Caller(Protocol):
    """What nginx passes to an address: see `advisor.facts.passes.Pass`."""

    @property
    def reused(self) -> bool:
        """Whether its connections are used again."""

    @property
    def missing(self) -> str:
        """What it lacks for that."""

    @property
    def concurrency(self) -> int:
        """ESTABLISHED for each worker."""

    def place(self, directive: str) -> Place:
        """Where a directive would be written."""


Callers = Callable[[Endpoint], Sequence[Caller]]


@dataclass(frozen=True, slots=True)
class Destination(Item):
    """One remote address and port, and the local ports in use towards it. ``callers``: what nginx passes to it."""

    row: model.Destination
    snapshot: Snapshot
    callers: Callers

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """Local address, remote address and port."""
        return f"{self.row.local} to {self.remote}"

    @property
    def local(self) -> str:
        """The local address."""
        return self.row.local

    @property
    def remote(self) -> str:
        """The remote address and port."""
        return str(Endpoint(self.row.remote, self.row.port))

    @property
    def loopback(self) -> bool:
        """Whether it is this host's own loopback."""
        return self.row.remote == "::1" or self.row.remote.startswith("127.")

    @property
    def ports(self) -> Annotated[Count, _SOURCE]:
        """Distinct local ports in use, in any state."""
        self.snapshot.still("destination.full", self.id)
        return self.row.ports

    @property
    def time_wait(self) -> Annotated[Count, _SOURCE]:
        """Those of them in TIME_WAIT."""
        self.snapshot.still("destination.full", self.id)
        return self.row.states.get("TIME_WAIT", 0)

    @property
    def established(self) -> Annotated[Count, _SOURCE]:
        """Those of them in ESTABLISHED."""
        self.snapshot.still("destination.full", self.id)
        return self.row.states.get("ESTABLISHED", 0)

    @property
    def unreused(self) -> str | None:
        """What nginx lacks to use its connections there again; unset where it makes none, or does use them again."""
        lacking = self._lacking()
        return lacking.missing if lacking is not None else None

    @property
    def concurrency(self) -> Annotated[Count, _SOURCE]:
        """ESTABLISHED for each worker of nginx, to all servers of the upstream that this is one of."""
        lacking = self._lacking()
        if lacking is None:
            raise Unread("nginx", "nothing there that was read passes requests to it")
        return lacking.concurrency

    def place(self, directive: str) -> Place:
        """Where ``upstream.reuse`` would be written.

        Raises:
            Unread: when nginx makes no connections there that could be used again, or only a person can write it.
        """
        lacking = self._lacking()
        if lacking is None:
            raise Unread("nginx", f"nothing there that was read passes requests to {self.remote}")
        return lacking.place(directive)

    def _lacking(self) -> Caller | None:
        """The first of nginx's passes there whose connections are not used again."""
        return next((one for one in self.callers(Endpoint(self.row.remote, self.row.port)) if not one.reused), None)


class Sockets:
    """The root ``sockets``."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, asked: dict[str, tuple[Place, Location]], callers: Callers) -> None:
        """``asked``: where nginx's configuration asks for an address (``0.0.0.0:80``); ``callers``: who calls one."""
        self._snapshot = snapshot
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
        return [Destination(row, self._snapshot, self._callers) for row in self._rows.destinations]

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
