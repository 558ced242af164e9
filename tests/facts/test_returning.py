"""How many come back: the estimate from one picture of idle ages, against populations whose truth is known."""

from __future__ import annotations

import random

import pytest

from advisor.collect.ages import AgeCount
from advisor.facts.values import Histogram
from advisor.snapshot.model import IDLE_EDGES


def picture(
    seed: int, *, once: float, returning: list[tuple[int, float, float]], timeout: float, running: float
) -> AgeCount:
    """Idle ages at one moment of a steady load that began ``running`` seconds ago.

    ``once`` clients a second ask once and never again; ``returning``: so many ask again after a time between two.
    """
    rng = random.Random(seed)  # noqa: S311 (a population that can be repeated, no secret)
    count = AgeCount()
    last = min(timeout, running)
    for turn in range(int(once * last)):
        count.add((turn + rng.random()) / once)
    for clients, soonest, latest in returning:
        for _ in range(clients):
            # A moment falls into a gap as often as the gap is long, and anywhere inside it.
            gap = rng.choices(gaps := [rng.uniform(soonest, latest) for _ in range(8)], gaps)[0]
            count.add(min(rng.uniform(0, gap), timeout))
    return count


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("running", [95.0, 1000.0])
def test_who_comes_back_is_told_from_who_never_does(seed: int, running: float) -> None:
    mixed = [(3000, 5.0, 40.0), (12000, 68.0, 76.0)]
    ages = picture(seed, once=130, returning=mixed, timeout=300, running=running)
    assert Histogram.of(ages.done()).returning(60) == pytest.approx(12000 / 72, rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_nobody_comes_back_where_all_are_seen_once(seed: int) -> None:
    ages = picture(seed, once=130, returning=[(3000, 5.0, 40.0)], timeout=300, running=1000)
    assert Histogram.of(ages.done()).returning(60) < 0.1 * 130


def test_a_few_that_are_being_closed_do_not_hide_those_who_return() -> None:
    ages = picture(1, once=20, returning=[(4000, 68.0, 76.0)], timeout=300, running=1000)
    before = Histogram.of(ages.done()).returning(60)
    for late in (300.004, 300.008, 300.012):
        ages.add(late)
    assert Histogram.of(ages.done()).returning(60) == pytest.approx(before, rel=0.01)


def test_without_any_age_past_it_nobody_is_known_to_return() -> None:
    assert Histogram((0,) * (len(IDLE_EDGES) + 1)).returning(60) == 0
    assert Histogram.of(picture(1, once=50, returning=[], timeout=60, running=1000).done()).returning(60) == 0


def test_an_oldest_age_that_is_not_known_is_the_last_buckets_edge() -> None:
    counts = [0] * (len(IDLE_EDGES) + 1)
    counts[IDLE_EDGES.index(65)], counts[IDLE_EDGES.index(90)] = 100, 30
    # 20 a second go past 60; the last 7.5 s up to 90 hold 15.
    assert Histogram(tuple(counts)).returning(60) == pytest.approx(18)
