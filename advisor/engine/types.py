"""Static types: kinds and units, and how they meet. At run time a quantity is a plain number in base units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from advisor.facts.schema import FactType
from advisor.units import NONE, Unit


class Problem(Exception):  # noqa: N818 (a signal inside the compiler, which adds the place and raises RuleError)
    """What is wrong, and in which part (an argument's index; None for the whole)."""

    def __init__(self, message: str, part: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.part = part


class Type(NamedTuple):
    """The kind of a value (see `advisor.facts.schema.FactType`) and, of a number, its unit.

    A unit of None is a bare literal's: it takes the unit of what it meets.
    """

    kind: str
    unit: Unit | None = NONE

    @property
    def spoken(self) -> str:
        """As a message says it."""
        if self.kind == "number":
            return "a plain number" if self.unit is None else self.unit.spoken
        return _SPOKEN.get(self.kind, f"a {self.kind}")

    @property
    def printed(self) -> Unit:
        """The unit to print with."""
        return self.unit or NONE


BOOL = Type("bool")
TEXT = Type("string")
VERSION = Type("version")
PORTS = Type("ports")
LITERAL = Type("number", None)

_SPOKEN = {
    "bool": "true or false",
    "string": "text",
    "ports": "a set of ports",
    "histogram": "a histogram of ages",
    "item": "an item",
    "list": "a list, over which only 'each' ranges",
    "group": "a group of facts; name one of them",
    "sysctl": "a group; go on with a key: sysctl.net.core.somaxconn",
    "counters": "a group; go on with a counter: counters.TcpExt.ListenDrops.delta",
    "site": "a group; name one of its facts",
    "directives": "a group; go on with an nginx directive: here.sendfile",
    "setters": "a group; go on with an nginx directive: nginx.set.sendfile",
}

_ORDERED = {"number", "version"}
_EQUAL = {"bool", "string", "ports"}


def of_fact(fact: FactType) -> Type:
    """The type of a fact."""
    return Type(fact.kind, fact.unit)


def number(unit: Unit) -> Type:
    """A number of that unit."""
    return Type("number", unit)


def numbers(what: str, types: Sequence[Type]) -> None:
    """Make sure that all are numbers.

    Raises:
        Problem: naming the first that is not.
    """
    for index, one in enumerate(types):
        if one.kind != "number":
            raise Problem(f"{what} needs numbers, and this is {one.spoken}", index)


def same_unit(verb: str, first: Type, second: Type, joint: str = "with", part: int | None = None) -> Type:
    """The common type of two numbers that are compared or added.

    Raises:
        Problem: when their units differ: ``compares bytes with pages``.
    """
    if first.unit is None or second.unit is None:
        return second if first.unit is None else first
    if first.unit != second.unit:
        raise Problem(f"{verb} {first.spoken} {joint} {second.spoken}", part)
    return first


def comparable(operator: str, first: Type, second: Type) -> None:
    """Make sure that two values can be compared so.

    Raises:
        Problem: when they can't.
    """
    if first.kind == second.kind == "number":
        same_unit("compares", first, second)
    elif first.kind != second.kind:
        hint = '; write version("1.25.3")' if {first.kind, second.kind} == {"version", "string"} else ""
        raise Problem(f"compares {first.spoken} with {second.spoken}{hint}")
    elif first.kind not in (_ORDERED if operator not in {"==", "!="} else _ORDERED | _EQUAL):
        raise Problem(f"{first.spoken} can't be compared by '{operator}'")


def product(operator: str, first: Type, second: Type) -> Type:
    """The type of a product (``*``) or quotient (``/``) of numbers: exponents add up or are subtracted."""
    if first.unit is None and second.unit is None:
        return LITERAL
    left, right = first.unit or NONE, second.unit or NONE
    return number(left.times(right) if operator == "*" else left.per(right))


def fits(found: Type, wanted: Type) -> bool:
    """Whether a value may stand where another is wanted; a bare literal fits any number."""
    return found == wanted or (found == LITERAL and wanted.kind == "number")
