"""Rows counted by column come out as they went in."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from advisor.collect.rows import Rows

WIDTH = 20
FEW = st.binary(min_size=WIDTH, max_size=WIDTH)


def counted(rows: Rows) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for (row,), count in rows.taken():
        found[row] += count
    return found


@given(st.lists(st.lists(FEW, min_size=1, max_size=6), max_size=4), st.integers(0, WIDTH))
def test_no_row_is_lost_or_changed(batches: list[list[bytes]], same: int) -> None:
    """From a byte on all are equal, so that rows are numbers of every size."""
    rows, wanted = Rows(f"{WIDTH}s"), Counter[bytes]()
    for batch in batches:
        alike = [row[:same] + batch[0][same:] for row in batch] * 2
        rows.add([bytes(column) for column in zip(*alike, strict=True)])
        wanted.update(alike)
    assert len(rows) >= len(wanted)
    assert counted(rows) == wanted
    assert len(rows) == 0
    assert not counted(rows)
