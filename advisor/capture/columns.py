"""Many connections as numpy columns: the fields of `Connection`, one array each; pairs have two columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.capture.connection import NONE, Connection

_WIDE = np.int64
TYPES: dict[str, type[np.generic]] = {
    "ends": np.uint64,
    "state": np.int8,
    **dict.fromkeys(("isn", "end", "got", "acked", "fin", "packets", "bytes"), _WIDE),
    **dict.fromkeys(("syns", "fins", "rsts", "repeats", "syn_repeats", "probes", "zero_windows"), np.int32),
    **dict.fromkeys(("number", "frame", "first", "last", "syn_at", "open_at", "closed_at", "idle"), _WIDE),
    **dict.fromkeys(("moved_at", "turn_at"), _WIDE),
    **dict.fromkeys(("client", "closer", "resetter", "turn"), np.int8),
    **dict.fromkeys(("early", "notes"), np.int32),
}
"""The type of each column; `Connection.window` has none, since only a ladder asks for it."""

_FRESH = Connection((0, 0), 0, 0)


class Columns:
    """The columns, each an attribute named as in `Connection`; rows are connections.

    A new one is filled with what a new `Connection` holds.
    """

    __slots__ = ("__dict__",)

    def __init__(self, rows: int) -> None:
        for name, kind in TYPES.items():
            fresh = getattr(_FRESH, name)
            shape = (rows, 2) if name in Connection.PAIRS else (rows,)
            setattr(self, name, np.full(shape, fresh[0] if name in Connection.PAIRS else fresh, kind))

    def __getattr__(self, name: str) -> NDArray[Any]:
        raise AttributeError(name)

    def __len__(self) -> int:
        return len(self.__dict__["frame"])

    def take(self, rows: NDArray[Any] | slice) -> Columns:
        """Some of them, copied, in that order; by index or mask."""
        some = Columns(0)
        for name in TYPES:
            setattr(some, name, np.array(getattr(self, name)[rows]))
        return some

    def connections(self, rows: NDArray[Any] | slice = slice(None)) -> list[Connection]:
        """Some of them, each by itself."""
        found = [Connection((0, 0), 0, 0) for _ in range(len(self.frame[rows]))]
        for name in TYPES:
            for one, value in zip(found, getattr(self, name)[rows].tolist(), strict=True):
                setattr(one, name, value)
        return found

    def put(self, rows: NDArray[Any] | slice, connections: list[Connection]) -> None:
        """Write some of them back."""
        for name in TYPES:
            column = getattr(self, name)
            column[rows] = np.array([getattr(one, name) for one in connections], column.dtype)

    @classmethod
    def join(cls, parts: list[Columns]) -> Columns:
        """All of them in one."""
        whole = cls(0)
        for name in TYPES:
            setattr(whole, name, np.concatenate([getattr(part, name) for part in parts or [whole]]))
        return whole

    @classmethod
    def of(cls, connections: list[Connection]) -> Columns:
        """The columns of some connections."""
        some = cls(len(connections))
        if connections:
            some.put(slice(None), connections)
        return some


__all__ = ["NONE", "TYPES", "Columns"]
