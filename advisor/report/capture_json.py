"""A capture for programs: one JSON document, the same bytes for the same capture.

Its schema is `advisor.report.capture_schema`, shipped beside this file as ``capture-v1.schema.json``. Times are in
nanoseconds, sizes in bytes; null is what is not known. Connections are those of the table, so ``--limit`` bounds them.
"""

from __future__ import annotations

import json
from typing import Any

from advisor import __version__
from advisor.capture import words
from advisor.capture.connection import NONE, Connection
from advisor.capture.ladder import Ladder, Step
from advisor.capture.segments import Endpoints, port
from advisor.capture.totals import Total
from advisor.formats.text import encodable
from advisor.report.capture_result import Seen
from advisor.report.capture_summary import by_state, quantile_ns
from advisor.report.ladder import flags

SCHEMA = "advisor.capture/v1"
MOST = 64
"""Ports, and servers, that are told: those with most connections."""
_BOTH = ("packets", "bytes", "syns", "fins", "rsts", "repeats", "syn_repeats", "probes", "zero_windows")


def render(seen: Seen) -> str:
    """The document, indented by 2."""
    return encodable(json.dumps(document(seen), indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def document(seen: Seen) -> dict[str, Any]:
    """The document as plain values."""
    reading = seen.reading
    totals = seen.totals
    return {
        "schema": SCHEMA,
        "advisor": __version__,
        "capture": {
            "name": reading.name,
            "format": reading.format,
            "frames": reading.frames,
            "segments": reading.segments,
            "first_ns": reading.first,
            "last_ns": reading.last,
            "left_out": dict(reading.left_out),
            "remarks": list(reading.remarks),
            "problem": reading.problem,
        },
        "total": seen.total,
        "matched": seen.matched,
        "sort": seen.sort,
        "connections": [_connection(one, seen.endpoints) for one in seen.shown],
        "ports": [_port(one, seen) for one in totals.ports()[:MOST]],
        "servers": [_server(one, seen.endpoints) for one in totals.destinations()[:MOST]],
        "ladders": [_ladder(number, one) for number, one in seen.ladders],
    }


def _connection(one: Connection, endpoints: Endpoints) -> dict[str, Any]:
    client, server = words.states(one)
    assumed = words.inferred(one)
    known = NONE not in (one.syn_at, one.open_at)
    return {
        "number": one.number,
        "client": _end(one.ends[one.client], endpoints),
        "server": _end(one.ends[1 - one.client], endpoints),
        "opened": words.opened(one),
        "closed": words.closed(one),
        "closed_first": words.first(one),
        "states": {"client": client, "server": server},
        "assumed": {"client": assumed[0], "server": assumed[1]},
        "conn_state": words.conn_state(one),
        "first_ns": one.first,
        "lasted_ns": one.last - one.first,
        "handshake_ns": one.open_at - one.syn_at if known else None,
        "idle_ns": one.idle,
        **{name: _sides(one, name) for name in _BOTH},
        "notes": [word for word, _ in words.noted(one)],
    }


def _end(endpoint: int, endpoints: Endpoints) -> dict[str, Any]:
    return {"address": words.address(endpoints.address(endpoint)), "port": port(endpoint)}


def _sides(one: Connection, name: str) -> dict[str, int]:
    pair = getattr(one, name)
    return {"client": pair[one.client], "server": pair[1 - one.client]}


def _port(one: Total, seen: Seen) -> dict[str, Any]:
    return {
        "port": one.port,
        "counts": one.counts,
        "states": _states(one),
        "handshake_ns": {
            name: quantile_ns(seen.totals.handshakes, one.port, share) for name, share in (("p50", 0.5), ("p99", 0.99))
        },
    }


def _server(one: Total, endpoints: Endpoints) -> dict[str, Any]:
    """A server; one whose address is null stands for all others of its port."""
    address = None if one.endpoint is None else words.address(endpoints.address(one.endpoint))
    return {"address": address, "port": one.port, "counts": one.counts, "states": _states(one)}


def _states(one: Total) -> dict[str, dict[str, int]]:
    return {"client": by_state(one.client), "server": by_state(one.server)}


def _ladder(number: int, one: Ladder) -> dict[str, Any]:
    first, last = one.steps
    found = one.connection
    steps = [_step(step, found) for step in [*first, *last]] if found is not None else []
    return {"connection": number, "steps": steps, "left_out": one.left_out, "left_out_after": len(first)}


def _step(step: Step, one: Connection) -> dict[str, Any]:
    return {
        "time_ns": step.time,
        "until_ns": step.until,
        "from": words.role(one, step.sender),
        "flags": flags(step),
        "seq": step.seq,
        "ack": step.ack,
        "length": step.length,
        "packets": step.packets,
        "acks_back": step.acks,
        "states": {
            "client": words.state(step.states[one.client]),
            "server": words.state(step.states[1 - one.client]),
        },
        "phase": step.phase,
        "marks": list(step.marks),
    }
