"""What a fact is: its unit, its source, whether it may be unset, read off the typed classes of this room.

A fact is a public property or slot of a class in this room whose type is one of::

    bool, str, Count, Seconds, Size, Rate, Number ...    (see `advisor.facts.values`)
    Ports, Histogram, Version                            value types
    another fact class, or a list of one                 only in `each`
    any of these | None                                  may be unset (nginx or the user does not set it)
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any

from advisor.records import dataclass
from advisor.units import NONE, Unit


@dataclass(frozen=True, slots=True)
class Of:
    """Annotation of a number: its unit."""

    unit: Unit


@dataclass(frozen=True, slots=True)
class From:
    """Annotation of a fact: the source it was read from, as evidence names it."""

    source: str


@dataclass(frozen=True, slots=True)
class FactType:
    """The static type of a fact.

    ``kind`` is bool, number, string, version, ports, histogram, item, group or list; ``item`` is the class of an item
    or group, or of a list's items; ``unset`` is True where the fact may be None.
    """

    kind: str
    unit: Unit = NONE
    unset: bool = False
    item: type | None = None
    source: str | None = None
    doc: str = ""


_KINDS = {bool: "bool", int: "number", float: "number", str: "string"}


class Members(Mapping[str, FactType]):
    """The facts of a class by name, in the order in which they are written; each is read off when it is asked for."""

    def __init__(self, cls: type) -> None:
        self._bases = cls.__mro__[:-1]
        self._known: dict[str, FactType | None] = {}

    def __getitem__(self, name: str) -> FactType:
        if name not in self._known:
            found = () if name.startswith("_") else (_member(base, name) for base in self._bases)
            self._known[name] = next((fact for fact in found if fact is not None), None)
        fact = self._known[name]
        if fact is None:
            raise KeyError(name)
        return fact

    def __iter__(self) -> Iterator[str]:
        written = ((getattr(base, "__annotations__", ()), base.__dict__) for base in reversed(self._bases))
        names = dict.fromkeys(name for hints, own in written for name in (*hints, *own))
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def members(cls: type) -> Members:
    """The facts of a class."""
    return Members(cls)


@cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _member(cls: type, name: str) -> FactType | None:
    value = cls.__dict__.get(name)
    doc = ""
    if isinstance(value, property):
        hint: Any = typing.get_type_hints(value.fget, include_extras=True).get("return")
        doc = value.__doc__ or ""
    elif isinstance(value, cached_property):
        hint = typing.get_type_hints(value.func, include_extras=True).get("return")
        doc = value.__doc__ or ""
    elif name in getattr(cls, "__annotations__", ()):
        hint = _hints(cls).get(name)
    else:
        return None
    return fact_type(hint, doc)


def fact_type(hint: Any, doc: str = "") -> FactType | None:  # noqa: ANN401 (any type hint)
    """The fact type of a hint; None for what is no fact (a method, a helper's own structure)."""
    unit, source, unset = NONE, None, False
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            for note in hint.__metadata__:
                unit = note.unit if isinstance(note, Of) else unit
                source = note.source if isinstance(note, From) else source
            hint = hint.__origin__
        elif origin in {typing.Union, types.UnionType} and type(None) in typing.get_args(hint):
            unset = True
            rest = [arm for arm in typing.get_args(hint) if arm is not type(None)]
            if len(rest) != 1:
                return None
            hint = rest[0]
        else:
            break
    if origin is list:
        inner = fact_type(typing.get_args(hint)[0])
        return FactType("list", item=inner.item, source=source, doc=doc) if inner and inner.kind == "item" else None
    if not isinstance(hint, type):
        return None
    kind = _KINDS.get(hint) or getattr(hint, "FACT_KIND", None)
    if kind is None:
        return None
    return FactType(kind, unit, unset, hint if kind in {"item", "group"} else None, source, doc)
