"""The root ``ports``: the ephemeral range, what is reserved in it and who listens in it."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.sockets import Sockets
from advisor.facts.sysctl import Sysctl
from advisor.facts.values import Count, Item, Ports
from advisor.records import dataclass
from advisor.snapshot.model import Snapshot

_RANGE = "net.ipv4.ip_local_port_range"
_RESERVED = "net.ipv4.ip_local_reserved_ports"
_LAST = 65535


@dataclass(frozen=True, slots=True)
class Exposed(Item):
    """Listening ports inside the range that are not reserved: those a configuration names, or the others."""

    id: str
    ports: Ports
    configured: bool
    location: Location


class PortFacts:
    """Ports of this host; numbers of ports are counts, like the bounds of the range."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, sysctl: Sysctl, sockets: Sockets, configured: Ports) -> None:
        """``configured``: the ports that nginx's configuration listens on."""
        self._snapshot = snapshot
        self._sysctl = sysctl
        self._sockets = sockets
        self._configured = configured

    @property
    def low(self) -> Annotated[Count, From("net.ipv4.ip_local_port_range")]:
        """The lowest ephemeral port."""
        return self._ends[0]

    @property
    def high(self) -> Annotated[Count, From("net.ipv4.ip_local_port_range")]:
        """The highest ephemeral port."""
        return self._ends[1]

    @property
    def same_parity(self) -> Annotated[bool, From("net.ipv4.ip_local_port_range")]:
        """Whether both ends of the range are even, or both are odd."""
        return (self.low ^ self.high) % 2 == 0

    @property
    def reserved(self) -> Annotated[Ports, From("net.ipv4.ip_local_reserved_ports")]:
        """Ports the kernel never picks by itself."""
        value = self._sysctl.value(_RESERVED)
        if not isinstance(value, Ports):
            raise TypeError(value)
        return value

    @cached_property
    def listening(self) -> Annotated[Ports, From("SOCK_DIAG, nginx listen")]:
        """Ports with a listener, and those nginx's configuration would listen on."""
        return self._live | self._configured

    @property
    def usable(self) -> Annotated[Count, From("range - reserved - listening")]:
        """Ports towards one destination: the range less what is reserved and what is listened on now."""
        return len(Ports([self._ends]) - self.reserved - self._live)

    @cached_property
    def exposed(self) -> list[Exposed]:
        """Listening ports inside the range that are not reserved, in at most two groups."""
        open_to_all = Ports([self._ends]) - self.reserved
        where = self._sysctl.location(_RANGE)
        groups = [Exposed("nginx", self._configured & open_to_all, configured=True, location=where)]
        try:
            others = (self._live - self._configured) & open_to_all
        except Unread:
            if not groups[0].ports:
                raise
            others = Ports()
        groups.append(Exposed("other listeners", others, configured=False, location=where))
        found = [group for group in groups if group.ports]
        if not found:
            self._snapshot.need("nginx")  # nothing live is no proof while what is configured was not read
        return found

    @cached_property
    def _ends(self) -> tuple[int, int]:
        low, high = (int(self._sysctl.value(_RANGE, part)) for part in ("low", "high"))  # type: ignore[arg-type]  # a part of a vector is a number
        if not 0 < low <= high <= _LAST:
            raise Unread("sysctls", f"{self._sysctl.origin(_RANGE)} holds {low} to {high}, which is no range of ports")
        return low, high

    @cached_property
    def _live(self) -> Ports:
        return Ports.of(listener.row.port for listener in self._sockets.listeners)
