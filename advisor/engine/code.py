"""What an expression becomes: a closure, and what is known of it before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from advisor.engine.types import Type
from advisor.records import dataclass, field


class Env:
    """What an expression is evaluated against: the facts, one item, the rule's params; lets are computed once.

    ``shared`` keeps what depends on the facts alone, for all items and rules that are judged by the same facts.
    """

    __slots__ = ("facts", "item", "lets", "params", "shared")

    def __init__(
        self,
        facts: object,
        item: Any,  # noqa: ANN401 (any class of items, known by reflection only)
        params: Mapping[str, float],
        shared: dict[object, Any] | None = None,
    ) -> None:
        self.facts = facts
        self.item = item
        self.params = params
        self.lets: dict[str, Any] = {}
        self.shared = {} if shared is None else shared


AnyClass = type[Any]

Run = Callable[[Env], Any]
"""Gives a value, `advisor.engine.known.Unknown`, or None where a name is not set."""


@dataclass(frozen=True, slots=True)
class Name:
    """A resolved name.

    ``unset`` holds the name and those above it that may be None, with what reads each. ``source`` says where the
    value was read; ``key`` is a sysctl name's key; ``item`` the class of an item, or of a list's items.
    """

    dotted: str
    type: Type
    read: Run
    source: Callable[[Env], str]
    unset: Mapping[str, Run] = field(default_factory=dict)
    key: str | None = None
    item: AnyClass | None = None


class Need(NamedTuple):
    """A name that must be set before the code may run: where it stands (bytes), and what reads it."""

    offset: int
    read: Run


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled expression.

    ``requires`` are the names that may be unset and are not guarded inside. Where the value is True, the names in
    ``true`` are known to be set; where it is False, those in ``false``. (So strictly that a name of ``true`` that is
    not set makes the value False, never Unknown.) ``names`` is everything it reads; ``constant`` a literal's value;
    ``name`` what stands there alone.
    """

    type: Type
    run: Run
    requires: Mapping[str, Need] = field(default_factory=dict)
    true: frozenset[str] = frozenset()
    false: frozenset[str] = frozenset()
    names: Mapping[str, Name] = field(default_factory=dict)
    constant: bool | float | str | None = None
    name: Name | None = None
