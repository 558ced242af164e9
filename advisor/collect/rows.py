"""Counting equal rows of bytes that come column by column.

Columns that hold one byte throughout are set aside, and of the others each row is made one number, so that `Counter`
counts a socket in some 0.1 us, whatever its addresses are.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from advisor.formats.sockdiag_blocks import packed

_LARGEST = 8
_CODES = {1: "B", 2: "H", 3: "I", 4: "I"}


class Rows:
    """Rows of one layout.

    Args:
        layout: what `struct` finds in a row, without padding.
    """

    def __init__(self, layout: str) -> None:
        self._layout = struct.Struct(layout)
        self._counted: dict[tuple[int | None, ...], Counter[Any]] = {}

    def __len__(self) -> int:
        """The numbers that are kept: no less than the different rows."""
        return sum(map(len, self._counted.values()))

    def add(self, columns: Sequence[bytes]) -> None:
        """Count some rows, at least one, whose bytes are those of the columns."""
        rows = len(columns[0])
        same = tuple(column[0] if column.count(column[0]) == rows else None for column in columns)
        counted = self._counted.setdefault(same, Counter())
        parts = _parts([column for column, byte in zip(columns, same, strict=True) if byte is None])
        if not parts:
            counted[0] += rows
        elif len(parts) == 1:
            counted.update(parts[0])
        else:
            counted.update(zip(*parts, strict=True))

    def taken(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Each row, perhaps several times, and how often it was counted; afterwards there are none."""
        for same, counted in self._counted.items():
            rows = bytearray(len(same) * len(counted))
            places = [place for place, byte in enumerate(same) if byte is None]
            for place, column in zip(places, _columns(counted, len(places)), strict=False):
                rows[place :: len(same)] = column
            for place, byte in enumerate(same):
                if byte is not None:
                    rows[place :: len(same)] = bytes([byte]) * len(counted)
            yield from zip(self._layout.iter_unpack(rows), counted.values(), strict=True)
        self._counted.clear()


def _parts(columns: Sequence[bytes]) -> list[array[int]]:
    """The columns as numbers: as few for a row as hold it."""
    groups = [columns[start : start + _LARGEST] for start in range(0, len(columns), _LARGEST)]
    return [packed(_code(len(group)), group) for group in groups]


def _columns(counted: Counter[Any], columns: int) -> Iterator[bytes]:
    """The columns again, from what `_parts` made of them."""
    for place, start in enumerate(range(0, columns, _LARGEST)):
        numbers = counted if columns <= _LARGEST else [key[place] for key in counted]
        width = min(_LARGEST, columns - start)
        data = array(_code(width), numbers).tobytes()
        size = len(data) // len(counted)
        yield from (data[byte::size] for byte in range(width))


def _code(columns: int) -> str:
    return _CODES.get(columns, "Q")
