"""Survival and cumulative incidence against textbook numbers and closed forms; what a timeout would give."""

from __future__ import annotations

import bisect
import math
import random
from collections import Counter

import pytest

from advisor.capture.buckets import COUNT, edge
from advisor.capture.choices import CANDIDATES, ENOUGH, Load
from advisor.capture.survival import Curve, Row, rows, timeout_seen

EDGES = [edge(one) for one in range(COUNT + 1)]


def bucket_of(seconds: float) -> int:
    return bisect.bisect_right(EDGES, seconds) - 1


def test_the_product_limit_of_a_textbook() -> None:
    # Remission of leukaemia under 6-MP (Freireich and others, Blood 21, 1963), the example of most textbooks.
    ended = Counter([6, 6, 6, 7, 10, 13, 16, 22, 23])
    censored = Counter([6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
    lengths = sorted(ended | censored)
    curve = Curve([Row(one, ended[one], 0, censored[one]) for one in lengths], least=1)
    wanted = {5: 1, 6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448, 35: 0.448}
    assert {time: round(curve.idle(time) or 0, 3) for time in wanted} == wanted
    assert curve.total == 21
    assert curve.end == 35
    assert curve.idle(36) is None
    assert curve.reused(35) == pytest.approx(1 - 0.448, abs=0.0005)


def test_two_ways_to_end_by_hand() -> None:
    # 4 periods: a request at 1, a close at 2, censored at 2.5, a request at 3.
    curve = Curve([Row(1, 1, 0, 0), Row(2, 0, 1, 0), Row(2.5, 0, 0, 1), Row(3, 1, 0, 0)], least=1)
    assert curve.idle(1) == pytest.approx(3 / 4)
    assert curve.idle(2) == pytest.approx(2 / 4)
    assert curve.reused(2.9) == pytest.approx(1 / 4)
    assert curve.reused(3) == pytest.approx(1 / 4 + 2 / 4)
    assert curve.idle(3) == 0
    assert curve.mean(3) == pytest.approx(1 + 0.75 + 0.5)
    assert curve.mean(2.5) == pytest.approx(1 + 0.75 + 0.25)
    assert curve.mean(0) == 0
    assert curve.end == math.inf


def thinking(seed: int, count: int, *, timeout: float, length: float, ask: float, leave: float) -> Curve:
    """Clients who ask again at the rate ``ask`` and leave at ``leave``, seen by a capture of that length."""
    rng = random.Random(seed)  # noqa: S311 (clients that can be repeated)
    found = []
    for _ in range(count):
        begun = rng.uniform(0, length)
        asks, leaves = rng.expovariate(ask), rng.expovariate(leave) if leave else math.inf
        lasts = min(asks, leaves, timeout, length - begun)
        found.append(Row(lasts, int(lasts == asks), int(lasts == leaves), int(lasts not in {asks, leaves})))
    return Curve(sorted(found), min(timeout, length))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("timeout", "length"), [(math.inf, math.inf), (20.0, 1e6), (math.inf, 60.0), (20.0, 30.0)])
def test_exponential_clients_come_out_whatever_cut_them_off(seed: int, timeout: float, length: float) -> None:
    ask, leave = 1 / 15, 1 / 40
    both = ask + leave
    curve = thinking(seed, 20_000, timeout=timeout, length=min(length, 1e9), ask=ask, leave=leave)
    for time in (1.0, 5.0, 19.0):
        assert curve.idle(time) == pytest.approx(math.exp(-both * time), rel=0.03)
        assert curve.reused(time) == pytest.approx(ask / both * (1 - math.exp(-both * time)), rel=0.05)
        assert curve.mean(time) == pytest.approx((1 - math.exp(-both * time)) / both, rel=0.03)


def test_nothing_is_said_beyond_the_present_timeout_or_the_capture() -> None:
    for timeout, length in ((20.0, 1e6), (1e9, 20.0)):
        curve = thinking(1, 5000, timeout=timeout, length=length, ask=1 / 15, leave=0)
        assert 18 < curve.end <= 20
        assert curve.idle(20.1) is curve.reused(20.1) is curve.mean(20.1) is None
        assert curve.idle(18) is not None


def test_a_bare_quantile_would_have_confirmed_the_present_timeout() -> None:
    curve = thinking(1, 20_000, timeout=20, length=1e6, ask=1 / 60, leave=0)
    assert curve.idle(19.9) == pytest.approx(math.exp(-19.9 / 60), rel=0.03)


def test_the_tail_of_a_few_is_not_told_unless_hardly_any_share_is_left() -> None:
    few = Curve([Row(1, 60, 0, 0), Row(2, 0, 0, 15), Row(3, 25, 0, 0)])
    assert few.end == 2
    many = Curve([Row(1, 4000, 0, 0), Row(3, 5, 0, 0)])
    assert (many.end, many.idle(1), many.idle(3), many.reused(100)) == (math.inf, 5 / 4005, 0, 1)
    assert Curve([Row(1, 4000, 0, 0), Row(3, 5, 0, 0)], longest=9.0).end == 9
    assert Curve([]).end == 0


def gaps(seed: int, count: int, timeout: float) -> list[dict[int, int]]:
    rng = random.Random(seed)  # noqa: S311 (clients that can be repeated)
    found: list[Counter[int]] = [Counter() for _ in range(4)]
    for _ in range(count):
        lasts = rng.expovariate(1 / 10)
        found[0 if lasts < timeout else 2][bucket_of(min(lasts, timeout))] += 1
    return [dict(one) for one in found]


def test_buckets_are_as_good_as_lengths() -> None:
    curve = Curve(rows(gaps(1, 4000, 15)), 15)
    for time in (2.0, 10.0, 14.9):
        assert curve.idle(time) == pytest.approx(math.exp(-time / 10), rel=0.06)
    one = rows([{bucket_of(2.0): 1}, {bucket_of(2.0): 2}, {bucket_of(2.0): 3}, {bucket_of(4.0): 4}, {7: 9}])
    assert [row[1:] for row in one] == [(1, 2, 3), (0, 0, 4)]
    assert [row.length for row in one] == pytest.approx([2, 4], rel=0.01)


def test_the_servers_timeout_is_seen_where_most_closes_lie_together() -> None:
    at = bucket_of(75.0)
    assert timeout_seen([{}, {}, {at: 100, bucket_of(3.0): 10}, {}]) == 75
    assert timeout_seen([{}, {}, {bucket_of(0.5): 100}, {}]) == pytest.approx(0.5, rel=0.01)
    assert timeout_seen([{}, {}, {at: 100, bucket_of(3.0): 60}, {}]) is None
    assert timeout_seen([{}, {}, {at: 10}, {}]) is None
    assert timeout_seen([{}, {}, {}, {}]) is None


def load(timeout: float, length: float, present: float | None, count: int = 20_000) -> Load:
    """One idle period begun a second, of clients that ask again after 15 s on average."""
    curve = thinking(1, count, timeout=timeout, length=length, ask=1 / 15, leave=0)
    return Load(curve, rate=1.0, busy=3.0, handshakes=2.0, present=present)


def test_what_a_timeout_would_give_is_the_law() -> None:
    made = load(60, 1e5, 60.0)
    brief = 1 - math.exp(-1 / 15)
    assert made.whole
    for timeout in (5.0, 20.0, 60.0):
        choice = made.at(timeout)
        assert choice is not None
        share, now = 1 - math.exp(-timeout / 15), 1 - math.exp(-60 / 15)
        assert choice.kept == pytest.approx((share - brief) / (now - brief), abs=0.015)
        assert choice.held == pytest.approx(15 * share + 3, rel=0.02)
        assert choice.handshakes == pytest.approx(2 + now - share, abs=0.02)
    assert made.at(61) is None
    assert [one.timeout for one in made.choices()] == [one for one in CANDIDATES if one <= 60]
    best = made.recommended()
    assert best is not None
    assert best.timeout == 45
    odd = load(61, 1e5, 61.0).choices()
    assert odd[-1].timeout == 61
    assert odd[-1].kept == 1


def test_what_a_short_capture_does_not_see_counts_as_reused() -> None:
    made = load(1e9, 20.0, 300.0)
    assert not made.whole
    choice = made.at(15)
    assert choice is not None
    brief = 1 - math.exp(-1 / 15)
    assert choice.kept == pytest.approx((1 - math.exp(-1) - brief) / (1 - brief), abs=0.02)
    assert choice.handshakes == pytest.approx(2 + math.exp(-1), abs=0.02)
    assert made.recommended() is None
    assert load(1e9, 20.0, None).at(15) == choice


def test_pauses_that_any_timeout_bridges_are_no_reuse_to_weigh() -> None:
    curve = Curve([Row(0.02, 90_000, 0, 0), Row(4, 600, 0, 0), Row(20, 400, 0, 0)])
    made = Load(curve, 100.0, 0.0, 10.0, 60.0)
    short, whole = made.at(5), made.at(30)
    assert short is not None
    assert whole is not None
    assert (short.kept, whole.kept) == (pytest.approx(0.6), 1)
    assert short.handshakes == pytest.approx(10 + 100 * 400 / 91_000)


def test_where_nobody_comes_back_nothing_is_lost() -> None:
    curve = Curve([Row(2, 0, 500, 0), Row(10, 0, 0, 500)])
    made = Load(curve, 10.0, 0.0, 10.0, 10.0)
    choice = made.recommended()
    assert choice is not None
    assert (choice.timeout, choice.kept, choice.handshakes, choice.held) == (5, 1, 10, pytest.approx(10 * 3.5))


def test_a_handful_recommends_nothing() -> None:
    few, enough = (Load(Curve([Row(2, count, 0, 0)]), 1.0, 0.0, 0.0, 60.0) for count in (ENOUGH - 1, ENOUGH))
    assert few.recommended() is None
    assert enough.recommended() is not None
