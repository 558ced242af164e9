"""What a packet capture came to: counts by server, lengths of idle gaps in buckets. No packet, no payload, no client.

Everything is bounded: `PORTS` ports, `DESTINATIONS` destinations, and buckets of `advisor.capture.buckets`.
"""

from __future__ import annotations

from advisor.records import dataclass, field
from advisor.snapshot.counted import Ages

# The limits of these, and how they stand in JSON, are those of `advisor.snapshot.json`.
Count = int
Seconds = float
Port = int
Bucket = int
"""The number of a bucket of lengths of time (see `advisor.capture.buckets`)."""

PORTS = 32
"""Server ports that are kept: those with most idle gaps, then those with most connections."""
DESTINATIONS = 1000


@dataclass(frozen=True, kw_only=True)
class CapturedPort:
    """One server port, whatever the server's address.

    ``reused``, ``client_closed``, ``server_closed`` and ``cut`` count its idle gaps by length and by how they ended (by
    the next request, by either side, with the capture); ``at_once`` counts answers after which the server closed within
    a second; ``missed`` gaps that are in no bucket. ``handshakes`` are the times from the first SYN to ESTABLISHED.
    ``clients`` are distinct addresses, ``top`` the connections of the ten that made most.
    """

    port: Port
    connections: Count
    reused: dict[Bucket, Count] = field(default_factory=dict)
    client_closed: dict[Bucket, Count] = field(default_factory=dict)
    server_closed: dict[Bucket, Count] = field(default_factory=dict)
    cut: dict[Bucket, Count] = field(default_factory=dict)
    at_once: Count = 0
    missed: Count = 0
    handshakes: dict[Bucket, Count] = field(default_factory=dict)
    clients: Count = 0
    top: Count = 0


@dataclass(frozen=True, kw_only=True)
class CapturedServer:
    """What connections were made to: an address and port, or a port at all addresses that are not kept (None).

    ``local`` says whether the address was this host's when the capture was read; None: not known. ``counts`` are those
    of `advisor.capture.totals.FIELDS` that are not 0; ``client`` and ``server`` count the states that each end was left
    in; ``silent`` says for how long nothing new had come on the connections that never closed.
    """

    address: str | None = None
    port: Port
    local: bool | None = None
    counts: dict[str, Count] = field(default_factory=dict)
    client: dict[str, Count] = field(default_factory=dict)
    server: dict[str, Count] = field(default_factory=dict)
    silent: Ages | None = None


@dataclass(frozen=True, kw_only=True)
class Captured:
    """A capture of so many ``seconds`` and ``packets``; ``name`` is its file's, without folders.

    ``rest`` counts connections to servers that are not kept.
    """

    name: str
    seconds: Seconds
    packets: Count
    ports: list[CapturedPort] = field(default_factory=list)
    servers: list[CapturedServer] = field(default_factory=list)
    rest: Count = 0
