"""Three values: what is True, what is False, and what is not known, with every reason why not.

Kleene's strong logic: ``and`` is False if any part is False, else Unknown if any is, else True; ``or`` the mirror.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from advisor.errors import Unread
from advisor.findings import Missing

E = TypeVar("E")


class Unknown:
    """A value that is not known; ``missing`` says why, without repetition."""

    __slots__ = ("missing",)

    def __init__(self, missing: tuple[Missing, ...]) -> None:
        self.missing = missing

    @property
    def why(self) -> str:
        """Every reason once, ready to print."""
        return "; ".join(dict.fromkeys(one.why for one in self.missing))

    @property
    def needs(self) -> str:
        """Every source with its reason, ready to print."""
        return "; ".join(f"{one.source}: {one.why}" for one in self.missing)

    def __repr__(self) -> str:
        return f"Unknown({self.needs})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and set(self.missing) == set(other.missing)

    def __hash__(self) -> int:
        return hash(frozenset(self.missing))

    def __bool__(self) -> bool:
        raise TypeError("Unknown is neither true nor false")


def unknown(source: str, why: str) -> Unknown:
    """One reason."""
    return Unknown((Missing(source, why),))


def unread(signal: Unread) -> Unknown:
    """What a fact says that could not be read."""
    return unknown(signal.source, signal.why)


def join(values: Iterable[object]) -> Unknown:
    """All reasons of those values that are Unknown."""
    doubts = [value for value in values if value.__class__ is Unknown]
    if len(doubts) == 1:
        return doubts[0]
    return Unknown(tuple(dict.fromkeys(one for value in doubts for one in value.missing)))


BY_ZERO = unknown("division", "a division by zero has no value")
TOO_LARGE = unknown("arithmetic", "the result is too large to be meant")


def all_of(parts: Sequence[Callable[[E], Any]]) -> Callable[[E], bool | Unknown]:
    """``and``; stops at the first False."""

    def run(env: E) -> bool | Unknown:
        doubts = None
        for part in parts:
            value = part(env)
            if value is False:
                return False
            if value is not True:
                doubts = value if doubts is None else join((doubts, value))
        return True if doubts is None else doubts

    return run


def any_of(parts: Sequence[Callable[[E], Any]]) -> Callable[[E], bool | Unknown]:
    """``or``; stops at the first True."""

    def run(env: E) -> bool | Unknown:
        doubts = None
        for part in parts:
            value = part(env)
            if value is True:
                return True
            if value is not False:
                doubts = value if doubts is None else join((doubts, value))
        return False if doubts is None else doubts

    return run


def negation(part: Callable[[E], Any]) -> Callable[[E], bool | Unknown]:
    """``not``."""

    def run(env: E) -> bool | Unknown:
        value = part(env)
        return value if value.__class__ is Unknown else not value

    return run
