"""The places that set keepalive_timeout, joined with how long a capture shows connections to sit idle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated

from advisor.capture.buckets import edge, middle
from advisor.capture.choices import Choice, Load, Port, load
from advisor.capture.survival import timeout_seen
from advisor.errors import Unread
from advisor.facts.keepalives import Keepalive
from advisor.facts.nginx import NginxFacts
from advisor.facts.places import Location, Place
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.values import Count, Item, Number, Rate, Seconds
from advisor.records import dataclass, kept
from advisor.snapshot.model import Captured, CapturedPort, CapturedServer, Snapshot
from advisor.units import number

_SOURCE = From("capture")
_MEASUREMENT = "capture.gaps"
_EXACT = 0.02
"""The share by which a timeout that is seen may differ from the one that is set; and one second more."""
_STRAY = 0.02
"""The share of gaps that may be longer than the timeout: those of websockets end otherwise."""


@dataclass(frozen=True)
class CapturedTimeout(Item):
    """A ``keepalive_timeout`` and the idle gaps on its ports."""

    setting: Keepalive
    snapshot: Snapshot
    whole: Captured
    ports: tuple[CapturedPort, ...]
    servers: tuple[CapturedServer, ...]
    doubt: str | None

    @property
    def id(self) -> str:  # type: ignore[override]  # computed
        """The block it stands in."""
        return self.setting.id

    @property
    def location(self) -> Location:
        """Where it stands, or http, where nothing is set."""
        return self.setting.location

    def place(self, directive: str) -> Place:
        """Where ``keepalive_timeout`` is, or would be written."""
        return self.setting.place(directive)

    @property
    def timeout(self) -> Seconds:
        """For how long nginx keeps an idle connection; 75 s where nothing is set."""
        return self.setting.timeout

    @property
    def behind_proxy(self) -> bool:
        """Whether the configuration expects a balancer: real_ip, proxy_protocol, or X-Forwarded-For from outside."""
        return self.setting.behind_proxy

    @property
    def addresses(self) -> str:
        """The ports in the capture that it governs."""
        return ", ".join(f"port {port.port}" for port in self.ports)

    @property
    def clients(self) -> Annotated[Count, _SOURCE]:
        """Distinct client addresses, the most on any one of its ports."""
        return max(port.clients for port in self.ports)

    @property
    def top_share(self) -> Annotated[Number, _SOURCE]:
        """The share of connections (0 to 1) that the ten busiest client addresses made."""
        whole = sum(port.connections for port in self.ports)
        return sum(port.top for port in self.ports) / whole if whole else 0.0

    @property
    def periods(self) -> Annotated[Count, _SOURCE]:
        """Idle gaps whose beginning is in the capture."""
        return self._load.curve.total

    @property
    def reach(self) -> Annotated[Seconds, _SOURCE]:
        """Up to where the capture tells how long connections sit idle; neither its length nor the timeout is passed."""
        return min(self._load.curve.end, self.whole.seconds, self.timeout)

    @property
    def best(self) -> Annotated[Seconds | None, _SOURCE]:
        """The shortest of the values compared that keeps 95 % of the reuse; unset where the capture shows none."""
        return None if self._best is None else self._best.timeout

    @property
    def reuse_kept(self) -> Annotated[Number | None, _SOURCE]:
        """The share of reuse (0 to 1) that this one keeps, at least; unset as that."""
        return None if self._best is None else self._best.kept

    @property
    def held(self) -> Annotated[Number | None, _SOURCE]:
        """ESTABLISHED on average at the present timeout; unset where the capture does not reach it."""
        now = self._load.at(self.timeout)
        return None if now is None else now.held

    @property
    def held_then(self) -> Annotated[Number | None, _SOURCE]:
        """ESTABLISHED on average that ``best`` would leave; unset as that."""
        return None if self._best is None else self._best.held

    @property
    def handshakes(self) -> Annotated[Rate, _SOURCE]:
        """New connections a second."""
        return self._load.handshakes

    @property
    def handshakes_then(self) -> Annotated[Rate | None, _SOURCE]:
        """New connections a second that ``best`` would make of it, at most; unset as that."""
        return None if self._best is None else self._best.handshakes

    def at(self, timeout: float) -> Choice | None:
        """What another timeout, in seconds, would give; None where the capture does not tell.

        Raises:
            Unread: as the facts here.
        """
        return self._load.at(timeout)

    @property
    def tradeoff(self) -> Annotated[str, _SOURCE]:
        """What each value would give: reuse kept, connections held, new connections a second."""
        return "; ".join(map(_words, self._load.choices())) or "nothing: the capture is too short"

    @property
    def _best(self) -> Choice | None:
        return self._load.recommended()

    @kept
    def _load(self) -> Load:
        self.snapshot.still(_MEASUREMENT)
        if self.doubt is not None:
            raise Unread("capture", self.doubt)
        gaps = tuple(_sum(getattr(port, kind) for port in self.ports) for kind in _KINDS)
        self._agreeing(gaps)
        missed, seen = sum(port.missed for port in self.ports), sum(kind.total() for kind in gaps)
        idle = sum(middle(bucket) * count for kind in gaps for bucket, count in kind.items())
        found = load(
            Port(
                seconds=self.whole.seconds,
                gaps=gaps,
                idle=idle * (1 + missed / seen) if seen else 0.0,
                held=sum(row.counts.get("held_us", 0) for row in self.servers) / 1e6,
                opened=sum(row.counts.get("opened", 0) for row in self.servers),
                missed=missed,
            ),
            self.timeout,
        )
        if found is None:
            raise Unread("capture", f"no connection to {self.addresses} was idle between two requests")
        return found

    def _agreeing(self, gaps: tuple[Mapping[int, int], ...]) -> None:
        """Make sure that the timeout was in force while packets were captured.

        Raises:
            Unread: when it was another one.
        """
        set_to, seen = self.timeout, timeout_seen(gaps)
        longer = {bucket: count for bucket, count in gaps[0].items() if edge(bucket) > set_to * (1 + _EXACT) + 1}
        if sum(longer.values()) > _STRAY * sum(gaps[0].values()):
            was = f"requests came after up to {number(round(middle(max(longer))))} s of silence"
        elif seen is not None and seen < set_to / (1 + _EXACT) - 1:
            was = f"the server closed idle connections after {number(round(seen, 1))} s"
        else:
            return
        raise Unread("capture", f"in it {was}, and keepalive_timeout is {number(set_to)} s now: capture again")


_KINDS = ("reused", "client_closed", "server_closed", "cut")


def _sum(counts: Iterable[Mapping[int, int]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for one in counts:
        found.update(one)
    return found


def _words(one: Choice) -> str:
    return (
        f"{number(one.timeout)} s keeps {one.kept:.0%}, holds {number(round(one.held))}, "
        f"{number(round(one.handshakes, 2))}/s"
    )


def timeouts(snapshot: Snapshot, whole: Captured, nginx: NginxFacts) -> list[CapturedTimeout]:
    """One item for each place that governs a port on which the capture has idle gaps."""
    gaps = {port.port: port for port in whole.ports if any(getattr(port, kind) for kind in _KINDS)}
    found = []
    for setting in nginx.keepalives:
        governed = dict.fromkeys(endpoint.port for endpoint in setting.endpoints)
        ports = tuple(gaps[port] for port in governed if port in gaps)
        rows = [row for row in whole.servers if row.port in {port.port for port in ports}]
        served = tuple(row for row in rows if _serves(row, setting, nginx))
        if served:
            doubt = _doubt(rows, served, setting)
            found.append(CapturedTimeout(setting, snapshot, whole, ports, served, doubt))
    return found


def _serves(row: CapturedServer, setting: Keepalive, nginx: NginxFacts) -> bool:
    """Whether a server in the capture is this nginx: an address of this host, or one that nginx does not call."""
    if row.local is False or (row.address is not None and not _reached(row, setting.endpoints)):
        return False
    named = row.address is not None and row.local is None
    return not (named and nginx.passing.to(Endpoint(row.address or "", row.port)))


def _reached(row: CapturedServer, endpoints: tuple[Endpoint, ...]) -> bool:
    return any(
        endpoint.port == row.port and (endpoint.wildcard or endpoint.address == row.address) for endpoint in endpoints
    )


def _doubt(rows: list[CapturedServer], served: tuple[CapturedServer, ...], setting: Keepalive) -> str | None:
    """Why the gaps of these ports may not be this setting's alone."""
    other = next((row for row in rows if row not in served), None)
    if other is not None:
        return f"connections to port {other.port} of another server are in it, too: capture with a filter for this host"
    if any(row.address is None or not _reached(row, setting.whole) for row in served):
        return f"more than one keepalive_timeout governs port {served[0].port}"
    return None
