"""What this host connects to, the local ports that takes, and what nginx has to do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from advisor.errors import Unread
from advisor.facts.places import Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.time_wait import LENGTH
from advisor.facts.values import Count, Histogram, Item, Rate, Seconds
from advisor.records import dataclass, kept
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_SOURCE = From("SOCK_DIAG")
_WINDOW = 10.0
"""Seconds over which new connections are counted; one of the edges of ages."""


class LocalPorts(Protocol):
    """The local ports there are: see `advisor.facts.ports.PortFacts`."""

    @property
    def usable(self) -> int:
        """How many there are towards one destination."""

    @property
    def first_parity(self) -> int:
        """The parity of those that connect() takes first."""

    def holds(self, *, loopback: bool) -> float:
        """The seconds for which TIME_WAIT keeps one."""

    def wider(self, ports: int) -> tuple[int, int]:
        """The ends of a range with room for twice as many."""


class Caller(Protocol):
    """What nginx passes to an address: see `advisor.facts.passes.Pass`."""

    @property
    def reused(self) -> bool:
        """Whether its connections are used again."""

    @property
    def possible(self) -> bool:
        """Whether its protocol can."""

    @property
    def per_process(self) -> bool:
        """Whether the other side mostly gives each connection a process of its own."""

    @property
    def missing(self) -> str:
        """What it lacks for that."""

    @property
    def room(self) -> int | None:
        """How many each worker may keep."""

    @property
    def concurrency(self) -> int:
        """ESTABLISHED for each worker."""

    def place(self, directive: str) -> Place:
        """Where a directive would be written."""


Callers = Callable[[Endpoint], Sequence[Caller]]


@dataclass(frozen=True)
class Destination(Item):
    """One remote address and port, and the local ports in use towards it. ``callers``: what nginx passes to it.

    Its names are kept once made: several rules ask for those of hundreds.
    """

    row: model.Destination
    snapshot: Snapshot
    callers: Callers
    local_ports: Callable[[], LocalPorts]

    @kept
    def id(self) -> str:  # type: ignore[override]  # computed
        """Local address, remote address and port."""
        return f"{self.row.local} to {self.remote}"

    @property
    def local(self) -> str:
        """The local address."""
        return self.row.local

    @kept
    def remote(self) -> str:
        """The remote address and port."""
        return str(Endpoint(self.row.remote, self.row.port))

    @property
    def loopback(self) -> bool:
        """Whether one end is a loopback address, as tcp_tw_reuse=2 means it (the host's other addresses are none)."""
        return any(end == "::1" or end.startswith("127.") for end in (self.row.remote, self.row.local))

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
    def reusable(self) -> Annotated[Count, From("SOCK_DIAG, tcp_tw_reuse")]:
        """Those in TIME_WAIT that a new connection there may take over now, where the other side has timestamps."""
        if not self.time_wait or (holds := self._holds) >= LENGTH:
            return 0
        return min(self.time_wait, int(self._ages.above(holds)))

    @property
    def held(self) -> Annotated[Count, From("SOCK_DIAG, tcp_tw_reuse")]:
        """Local ports that a new connection there can't get now: those in use, less the reusable ones."""
        return self.ports - self.reusable

    @property
    def rate(self) -> Annotated[Rate, From("SOCK_DIAG, ages of TIME_WAIT")]:
        """New connections a second, at least: TIME_WAIT of the last 10 s, or of the time for which none is taken over.

        Those still open, and those that the other side closed, are not in it.
        """
        if not self.time_wait:
            return 0.0
        window = min(_WINDOW, self._holds)
        return self._ages.below(window) / window

    @property
    def most_rate(self) -> Annotated[Rate | None, From("usable ports, TIME_WAIT")]:
        """New connections a second that the ports suffice for: usable ports over the time TIME_WAIT holds one.

        Unset without TIME_WAIT: the other side closes first, or nobody does, and ports don't limit the rate.
        """
        return self.local_ports().usable / self._holds if self.time_wait else None

    @property
    def time_left(self) -> Annotated[Seconds | None, From("SOCK_DIAG, ages of TIME_WAIT")]:
        """When the ports run out if that rate goes on; unset where it may go on for ever.

        Ports come back as TIME_WAIT ends, so it is not linear, and a rate that they suffice for never ends them.
        """
        holds, rate, usable = self._holds, self.rate, self.local_ports().usable
        if rate * holds < usable or not rate:
            return None
        others = self.ports - self.time_wait
        moments = (holds * step / LENGTH for step in range(int(LENGTH)))
        return next((at for at in moments if others + self._ages.below(holds - at) + rate * at >= usable), holds)

    @property
    def other_parity(self) -> Annotated[Count, From("SOCK_DIAG, ip_local_port_range")]:
        """Local ports of the parity that connect() takes last, and bind() to port 0 first."""
        self.snapshot.still("destination.full", self.id)
        if self.row.odd is None:
            raise Unread("sockets", "the parity of local ports was not counted")
        return self.ports - self.row.odd if self.local_ports().first_parity else self.row.odd

    @property
    def wider_low(self) -> Annotated[Count, From("ip_local_port_range, ports in use")]:
        """The low end of a range for twice the ports in use: down from where it is only if the high end can't do."""
        return self.local_ports().wider(self.ports)[0]

    @property
    def wider_high(self) -> Annotated[Count, From("ip_local_port_range, ports in use")]:
        """The high end of that range: the highest port whose parity is not that of the low end."""
        return self.local_ports().wider(self.ports)[1]

    @property
    def established(self) -> Annotated[Count, _SOURCE]:
        """Those of them in ESTABLISHED."""
        self.snapshot.still("destination.full", self.id)
        return self.row.states.get("ESTABLISHED", 0)

    @property
    def unreused(self) -> str | None:
        """What nginx lacks to use its connections there again.

        Unset where it makes none, does use them again, or speaks to backends with a process for each connection.
        """
        lacking = self._lacking()
        return lacking.missing if lacking is not None else None

    @property
    def room(self) -> Count | None:
        """How many idle connections each worker may keep there; unset without ``site.backend_capacity``."""
        lacking = self._lacking()
        return lacking.room if lacking is not None else None

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

    @property
    def _holds(self) -> float:
        return self.local_ports().holds(loopback=self.loopback)

    @property
    def _ages(self) -> Histogram:
        if self.row.time_wait is None:
            raise Unread("sockets", "the way sockets were read does not show for how long they are in TIME_WAIT")
        return Histogram.of(self.row.time_wait)

    def _lacking(self) -> Caller | None:
        """The first of nginx's passes there whose connections could be used again, and are not."""
        callers = self.callers(Endpoint(self.row.remote, self.row.port))
        return next((one for one in callers if one.possible and not one.per_process and not one.reused), None)
