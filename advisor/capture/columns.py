"""Many connections as numpy columns: the fields of `Connection`, one array each; pairs have two columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.capture.connection import Connection

_WIDE = np.int64
TYPES: dict[str, type[np.generic]] = {
    "ends": np.uint64,
    "state": np.int8,
    **dict.fromkeys(("isn", "end", "got", "acked", "fin", "packets", "bytes"), _WIDE),
    **dict.fromkeys(("syns", "fins", "rsts", "repeats", "syn_repeats", "probes", "zero_windows"), np.int32),
    **dict.fromkeys(("number", "frame", "first", "last", "syn_at", "open_at", "closed_at", "idle"), _WIDE),
    **dict.fromkeys(("moved_at", "turn_at", "before"), _WIDE),
    **dict.fromkeys(("client", "closer", "resetter", "turn"), np.int8),
    **dict.fromkeys(("early", "notes"), np.int32),
}
"""The type of each column; `Connection.window` has none, since only a ladder asks for it."""

_TABLE = np.dtype(
    [(name, kind, (2,)) if name in Connection.PAIRS else (name, kind) for name, kind in TYPES.items()], align=True
)
_RECORD = np.dtype((np.void, _TABLE.itemsize))
"""The same bytes without fields, which numpy copies as one."""


def _fresh() -> NDArray[np.void]:
    """What a new `Connection` holds."""
    one = np.zeros(1, _TABLE)
    fresh = Connection((0, 0), 0, 0)
    for name in TYPES:
        one[name] = getattr(fresh, name)
    return one


_FRESH = _fresh()


class Columns:
    """The columns, each an attribute named as in `Connection`; rows are connections.

    A new one is filled with what a new `Connection` holds. Side by side in memory stand the fields of a connection,
    since connections are picked from everywhere, and a chunk's worth of them is then gone through column by column.
    """

    table: NDArray[np.void]
    records: NDArray[np.void]

    def __init__(self, rows: int, table: NDArray[np.void] | None = None) -> None:
        self.table = np.repeat(_FRESH, rows) if table is None else table
        self.records = self.table.view(_RECORD)
        for name in TYPES:
            setattr(self, name, self.table[name])

    def __getattr__(self, name: str) -> NDArray[Any]:
        raise AttributeError(name)

    def __len__(self) -> int:
        return len(self.table)

    def room(self, rows: int) -> Columns:
        """So many of them: these first; what the others hold has no meaning, and costs no memory yet."""
        table = np.empty(rows, _TABLE)
        table[: len(self)].view(_RECORD)[:] = self.records
        return Columns(0, table)

    def take(self, rows: NDArray[Any] | slice) -> Columns:
        """Some of them, copied, in that order; by index or mask."""
        return Columns(0, np.array(self.records[rows]).view(_TABLE))

    def give(self, rows: NDArray[Any], some: Columns) -> None:
        """Write some of them back."""
        self.records[rows] = some.records

    def renew(self, rows: NDArray[Any]) -> None:
        """Let some of them hold what a new `Connection` does."""
        self.records[rows] = _FRESH.view(_RECORD)

    def connections(self) -> list[Connection]:
        """Each of them by itself."""
        found = [Connection((0, 0), 0, 0) for _ in range(len(self))]
        for name in TYPES:
            for one, value in zip(found, getattr(self, name).tolist(), strict=True):
                setattr(one, name, value)
        return found

    @classmethod
    def join(cls, parts: list[Columns]) -> Columns:
        """All of them in one."""
        return cls(0, np.concatenate([part.records for part in parts]).view(_TABLE) if parts else None)

    @classmethod
    def of(cls, connections: list[Connection]) -> Columns:
        """The columns of some connections."""
        some = cls(len(connections))
        for name in TYPES if connections else ():
            getattr(some, name)[:] = [getattr(one, name) for one in connections]
        return some
