"""The choices of keepalive_timeout, drawn."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.capture.choices import ENOUGH, Load
from advisor.capture.gaps import CUT, REUSED, SERVER_CLOSED, Gaps
from advisor.capture.survival import Curve, Row
from advisor.capture.totals import FIELDS, Total
from advisor.report.tradeoff import drawn, tradeoff

SECOND = 10**9


def load(present: float | None = 75.0) -> Load:
    """Half ask again after 2 s, a third after 20 s, the rest after the server closed at 75 s."""
    return Load(Curve([Row(2, 600, 0, 0), Row(20, 400, 0, 0), Row(75, 0, 0, 200)]), 20.0, 5.0, 12.0, present)


def test_the_table() -> None:
    assert drawn(load(), 443, 60.0) == [
        "server port 443: 1,200 idle periods in 60 s; the server closes after 75 s",
        "keepalive_timeout  reuse kept                           held  handshakes/s",
        "              5 s   60.0 % ##############                 75          18.7",
        "             10 s   60.0 % ##############                125          18.7",
        "             15 s   60.0 % ##############                175          18.7",
        "->           20 s  100.0 % ########################      225            12",
        "             30 s  100.0 % ########################      258            12",
        "             45 s  100.0 % ########################      308            12",
        "             60 s  100.0 % ########################      358            12",
        "now          75 s  100.0 % ########################      408            12",
        "-> is the shortest that keeps 95% of the reuse; behind a balancer, its own idle",
        "time decides instead",
    ]


def test_what_the_capture_does_not_reach_is_said() -> None:
    lines = drawn(load(None), 443, 60.0)
    assert lines[-2:] == [
        "the capture tells of idle periods up to 60 s: reuse kept is the least,",
        "handshakes the most it can be; capture for longer",
    ]
    assert not any("->" in line or "now" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_of_words_is_wider_than_the_terminal(width: int) -> None:
    table = [line for line in drawn(load(None), 443, 60.0, width) if " s  " not in line]
    assert all(len(line) <= max(width, 74) for line in table)
    assert all(len(line) <= 80 for line in drawn(load(), 443, 60.0))


def test_a_few_periods_are_not_drawn() -> None:
    assert drawn(Load(Curve([Row(2, ENOUGH - 1, 0, 0)]), 20.0, 5.0, 12.0, 75.0), 443, 60.0) == []


def test_it_is_drawn_from_what_was_counted() -> None:
    gaps = Gaps()
    ends = np.repeat(np.array([REUSED, SERVER_CLOSED, CUT], np.int8), [300, 100, 10])
    lengths = np.repeat(np.array([4, 30, 1], np.int64), [300, 100, 10]) * SECOND
    gaps.add(np.full(410, 80), lengths, ends)
    counts = {**dict.fromkeys(FIELDS, 0), "opened": 60, "held_us": 4_330_000_000}
    total = Total(80, None, counts, {}, {}, np.zeros(0, np.int64))
    lines = tradeoff(gaps, total, 60.0)
    assert lines[0] == "server port 80: 410 idle periods in 60 s; the server closes after 30 s"
    assert [line.split()[:2] for line in lines if line.startswith(("->", "now"))][:2] == [["->", "5"], ["now", "30"]]
    # Idle: 410 a minute for 4 s + 26 s of a quarter; busy: 4,330 connection-seconds less 4,210 idle ones, in 60 s.
    now = next(line for line in lines if line.startswith("now"))
    assert now.split()[-2:] == [f"{410 / 60 * (4 + 26 / 4) + 120 / 60:.0f}", "1"]
    other = Total(81, None, counts, {}, {}, np.zeros(0, np.int64))
    assert tradeoff(gaps, other, 60.0) == []
