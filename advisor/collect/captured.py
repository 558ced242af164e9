"""A capture of packets, read once from front to back and folded into the counts that a snapshot keeps."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's import would start threads, of no use here

from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from advisor.capture.decode import Decoder
from advisor.capture.gaps import AT_ONCE, CLIENT_CLOSED, CUT, REUSED, SERVER_CLOSED, Gaps
from advisor.capture.segments import Endpoints
from advisor.capture.totals import Total, Totals
from advisor.capture.tracker import Tracker
from advisor.catalog.tcp import State
from advisor.collect.capture import opened
from advisor.formats.captured import open_capture
from advisor.snapshot.captured import DESTINATIONS, PORTS, Captured, CapturedPort, CapturedServer
from advisor.snapshot.counted import IDLE_EDGES, Ages

_TOP = 10
Own = frozenset[bytes]
"""The addresses of this host."""


def read_capture(path: str, own: Own | None) -> tuple[Captured, str | None]:
    """Read a capture.

    Args:
        path: a file, or ``-`` for standard input.
        own: the addresses of this host; None where they are not known, or it is no capture of this host.

    Returns:
        what it comes to, and what kept the end of it from being read; None for what is whole.

    Raises:
        InputError: when it can't be read, or is no capture.
    """
    endpoints, totals, gaps = Endpoints(), Totals(), Gaps()
    with opened(path) as stream:
        capture = open_capture(stream, name=path)
        decoder, tracker = Decoder(endpoints), Tracker(totals.add, gaps)
        for frames in capture:
            tracker.feed(decoder.decode(frames))
        tracker.finish()
    servers = totals.destinations()
    found = Captured(
        name=os.path.basename(path),
        seconds=((capture.last or 0) - (capture.first or 0)) / 1e9,
        packets=capture.frames,
        ports=_ports(totals, gaps),
        servers=[_server(one, endpoints, own) for one in servers[:DESTINATIONS]],
        rest=sum(one.counts["connections"] for one in servers[DESTINATIONS:]),
    )
    return found, None if capture.problem is None else str(capture.problem)


def _ports(totals: Totals, gaps: Gaps) -> list[CapturedPort]:
    connections = {one.port: one.counts["connections"] for one in totals.ports()}
    chosen = dict.fromkeys([*(one.port for one in gaps.ports()), *connections])
    return [_port(port, connections[port], totals, gaps) for port in [*chosen][:PORTS]]


def _port(port: int, connections: int, totals: Totals, gaps: Gaps) -> CapturedPort:
    counted, shaken, clients = gaps.port(port), totals.handshakes.port(port), totals.clients.of(port)
    kinds = [{} for _ in range(AT_ONCE + 1)] if counted is None else counted.buckets()
    return CapturedPort(
        port=port,
        connections=connections,
        reused=kinds[REUSED],
        client_closed=kinds[CLIENT_CLOSED],
        server_closed=kinds[SERVER_CLOSED],
        cut=kinds[CUT],
        at_once=sum(kinds[AT_ONCE].values()),
        missed=0 if counted is None else counted.missed,
        handshakes={} if shaken is None else shaken.buckets()[0],
        clients=len(clients),
        top=int(clients[:_TOP].sum()),
    )


def _server(one: Total, endpoints: Endpoints, own: Own | None) -> CapturedServer:
    address = None if one.endpoint is None else endpoints.address(one.endpoint)
    return CapturedServer(
        address=None if address is None else str(ip_address(address)),
        port=one.port,
        local=None if address is None or own is None else address in own or _loopback(address),
        counts={name: count for name, count in one.counts.items() if count},
        client=_states(one.client),
        server=_states(one.server),
        silent=_ages(one.silent / 1e9) if len(one.silent) else None,
    )


def _ages(seconds: NDArray[np.float64]) -> Ages:
    counts = np.bincount(np.searchsorted(IDLE_EDGES, seconds), minlength=len(IDLE_EDGES) + 1)
    return Ages(counts=counts.tolist(), oldest=float(seconds.max()))


def _loopback(address: bytes) -> bool:
    return ip_address(address).is_loopback


def _states(counts: dict[State | None, int]) -> dict[str, int]:
    return {"unseen" if state is None else state.name: count for state, count in counts.items()}
