"""A generated capture through reader, decoder and tracker, against the truth about it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.capture.columns import Columns
from advisor.capture.decode import Decoder
from advisor.capture.segments import Endpoints
from advisor.capture.tracker import Tracker
from advisor.formats.captured import CHUNK, open_capture
from advisor.formats.frames import Source
from support.capture_wire import SERVERS, Form


class Gaps:
    """Counts idle gaps, and forgets them."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, ports: NDArray[np.int64], _lengths: NDArray[np.int64], _ends: NDArray[np.int8]) -> None:
        """Some more."""
        self.count += len(ports)


def told(source: Source, chunk: int = CHUNK) -> tuple[Columns, Endpoints]:
    """Every connection of a capture that is whole."""
    parts: list[Columns] = []
    endpoints = Endpoints()
    decoder, tracker = Decoder(endpoints), Tracker(parts.append, Gaps())
    capture = open_capture(source, chunk)
    for frames in capture:
        tracker.feed(decoder.decode(frames))
    tracker.finish()
    assert capture.problem is None, capture.problem
    assert not decoder.skipped.reasons
    return Columns.join(parts), endpoints


def differences(truth: NDArray[Any], columns: Columns, endpoints: Endpoints, form: Form) -> dict[str, int]:
    """In how many connections each field differs from the truth; empty when all is as it was generated."""
    if len(truth) != len(columns):
        return {"connections": len(columns) - len(truth)}
    rows = np.arange(len(columns))
    client = columns.client.astype(np.int64)
    ends = np.stack([columns.ends[rows, client], columns.ends[rows, 1 - client]], 1)
    known = _ends(truth, endpoints, form)
    ours = np.lexsort((columns.first, ends[:, 0]))
    theirs = np.lexsort((truth["first"], known[:, 0]))
    truth = truth[theirs]
    closer = np.where(columns.closer < 0, -1, columns.closer ^ columns.client)
    pairs = {"ends": (ends[ours], known[theirs]), "closer": (closer[ours], truth["closer"])}
    for name in ("first", "last"):
        pairs[name] = getattr(columns, name)[ours] // 1000, truth[name]
    for name in ("state", "packets", "bytes", "syns", "fins", "rsts", "repeats", "syn_repeats", "probes"):
        column = getattr(columns, name)
        pairs[name] = np.stack([column[rows, client], column[rows, 1 - client]], 1)[ours], truth[name]
    wrong = {name: (one != other).reshape(len(truth), -1).any(1) for name, (one, other) in pairs.items()}
    return {name: int(where.sum()) for name, where in wrong.items() if where.any()}


def _ends(truth: NDArray[Any], endpoints: Endpoints, form: Form) -> NDArray[np.uint64]:
    hosts = {host: endpoints.number(form.addresses(host, 0)[0]) for host in np.unique(truth["host"]).tolist()}
    clients = np.array([hosts[host] for host in truth["host"].tolist()], np.uint64)
    servers = [endpoints.number(form.addresses(0, number)[1]) | port for number, (_, port) in enumerate(SERVERS)]
    return np.stack([clients | truth["port"], np.array(servers, np.uint64)[truth["server"]]], 1)
