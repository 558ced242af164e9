"""Which silences are idle gaps, and how each ended: the machine and the tracker, on conversations written by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from advisor.capture.idle import CLIENT_CLOSED, CUT, GOODBYE, REUSED, SERVER_CLOSED
from advisor.capture.machine import Conversation, no_connection
from advisor.capture.segments import ACK, FIN, RST, SYN, Segment, Segments
from advisor.capture.tracker import Tracker

CLIENT, SERVER = 10 << 40 | 5 << 16 | 40000, 10 << 40 | 1 << 16 | 443
SECOND = 10**9
Said = tuple[float, str, int, int]
"""At so many seconds this end sends these flags and so many bytes."""
GREETING: list[Said] = [(0, "c", SYN, 0), (0, "s", SYN | ACK, 0), (0, "c", ACK, 0)]


def segments(rows: list[Said]) -> list[Segment]:
    """All in order, nothing lost, each acknowledging all before it."""
    sent = {"c": 100, "s": 900}
    found = []
    for number, (at, who, flags, length) in enumerate(rows, 1):
        other = "s" if who == "c" else "c"
        source, target = (CLIENT, SERVER) if who == "c" else (SERVER, CLIENT)
        ack = sent[other] if flags & ACK else 0
        found.append(Segment(number, round(at * SECOND) + SECOND, source, target, sent[who], ack, flags, 500, length))
        sent[who] += length + bool(flags & (SYN | FIN))
    return found


def by_machine(rows: list[Segment]) -> Counter[tuple[float, int]]:
    gaps: Counter[tuple[float, int]] = Counter()
    ends = (min(CLIENT, SERVER), max(CLIENT, SERVER))
    talk = Conversation(ends, no_connection, lambda _, length, end: gaps.update([(length / SECOND, end)]))
    for one in rows:
        talk.step(one)
    talk.finish(rows[-1].time)
    return gaps


class Kept:
    """Takes gaps by the batch."""

    def __init__(self) -> None:
        self.gaps: Counter[tuple[float, int]] = Counter()

    def add(self, ports: Any, lengths: Any, ends: Any) -> None:
        assert set(ports.tolist()) <= {443}
        self.gaps.update(zip((lengths / SECOND).tolist(), ends.tolist(), strict=True))


def by_tracker(rows: list[Segment], size: int) -> Counter[tuple[float, int]]:
    kept = Kept()
    tracker = Tracker(lambda _: None, kept)
    kinds: Any = (np.int64, np.int64, np.uint64, np.uint64, np.uint32, np.uint32, np.uint8, np.uint16, np.int64)
    whole = Segments(*(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)))
    for first in range(0, len(rows), size):
        tracker.feed(whole.part(first, first + size))
    tracker.finish()
    return kept.gaps


ASKED: list[Said] = [*GREETING, (1, "c", ACK, 50), (1, "s", ACK, 900)]


@pytest.mark.parametrize(
    ("rows", "gaps"),
    [
        pytest.param([(4, "c", ACK, 50), (5, "s", ACK, 900)], [(3, REUSED), (0, CUT)], id="the next request"),
        pytest.param([(76, "s", FIN | ACK, 0)], [(75, SERVER_CLOSED)], id="the server's timeout"),
        pytest.param([(76, "s", ACK, 31), (76, "s", FIN | ACK, 0)], [(75, SERVER_CLOSED)], id="its timeout over TLS"),
        pytest.param([(76, "s", FIN | ACK, 31)], [(75, SERVER_CLOSED)], id="the same in one segment"),
        pytest.param([(76, "s", ACK, 31), (76, "s", RST | ACK, 0)], [(75, SERVER_CLOSED)], id="ended by a RST"),
        pytest.param([(9, "c", FIN | ACK, 0)], [(8, CLIENT_CLOSED)], id="the client's close"),
        pytest.param(
            [(9, "c", ACK, 31), (9, "c", FIN | ACK, 0)], [(8, REUSED), (8, GOODBYE)], id="the client's close over TLS"
        ),
        pytest.param(
            [(9, "c", ACK, 31), (9, "s", FIN | ACK, 0)], [(8, REUSED), (8, GOODBYE)], id="answered by the server's FIN"
        ),
        pytest.param(
            [(9, "c", ACK, 50), (12, "s", FIN | ACK, 0)], [(8, REUSED)], id="a request that took the server's patience"
        ),
        pytest.param(
            [(9, "c", ACK, 50), (9, "s", ACK, 900), (9, "c", FIN | ACK, 0)],
            [(8, REUSED), (0, CLIENT_CLOSED)],
            id="a request, its answer, and then the close",
        ),
        pytest.param(
            [(1.2, "s", ACK, 900), (1.2, "s", FIN | ACK, 0)], [(0, SERVER_CLOSED)], id="an answer in two pieces"
        ),
        pytest.param(
            [(6, "s", ACK, 20), (11, "s", ACK, 20), (15, "c", ACK, 50)], [(4, REUSED)], id="events, then a request"
        ),
        pytest.param(
            [(6, "s", ACK, 20), (11, "s", ACK, 20), (14, "s", FIN | ACK, 0)], [(3, SERVER_CLOSED)], id="events"
        ),
        pytest.param(
            [(6, "s", ACK, 20), (6.5, "c", FIN | ACK, 0)], [(5.5, SERVER_CLOSED)], id="an event the client left at"
        ),
        pytest.param(
            [(76, "s", ACK, 31), (76, "c", FIN | ACK, 0)], [(75, SERVER_CLOSED)], id="answered by the client's FIN"
        ),
        pytest.param([(30, "c", ACK, 0)], [(29, CUT)], id="the end of the capture"),
    ],
)
def test_idle_gaps(rows: list[Said], gaps: list[tuple[float, int]]) -> None:
    packets = segments([*ASKED, *rows])
    assert by_machine(packets) == Counter(gaps)
    for size in (1, 2, 3, len(packets)):
        assert by_tracker(packets, size) == Counter(gaps), size
