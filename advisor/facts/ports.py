"""The root ``ports``: the ephemeral range, what is reserved in it, who listens in it and who needs ports of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.sockets import Sockets
from advisor.facts.sysctl import Sysctl
from advisor.facts.time_wait import holds
from advisor.facts.values import Count, Item, Ports
from advisor.records import dataclass
from advisor.snapshot.model import UDP_SOCKETS, Claim, Host, Snapshot

_RANGE = "net.ipv4.ip_local_port_range"
_RESERVED = "net.ipv4.ip_local_reserved_ports"
_LAST = 65535
_LOWEST = 10240
"""A wider range begins here at the lowest: ports below are left to services."""
_RELEASE = re.compile(r"(\d{1,4})\.(\d{1,4})", re.ASCII)
_KNOWN_FROM = (6, 1)
"""The first version of Linux whose order of trying ports was read (inet_hashtables.c) and measured."""


@dataclass(frozen=True, slots=True)
class Exposed(Item):
    """Ports inside the range that are not reserved and that somebody needs.

    ``configured``: a file or a convention names them, so that they mean something also while nobody listens.
    """

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
        self._holds: dict[bool, float] = {}

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

    @cached_property
    def usable(self) -> Annotated[Count, From("range - reserved - listening")]:
        """Ports towards one destination: the range less what is reserved and what is listened on now.

        A port that somebody bound before connecting elsewhere counts as usable, though it is not: none is listed so.
        """
        return len(Ports([self._ends]) - self.reserved - self._live)

    @cached_property
    def needed(self) -> Annotated[Ports, From("nginx listen, claims, SOCK_DIAG")]:
        """Ports to be reserved in a wider range: configured ones, claims, and those in use outside of the present one.

        Who listens inside of it may have asked for any port: reserving those would lengthen the list for ever.
        """
        used = self._live | self._claimed(lambda claim: claim.by == UDP_SOCKETS)
        return self._configured | self._named | (used - Ports([self._ends]))

    @cached_property
    def exposed(self) -> list[Exposed]:
        """Ports inside the range that somebody listens on or claims and that are not reserved, by who needs them."""
        open_to_all = Ports([self._ends]) - self.reserved
        where = self._sysctl.location(_RANGE)
        found = [Exposed("nginx", self._configured & open_to_all, configured=True, location=where)]
        missing: list[Unread] = []
        for group in (self._exposed_others, self._exposed_claims):
            try:
                found += group(open_to_all, where)
            except Unread as unread:
                missing.append(unread)
        found = [group for group in found if group.ports]
        if not found:
            self._snapshot.need("nginx")  # nothing live is no proof while what is configured was not read
            if missing:
                raise missing[0]
        return found

    def _exposed_claims(self, open_to_all: Ports, where: Location) -> list[Exposed]:
        by: dict[str, Ports] = {}
        place: dict[str, Location] = {}
        for claim in self._claims:
            if claim.by != UDP_SOCKETS:
                by[claim.by] = by.get(claim.by, Ports()) | Ports([(claim.low, claim.high)])
                place.setdefault(claim.by, Location(claim.by, claim.file, claim.line) if claim.file else where)
        rest = open_to_all - self._configured
        return [Exposed(who, ports & rest, configured=True, location=place[who]) for who, ports in by.items()]

    def _exposed_others(self, open_to_all: Ports, where: Location) -> list[Exposed]:
        try:
            named = self._named
        except Unread:
            named = Ports()
        others = (self._live - self._configured - named) & open_to_all
        return [Exposed("other listeners", others, configured=False, location=where)]

    @cached_property
    def first_parity(self) -> int:
        """0 where connect() takes even ports first, 1 where odd ones: the parity of the low end."""
        host: Host = self._snapshot.need("host")
        release = _RELEASE.match(host.kernel)
        if release is None or tuple(map(int, release.groups())) < _KNOWN_FROM:
            raise Unread("host", f"in which order Linux {host.kernel} tries ports is not known")
        return self.low % 2

    def holds(self, *, loopback: bool) -> float:
        """The seconds for which TIME_WAIT keeps a port from a new connection to the same address and port."""
        if loopback not in self._holds:
            self._holds[loopback] = holds(self._snapshot, self._sysctl, loopback=loopback)
        return self._holds[loopback]

    def wider(self, ports: int) -> tuple[int, int]:
        """The ends of a range for twice as many ports: upwards first, never below who may bind without privilege.

        Its ends have different parities, as the kernel prefers.
        """
        start = self._sysctl.value("net.ipv4.ip_unprivileged_port_start")
        low = min(self.low, max(_LOWEST, int(start), _LAST + 1 - 2 * ports))  # type: ignore[arg-type]  # a number
        return low, max(self.high, _LAST - low % 2)

    @property
    def _claims(self) -> list[Claim]:
        claims: list[Claim] = self._snapshot.need("claims")
        return claims

    @cached_property
    def _named(self) -> Ports:
        return self._claimed(lambda claim: claim.by != UDP_SOCKETS)

    def _claimed(self, wanted: Callable[[Claim], bool]) -> Ports:
        return Ports((claim.low, claim.high) for claim in self._claims if wanted(claim))

    @cached_property
    def _ends(self) -> tuple[int, int]:
        low, high = (int(self._sysctl.value(_RANGE, part)) for part in ("low", "high"))  # type: ignore[arg-type]  # a part of a vector is a number
        if not 0 < low <= high <= _LAST:
            raise Unread("sysctls", f"{self._sysctl.origin(_RANGE)} holds {low} to {high}, which is no range of ports")
        return low, high

    @cached_property
    def _live(self) -> Ports:
        return Ports.of(listener.row.port for listener in self._sockets.listeners)
