"""Quantities: what is read, what is refused, and how numbers are printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import UsageError
from advisor.units import NONE, PAGE, PER_S, B, N, Quantity, S, Unit, number, parse_quantity, show


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("60 s", 60, S),
        ("60s", 60, S),
        (" 60  seconds ", 60, S),
        ("1 second", 1, S),
        ("1500 ms", 1.5, S),
        ("2 min", 120, S),
        ("1 h", 3600, S),
        ("1.5 d", 129600, S),
        ("50 %", 0.5, NONE),
        ("7", 7, NONE),
        ("-2.5", -2.5, NONE),
        ("4 MiB", 4 * 1024**2, B),
        ("250 B/socket", 250, Unit(B=1, n=-1)),
        ("10 connections/s", 10, PER_S),
        ("600 events/min", 10, PER_S),
        ("3 processes", 3, N),
        ("1 process", 1, N),
        ("1 entry", 1, N),
        ("9 pages", 9, PAGE),
    ],
)
def test_a_quantity_is_read_into_base_units(text: str, value: float, unit: Unit) -> None:
    found = parse_quantity(text)
    assert found == Quantity(value, unit)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    "text", ["", "s", "60 S", "60 parsecs", "1,5 s", "0x10 s", "1e3 s", "60 s s", "\u0661 s", "1" * 16, "1/s/s", "1 B/"]
)
def test_what_is_no_quantity_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_quantity(text)
    assert f"'{text}'" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (300, S, "300 s"),
        (0.1, S, "0.1 s"),
        (39812, N, "39,812"),
        (41.2, PER_S, "41.2 per second"),
        (4 * 1024**2, B, "4 MiB"),
        (1536, B, "1.5 KiB"),
        (1023, B, "1,023 B"),
        (3 * 1024**3, B, "3 GiB"),
        (12, PAGE, "12 pages"),
        (1, NONE, "1"),
        (10240, NONE, "10240"),
        (0.523, NONE, "0.52"),
        (250, Unit(B=1, n=-1), "250 B/n"),
        (-1536, B, "-1.5 KiB"),
    ],
)
def test_a_quantity_is_printed_with_its_unit(value: float, unit: Unit, text: str) -> None:
    assert show(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234.5, "1,234"), (12.34, "12.3"), (0.00123, "0.0012"), (5.0, "5"), (1.26, "1.3")]
)
def test_a_number_has_no_more_digits_than_it_is_worth(value: float, text: str) -> None:
    assert number(value) == text


@given(st.integers(0, 10**9))
def test_whole_counts_keep_every_digit(value: int) -> None:
    assert int(number(value).replace(",", "")) == value


def test_units_multiply_and_divide() -> None:
    assert B.per(N).times(N) == B
    assert N.per(S) == PER_S
    assert S.times(S).name == "s^2"
    assert [unit.name for unit in (NONE, PER_S, NONE.per(S), B.per(N).per(S))] == ["", "n/s", "1/s", "B/s/n"]
    assert [unit.spoken for unit in (NONE, S, B, PAGE, N, PER_S)] == [
        "a plain number",
        "seconds",
        "bytes",
        "pages",
        "a count",
        "a rate per second",
    ]
