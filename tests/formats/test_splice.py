"""Splices made one set after the other are told as one set."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.formats.splice import Owned, composed, spliced


def made(data: bytes, cuts: list[tuple[int, int, bytes]], owner: str) -> list[Owned[str]]:
    """Disjoint splices of these bytes, sorted, from whatever numbers were drawn."""
    found: list[Owned[str]] = []
    position = 0
    for gap, length, new in cuts:
        start = position + gap
        end = start + length
        if end > len(data):
            break
        found.append(Owned(start, end, new, (f"{owner}{len(found)}",)))
        position = end
    return found


CUTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.binary(max_size=3)), max_size=6)


@settings(max_examples=300)
@given(st.binary(max_size=30), st.lists(CUTS, min_size=1, max_size=4))
def test_many_sets_come_to_one_that_does_the_same(data: bytes, sets: list[list[tuple[int, int, bytes]]]) -> None:
    now, whole, owners = data, list[Owned[str]](), set[str]()
    for number, cuts in enumerate(sets):
        then = made(now, cuts, f"{number}.")
        whole = composed(now, whole, then)
        now = spliced(now, then)
        owners.update(owner for one in then for owner in one.owners)
    assert spliced(data, whole) == now
    assert all(one.start <= one.end for one in whole)
    assert all(one.end < other.start for one, other in itertools.pairwise(whole))
    assert {owner for one in whole for owner in one.owners} == owners


def test_what_does_not_touch_stays_apart_and_keeps_its_owner() -> None:
    first = [Owned(1, 2, b"BB", ("a",))]
    then = [Owned(4, 5, b"", ("b",))]
    assert composed(b"aBBcdef", first, then) == [Owned(1, 2, b"BB", ("a",)), Owned(3, 4, b"", ("b",))]


def test_two_insertions_at_one_place_become_one_in_their_order() -> None:
    both = [Owned(1, 1, b"x", ("a",)), Owned(1, 1, b"y", ("b",))]
    assert composed(b"ab", [], both) == [Owned(1, 1, b"xy", ("a", "b"))]


def test_what_is_replaced_again_belongs_to_both() -> None:
    first = [Owned(0, 3, b"512", ("a",))]
    then = [Owned(0, 3, b"4096", ("b",))]
    assert composed(b"512;", first, then) == [Owned(0, 3, b"4096", ("a", "b"))]
