"""Which connections are shown: the same ones, however they come in batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.capture.columns import Columns
from advisor.capture.connection import NONE, Connection
from advisor.capture.segments import Endpoints
from advisor.capture.selection import SORTS, Selection, Wanted
from advisor.catalog.tcp import State

ENDS = Endpoints()
A, B, SIX = (ENDS.number(one) for one in (bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes(range(16))))

ALL = Wanted()


def one(number: int, low: int = A | 40000, high: int = B | 80, **fields: object) -> Connection:
    found = Connection((low, high), number, number * 10)
    found.number = number
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def shown(connections: list[Connection], wanted: Wanted = ALL, sort: str = "start", limit: int | None = 2) -> list[int]:
    selection = Selection(wanted, sort, limit)
    for each in connections:
        selection.add(Columns.of([each]))
    assert selection.total == len(connections)
    return [each.number for each in selection.connections()]


MANY = [
    one(1, last=100, packets=[1, 2], bytes=[0, 9], idle=5, repeats=[0, 3], syn_at=10, open_at=12),
    one(2, last=900, packets=[4, 4], bytes=[7, 7], idle=1, repeats=[0, 0], syn_at=20, open_at=NONE),
    one(3, last=300, packets=[9, 0], bytes=[1, 0], idle=9, repeats=[4, 0], syn_at=30, open_at=99),
]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("start", [1, 2]),
        ("packets", [3, 2]),
        ("bytes", [2, 1]),
        ("duration", [2, 3]),
        ("idle", [3, 1]),
        ("retransmissions", [3, 1]),
        ("handshake", [3, 1]),
    ],
)
def test_the_first_by_each_key(sort: str, expected: list[int]) -> None:
    assert shown(MANY[::-1], sort=sort) == expected
    assert shown(MANY, sort=sort, limit=None)[:2] == expected


def test_every_order_is_tested_above() -> None:
    assert list(SORTS) == ["start", "packets", "bytes", "duration", "idle", "retransmissions", "handshake"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), [1, 2, 3]),
        (Wanted(addresses=(A,)), [1, 2]),
        (Wanted(addresses=(A, SIX)), [2]),
        (Wanted(ports=(80,)), [1, 3]),
        (Wanted(ports=(80, 40000)), [1]),
        (Wanted(addresses=(SIX,), ports=(443,)), [2]),
        (Wanted(state=State.TIME_WAIT), [3]),
        (Wanted(number=2), [2]),
        (Wanted(ports=(80,), number=2), []),
    ],
)
def test_only_what_was_asked_for(wanted: Wanted, expected: list[int]) -> None:
    some = [one(1), one(2, A | 40000, SIX | 443), one(3, B | 80, SIX | 50000, state=[State.TIME_WAIT, State.CLOSE])]
    assert shown(some, wanted, limit=None) == expected
    selection = Selection(wanted)
    selection.add(Columns.of(some))
    assert (selection.total, selection.matched) == (3, len(expected))


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 60), st.integers(1, 20))
def test_batches_and_ties_make_no_difference(idle: list[int], size: int, limit: int) -> None:
    all_ = [one(number, idle=each) for number, each in enumerate(idle, 1)]
    selection = Selection(ALL, "idle", limit)
    for start in range(0, len(all_), size):
        selection.add(Columns.of(all_[start : start + size]))
    expected = sorted(all_, key=lambda each: (-each.idle, each.frame))[:limit]
    assert [each.number for each in selection.connections()] == [each.number for each in expected]


def test_a_million_take_no_more_room_than_what_is_shown() -> None:
    selection = Selection(ALL, "idle", 20)
    for start in range(0, 100_000, 1000):
        some = Columns(1000)
        some.frame[:] = some.idle[:] = range(start, start + 1000)
        selection.add(some)
    assert sum(map(len, selection._parts)) <= 1100
    assert [each.idle for each in selection.connections()] == list(range(99_999, 99_979, -1))
