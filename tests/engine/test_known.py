"""Kleene's laws."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from advisor.engine.known import Unknown, all_of, any_of, join, negation, unknown

A, B = unknown("a", "was not read"), unknown("b", "was not read")
VALUES = (True, False, A, B)
RANK = {False: 0, True: 2}


def rank(value: Any) -> int:
    return 1 if isinstance(value, Unknown) else RANK[value]


def conj(*values: Any) -> Any:
    return all_of([lambda _, v=v: v for v in values])(None)


def disj(*values: Any) -> Any:
    return any_of([lambda _, v=v: v for v in values])(None)


def neg(value: Any) -> Any:
    return negation(lambda _: value)(None)


@pytest.mark.parametrize("values", list(product(VALUES, repeat=3)))
def test_and_is_the_least_and_or_the_greatest(values: tuple[Any, ...]) -> None:
    assert rank(conj(*values)) == min(map(rank, values))
    assert rank(disj(*values)) == max(map(rank, values))


@pytest.mark.parametrize(("a", "b"), list(product(VALUES, repeat=2)))
def test_de_morgan_and_commutation(a: Any, b: Any) -> None:
    assert neg(conj(a, b)) == disj(neg(a), neg(b))
    assert neg(disj(a, b)) == conj(neg(a), neg(b))
    assert conj(a, b) == conj(b, a)
    assert disj(a, b) == disj(b, a)
    assert neg(neg(a)) == a


def test_all_reasons_are_kept_once() -> None:
    assert conj(A, *VALUES[:1], B, A).missing == (*A.missing, *B.missing)
    assert disj(A, *VALUES[1:2], B).missing == (*A.missing, *B.missing)
    assert join([A, 3, A]).missing == A.missing
    assert join([A, B]).needs == "a: was not read; b: was not read"


def test_the_first_false_ends_an_and() -> None:
    def fails(_: object) -> bool:
        raise AssertionError

    assert all_of([lambda _: A, lambda _: False, fails])(None) is False
    assert any_of([lambda _: A, lambda _: True, fails])(None) is True


def test_unknown_is_never_taken_for_true() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(A)
    assert A != B
    assert len({A, unknown("a", "was not read"), B}) == 2
    assert repr(A) == "Unknown(a: was not read)"


def test_a_reason_that_several_sources_share_is_said_once() -> None:
    assert join((A, unknown("c", "is too old"), B)).why == "was not read; is too old"
