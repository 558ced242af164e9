"""What this host connects to, the local ports that takes, and what nginx has to do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

from advisor.errors import Unread
from advisor.facts.places import Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.values import Count, Item
from advisor.records import dataclass
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_SOURCE = From("SOCK_DIAG")


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

    def _lacking(self) -> Caller | None:
        """The first of nginx's passes there whose connections could be used again, and are not."""
        callers = self.callers(Endpoint(self.row.remote, self.row.port))
        return next((one for one in callers if one.possible and not one.per_process and not one.reused), None)
