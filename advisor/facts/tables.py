"""The root ``tables``: the kernel's tables of connections and of neighbours."""

from __future__ import annotations

from typing import Annotated, ClassVar

from advisor.errors import Unread
from advisor.facts.counters import Counters
from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.sysctl import Sysctl
from advisor.facts.values import Count, Item
from advisor.records import dataclass
from advisor.snapshot import model
from advisor.snapshot.model import Snapshot

_CONNECTIONS = "net.netfilter.nf_conntrack_max"
_FAMILIES = {"arp_cache": "ipv4", "ndisc_cache": "ipv6"}


@dataclass(frozen=True, slots=True)
class ConnectionTable(Item):
    """nf_conntrack's table, as this network namespace sees it; its numbers are sysctls and counters."""

    id: str
    location: Location


@dataclass(frozen=True, slots=True)
class NeighbourTable(Item):
    """The neighbours of one family of addresses."""

    id: str
    location: Location
    sysctl: Sysctl
    counters: Counters

    @property
    def family(self) -> str:
        """``ipv4`` or ``ipv6``."""
        return _FAMILIES[self.id]

    @property
    def entries(self) -> Annotated[Count, From("/proc/net/stat")]:
        """Neighbours known, of all network namespaces; permanent ones among them, which the limit does not count."""
        return int(self.counters.value(f"{self.id}.entries", "since_boot"))

    @property
    def refused(self) -> Annotated[Count, From("/proc/net/stat")]:
        """Neighbours that found no room during the sample."""
        return int(self.counters.value(f"{self.id}.table_fulls", "delta"))

    @property
    def limit(self) -> Annotated[Count, From("gc_thresh3")]:
        """The most there may be: gc_thresh3."""
        key = _limit(self.id)
        value = self.sysctl.value(key)
        if not isinstance(value, int | float):
            raise Unread("sysctls", f"{key} is no number")
        return int(value)


def _limit(table: str) -> str:
    return f"net.{_FAMILIES[table]}.neigh.default.gc_thresh3"


class Tables:
    """What the kernel keeps beside sockets."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, sysctl: Sysctl, counters: Counters) -> None:
        self._snapshot = snapshot
        self._sysctl = sysctl
        self._counters = counters

    @property
    def connections(self) -> list[ConnectionTable]:
        """nf_conntrack's table; none where connection tracking is not loaded."""
        live: model.Sysctls = self._snapshot.need("sysctls")
        loaded = _CONNECTIONS not in live.absent
        return [ConnectionTable("nf_conntrack", self._sysctl.location(_CONNECTIONS))] if loaded else []

    @property
    def neighbours(self) -> list[NeighbourTable]:
        """arp_cache of IPv4 and ndisc_cache of IPv6; none where they have no limit: in any but the first namespace."""
        live: model.Sysctls = self._snapshot.need("sysctls")
        names = [name for name in _FAMILIES if _limit(name) not in live.absent]
        facts = self._sysctl, self._counters
        return [NeighbourTable(name, self._sysctl.location(_limit(name)), *facts) for name in names]
