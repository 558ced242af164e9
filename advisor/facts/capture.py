"""The root ``capture``: what a capture of packets showed, by server, and by keepalive_timeout."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, ClassVar

from advisor.facts.capture_timeouts import CapturedTimeout, timeouts
from advisor.facts.nginx import NginxFacts
from advisor.facts.passes import Pass
from advisor.facts.places import Location
from advisor.facts.schema import From
from advisor.facts.servers import Endpoint
from advisor.facts.values import Count, Histogram, Item, Rate, Seconds
from advisor.records import dataclass
from advisor.snapshot.model import Captured, CapturedServer, Snapshot

_SOURCE = From("capture")
_WHOSE = {True: "this host", False: "another host", None: "a host"}


@dataclass(frozen=True)
class CaptureServer(Item):
    """What connections were made to. All that is counted stands between the first and the last packet."""

    row: CapturedServer
    whole: Captured

    @property
    def id(self) -> str:  # type: ignore[override]  # computed
        """Address and port; the port alone for those that were not kept one by one."""
        if self.row.address is None:
            return f"port {self.row.port} of all others"
        return str(Endpoint(self.row.address, self.row.port))

    @property
    def location(self) -> Location:
        """The address itself."""
        return Location(logical=self.id)

    @property
    def whose(self) -> str:
        """Whose address it is, as far as that is known: "this host", "another host", or "a host"."""
        return _WHOSE[self.row.local]

    @property
    def ours(self) -> bool:
        """Whether it is known to be an address of this host."""
        return bool(self.row.local)

    @property
    def connections(self) -> Annotated[Count, _SOURCE]:
        """Connections, and attempts at one."""
        return self._count("connections")

    @property
    def attempts(self) -> Annotated[Count, _SOURCE]:
        """Attempts whose SYN was captured, less those that may still be answered: sent in the last second."""
        return self._count("attempts") - self._count("pending")

    @property
    def opened(self) -> Annotated[Count, _SOURCE]:
        """Attempts that both ends took for established."""
        return self._count("opened")

    @property
    def unanswered(self) -> Annotated[Count, _SOURCE]:
        """Attempts to which nothing came back, for a second or longer."""
        return self._count("unanswered")

    @property
    def refused(self) -> Annotated[Count, _SOURCE]:
        """Attempts that a RST answered."""
        return self._count("refused")

    @property
    def half_open(self) -> Annotated[Count, _SOURCE]:
        """Attempts that were answered by a SYN,ACK which the client never acknowledged."""
        return self._count("half_open")

    @property
    def repeated(self) -> Annotated[Count, _SOURCE]:
        """SYNs and SYN,ACKs that were sent again."""
        return self._count("syn_repeats") + self._count("syn_ack_repeats")

    @property
    def syns(self) -> Annotated[Count, _SOURCE]:
        """SYNs and SYN,ACKs, those sent again included."""
        return self._count("syns") + self._count("syn_acks")

    @property
    def closed(self) -> Annotated[Count, _SOURCE]:
        """Connections that either end began to close."""
        return self._count("closed_client") + self._count("closed_server")

    @property
    def closed_by_server(self) -> Annotated[Count, _SOURCE]:
        """Those that the server's end began to close."""
        return self._count("closed_server")

    @property
    def waits_at_client(self) -> Annotated[Count, _SOURCE]:
        """Connections that left TIME_WAIT at the client's end."""
        return self.row.client.get("TIME_WAIT", 0)

    @property
    def waits_at_server(self) -> Annotated[Count, _SOURCE]:
        """Connections that left TIME_WAIT at the server's end."""
        return self.row.server.get("TIME_WAIT", 0)

    @property
    def races(self) -> Annotated[Count, _SOURCE]:
        """Requests that met a connection which the server was closing after a second of silence or more: lost."""
        return self._count("races")

    @property
    def never_closed(self) -> Annotated[Count, _SOURCE]:
        """Connections that stood, and that nobody had begun to close when the capture ended."""
        return self._count("never_closed")

    @property
    def silent(self) -> Annotated[Histogram, _SOURCE]:
        """For how long nothing new had come on those."""
        return Histogram.merge([Histogram.of(self.row.silent)] if self.row.silent is not None else [])

    @property
    def rate(self) -> Annotated[Rate, _SOURCE]:
        """New connections a second."""
        return self._count("opened") / self.whole.seconds if self.whole.seconds else 0.0

    def _count(self, name: str) -> int:
        return self.row.counts.get(name, 0)


@dataclass(frozen=True)
class CaptureUpstream(CaptureServer):
    """A server to which nginx passes requests."""

    snapshot: Snapshot
    callers: tuple[Pass, ...]

    @property
    def reused(self) -> bool:
        """Whether nginx uses its connections there again, as far as it is for nginx to say."""
        return any(one.reused for one in self.callers)

    @property
    def closed_by_server(self) -> Annotated[Count, _SOURCE]:
        """Connections that the server's end began to close."""
        self.snapshot.still("capture.closes")
        return self._count("closed_server")


class CaptureFacts:
    """What a capture showed."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot, nginx: Callable[[], NginxFacts]) -> None:
        self._snapshot = snapshot
        self._nginx = nginx

    @property
    def seconds(self) -> Annotated[Seconds, _SOURCE]:
        """How long the capture is: from its first packet to its last."""
        return self._whole.seconds

    @cached_property
    def servers(self) -> list[CaptureServer]:
        """Every address and port that connections were made to (at most the 1,000 with most of them)."""
        whole = self._whole
        return [CaptureServer(row, whole) for row in whole.servers]

    @cached_property
    def upstreams(self) -> list[CaptureUpstream]:
        """Those to which nginx passes requests."""
        whole, passing = self._whole, self._nginx().passing
        named = [(row, row.address) for row in whole.servers if row.address is not None]
        called = [(row, tuple(passing.to(Endpoint(address, row.port)))) for row, address in named]
        return [CaptureUpstream(row, whole, self._snapshot, callers) for row, callers in called if callers]

    @cached_property
    def timeouts(self) -> list[CapturedTimeout]:
        """Every place that sets keepalive_timeout, with idle gaps on the ports that it governs."""
        return timeouts(self._snapshot, self._whole, self._nginx())

    @property
    def _whole(self) -> Captured:
        whole: Captured = self._snapshot.need("capture")
        return whole
