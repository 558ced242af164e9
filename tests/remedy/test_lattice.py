"""Wants join; where no value can satisfy them, both rules are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import PlanError
from advisor.findings import Change, Relation
from advisor.remedy.lattice import Target, Wants, join

KEY = "net.core.somaxconn"
LEAST, MOST, EXACT, INCLUDES = Relation.AT_LEAST, Relation.AT_MOST, Relation.EXACTLY, Relation.INCLUDES


def wants(*given: tuple[Relation, float | str]) -> Wants:
    """Each want comes from a rule of its own: a, b, c ..."""
    found: dict[Target, Wants] = {}
    for rule, (relation, value) in zip("abcdef", given, strict=False):
        join(found, Change(KEY, relation, value), rule)
    return found[None, KEY]


@pytest.mark.parametrize(
    ("given_wants", "current", "value"),
    [
        ([(LEAST, 100)], 50, 100),
        ([(LEAST, 100)], 200, 200),
        ([(MOST, 100)], 200, 100),
        ([(MOST, 100)], 50, 50),
        ([(LEAST, 100), (LEAST, 300), (LEAST, 200)], 50, 300),
        ([(MOST, 100), (MOST, 75), (MOST, 90)], 300, 75),
        ([(LEAST, 50), (MOST, 100)], 300, 100),
        ([(LEAST, 100), (MOST, 100)], 7, 100),
        ([(EXACT, 1)], 2, 1),
        ([(EXACT, 5), (EXACT, 5), (LEAST, 5), (MOST, 5)], 2, 5),
        ([(LEAST, 1.5)], 1, 1.5),
        ([(LEAST, 2.0)], 1, 2),
        ([(INCLUDES, "80"), (INCLUDES, "81,90-95")], "81,100", "80-81,90-95,100"),
        ([(EXACT, "cubic")], "reno", "cubic"),
    ],
)
def test_the_nearest_value_that_satisfies_all(
    given_wants: list[tuple[Relation, float | str]], current: float | str, value: float | str
) -> None:
    found = wants(*given_wants).value(current)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "given_wants",
    [
        [(LEAST, 100), (MOST, 99)],
        [(MOST, 99), (LEAST, 100)],
        [(EXACT, 1), (EXACT, 2)],
        [(EXACT, 1), (LEAST, 2)],
        [(LEAST, 2), (EXACT, 1)],
        [(EXACT, 3), (MOST, 2)],
        [(MOST, 2), (EXACT, 3)],
    ],
)
def test_a_clash_names_both_rules_the_target_and_the_way_out(given_wants: list[tuple[Relation, float | str]]) -> None:
    with pytest.raises(PlanError) as caught:
        wants(*given_wants)
    said = str(caught.value)
    assert said.startswith(f"b wants {KEY} ")
    assert ", a wants what excludes that" in said
    assert "--ignore a" in said


def test_the_rule_that_binds_is_the_one_named() -> None:
    with pytest.raises(PlanError, match=r"d wants .*, b wants what excludes that"):
        wants((LEAST, 10), (LEAST, 100), (LEAST, 20), (MOST, 50))


def test_rules_are_kept_once_in_their_order() -> None:
    found = wants((LEAST, 1), (LEAST, 2))
    found.add(Change(KEY, LEAST, 3), "a")
    assert found.rules == ("a", "b")


BOUNDS = st.lists(st.tuples(st.sampled_from([LEAST, MOST]), st.integers(0, 20)), min_size=1, max_size=6)


@given(BOUNDS, st.integers(0, 20))
def test_a_join_satisfies_every_want_or_is_refused_for_a_reason(
    given_wants: list[tuple[Relation, float | str]], current: int
) -> None:
    lows = [float(value) for relation, value in given_wants if relation is LEAST]
    highs = [float(value) for relation, value in given_wants if relation is MOST]
    try:
        value = float(wants(*given_wants).value(current))
    except PlanError:
        assert max(lows) > min(highs)
        return
    assert all(value >= low for low in lows)
    assert all(value <= high for high in highs)
    assert value == current or value in {*lows, *highs}
