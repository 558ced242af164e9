"""Quantities: seconds, bytes, pages and counts; reading them and printing them.

A number carries its unit in its static type (see `advisor.engine.types`), never at run time: at run time
every quantity is a plain number in the base unit (seconds, bytes, pages, things).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from advisor.errors import UsageError


class Unit(NamedTuple):
    """Exponents of the four base units; a rate of connections is ``Unit(s=-1, n=1)``.

    ``n`` counts sockets, ports, descriptors, events; ratios, workers, CPUs and switches have no unit.
    """

    s: int = 0
    B: int = 0
    page: int = 0
    n: int = 0

    def times(self, other: Unit) -> Unit:
        """The unit of a product."""
        return Unit(*(a + b for a, b in zip(self, other, strict=True)))

    def per(self, other: Unit) -> Unit:
        """The unit of a quotient."""
        return Unit(*(a - b for a, b in zip(self, other, strict=True)))

    @property
    def name(self) -> str:
        """``s``, ``B``, ``page``, ``n``, ``n/s`` ... and the empty string for a plain number."""
        over = [_power(base, e) for base, e in zip(self._fields, self, strict=True) if e > 0]
        under = [_power(base, -e) for base, e in zip(self._fields, self, strict=True) if e < 0]
        if not under:
            return "*".join(over)
        return f"{'*'.join(over) or '1'}/{'/'.join(under)}"

    @property
    def spoken(self) -> str:
        """The unit as a message says it: ``seconds``, ``bytes``, ``a count`` ..."""
        return _SPOKEN.get(self, self.name)


def _power(base: str, exponent: int) -> str:
    return base if exponent == 1 else f"{base}^{exponent}"


NONE = Unit()
S = Unit(s=1)
B = Unit(B=1)
PAGE = Unit(page=1)
N = Unit(n=1)
PER_S = Unit(s=-1, n=1)

_SPOKEN = {NONE: "a plain number", S: "seconds", B: "bytes", PAGE: "pages", N: "a count", PER_S: "a rate per second"}

_COUNTED = [
    "sockets",
    "ports",
    "descriptors",
    "events",
    "connections",
    "packets",
    "requests",
    "clients",
    "processes",
    "times",
    "entries",
    "files",
    "switches",
]

_WORDS: dict[str, tuple[float, Unit]] = {
    "": (1, NONE),
    "%": (0.01, NONE),
    "ms": (0.001, S),
    "s": (1, S),
    "second": (1, S),
    "seconds": (1, S),
    "min": (60, S),
    "minutes": (60, S),
    "h": (3600, S),
    "hours": (3600, S),
    "d": (86400, S),
    "days": (86400, S),
    "B": (1, B),
    "bytes": (1, B),
    "KiB": (1024, B),
    "MiB": (1024**2, B),
    "GiB": (1024**3, B),
    "page": (1, PAGE),
    "pages": (1, PAGE),
    "n": (1, N),
    **dict.fromkeys(_COUNTED, (1, N)),
    **{word.removesuffix("es" if word == "processes" else "s"): (1, N) for word in _COUNTED if word != "entries"},
    "entry": (1, N),
}

_QUANTITY = re.compile(r"\s*(-?\d{1,15}(?:\.\d{1,9})?)\s*([A-Za-z%]*)(?:/([A-Za-z]+))?\s*", re.ASCII)


class Quantity(NamedTuple):
    """A number in base units, and its unit."""

    value: float
    unit: Unit


def parse_quantity(text: str) -> Quantity:
    """Read ``60 s``, ``50 %``, ``250 B/socket``, ``10 connections/s`` or a plain number.

    Returns:
        the value in base units; an int where it is whole.

    Raises:
        UsageError: when the text is no quantity, or its unit is unknown.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is not a quantity; write for example '60 s', '50 %', '100 sockets' or '4 MiB'")
    number, word, below = found.groups()
    scale, unit = _unit(word, text)
    if below:
        under_scale, under = _unit(below, text)
        scale, unit = scale / under_scale, unit.per(under)
    value = float(number) * scale
    return Quantity(int(value) if value.is_integer() else value, unit)


def _unit(word: str, text: str) -> tuple[float, Unit]:
    try:
        return _WORDS[word]
    except KeyError:
        known = "s, ms, min, h, d, B, KiB, MiB, GiB, pages, %, " + ", ".join(_COUNTED[:5])
        raise UsageError(f"'{text}': unknown unit '{word}'; known: {known} ...") from None


def number(value: float) -> str:
    """A number as people write it: ``39,812``, ``0.52``, ``4.1``."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    if abs(value) >= 100:  # noqa: PLR2004 (from 100 on, decimals are noise)
        return f"{value:,.0f}"
    if abs(value) >= 10:  # noqa: PLR2004
        return f"{value:.1f}"
    return f"{value:.2g}"


def show(value: float, unit: Unit) -> str:  # noqa: PLR0911 (one return a unit)
    """A quantity as a message prints it: ``300 s``, ``4 MiB``, ``39,812``, ``41 per second``."""
    if unit == S:
        return f"{number(value)} s"
    if unit == B:
        return _bytes(value)
    if unit == PAGE:
        return f"{number(value)} pages"
    if unit == PER_S:
        return f"{number(value)} per second"
    if unit == NONE and isinstance(value, int):
        return str(value)
    if unit in {NONE, N}:
        return number(value)
    return f"{number(value)} {unit.name}"


def _bytes(value: float) -> str:
    for word, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if abs(value) >= size:
            return f"{number(round(value / size, 1))} {word}"
    return f"{number(value)} B"
