"""What a case says of a capture of packets, written short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from advisor.capture.buckets import bucket

Given = Mapping[str, Any]
_LENGTHS = ("reused", "client_closed", "server_closed", "cut", "handshakes")


def captured(given: Given, ages: Callable[[Given], object]) -> dict[str, Any]:
    """The source ``capture``: rows of the snapshot, in which lengths of time are ``{seconds: count}``.

    Args:
        given: what the case says.
        ages: makes ages of the snapshot from seconds and counts.
    """
    servers = [{**row, "silent": ages(row["silent"])} if "silent" in row else row for row in given.get("servers", [])]
    ports = [_port(row) for row in given.get("ports", [])]
    return {"name": "case.pcap", "packets": 0, **given, "ports": ports, "servers": servers}


def _port(row: Given) -> dict[str, Any]:
    found = {name: _buckets(row[name]) for name in _LENGTHS if name in row}
    return {"connections": 0, **row, **found}


def _buckets(lengths: Given) -> dict[int, int]:
    counts: dict[int, int] = {}
    for seconds, count in lengths.items():
        one = bucket(float(seconds))
        counts[one] = counts.get(one, 0) + count
    return counts
