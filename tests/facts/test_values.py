"""Histograms of ages against the ages themselves, and versions."""

from __future__ import annotations

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import ages_of

from advisor.facts.values import Histogram, Version
from advisor.snapshot.model import IDLE_EDGES

AGES = st.lists(st.floats(0, 5000, allow_nan=False), max_size=60)
AGE = st.one_of(st.sampled_from(IDLE_EDGES), st.floats(0, 4000))


def histogram(ages: list[float]) -> Histogram:
    counts: dict[float, int] = {}
    for age in ages:
        counts[age] = counts.get(age, 0) + 1
    return Histogram.of(ages_of(counts))


def bucket(age: float) -> tuple[float, float]:
    index = bisect.bisect_left(IDLE_EDGES, age)
    low = IDLE_EDGES[index - 1] if index else 0
    return low, IDLE_EDGES[index] if index < len(IDLE_EDGES) else float("inf")


@given(AGES, AGE)
def test_below_and_above_err_by_the_ages_bucket_at_most(ages: list[float], age: float) -> None:
    found = histogram(ages)
    low, high = bucket(age)
    # The first bucket begins with 0 itself, and nothing lies below it.
    surely = sum(one <= low for one in ages) if low else 0
    assert surely - 1e-6 <= found.below(age) <= sum(one <= high for one in ages) + 1e-6
    assert found.below(age) + found.above(age) == pytest.approx(len(ages))


@given(AGES, st.sampled_from(IDLE_EDGES))
def test_on_an_edge_they_are_exact(ages: list[float], edge: int) -> None:
    assert histogram(ages).below(edge) == sum(one <= edge for one in ages)


@given(AGES, AGE, AGE)
def test_older_is_never_more(ages: list[float], one: float, other: float) -> None:
    found = histogram(ages)
    low, high = sorted((one, other))
    assert found.above(low) >= found.above(high) - 1e-6


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(ages: list[float], share: float) -> None:
    wanted = share * len(ages)
    true = sorted(ages)[max(0, -int(-wanted // 1) - 1)]
    low, high = bucket(true)
    assert low - 1e-6 <= histogram(ages).quantile(share) <= (high if high < float("inf") else max(ages)) + 1e-6


@given(AGES, AGE)
def test_a_cut_keeps_the_younger(ages: list[float], age: float) -> None:
    found = histogram(ages)
    kept = found.cut(age)
    assert kept.total == pytest.approx(found.below(age), abs=0.5)
    assert kept.oldest is None or kept.oldest <= age
    assert kept.above(age) == pytest.approx(0, abs=1e-6)
    assert len(kept.counts) == len(found.counts)


@given(AGES, AGES)
def test_merging_counts_both(one: list[float], other: list[float]) -> None:
    assert Histogram.merge([histogram(one), histogram(other)]) == histogram([*one, *other])


def test_a_steady_flow_of_returning_clients_is_its_density() -> None:
    """Clients come back after any idle time up to 120 s; 100 times a second one goes idle."""
    ages = [age / 10 + 0.05 for age in range(1200) for _ in range(round(10 * (1 - age / 1200)))]
    found = histogram(ages)
    assert found.density(60) == pytest.approx(100 * 0.5, rel=0.1)
    assert found.density(0.5) == pytest.approx(100, rel=0.02)


def test_those_who_never_come_back_do_not_count_as_returning() -> None:
    """One client a second, idle until nginx closes at 300 s: nobody is turned away by a shorter timeout."""
    found = histogram([age + 0.5 for age in range(300)])
    assert found.density(60) == pytest.approx(1)
    assert found.returning(60) == pytest.approx(0, abs=0.01)


def test_empty() -> None:
    none = Histogram.merge([])
    assert (none.total, none.oldest, none.above(1), none.quantile(0.5), none.returning(9), none.density(5)) == (
        0,
        None,
        0,
        0,
        0,
        0,
    )


@pytest.mark.parametrize("text", ["", "a", "1.", "1.2.3.4.5", "1.-2", "1.22.1-rc"])
def test_no_version(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Version.parse(text)


def test_versions_compare_by_numbers() -> None:
    assert Version.parse("1.9.15") < Version.parse("1.22.1")
    assert str(Version.parse("1.22.1")) == "1.22.1"
