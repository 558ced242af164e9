"""What an audit would read and cost, told before it reads anything."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator

from advisor.collect.forecast import Forecast, Planned
from advisor.formats.text import encodable
from advisor.units import S, number, show

_LEAST_S = 0.01
"""CPU time below it is no matter, and not known so exactly."""
_ABOUT = 2
"""Digits of a cost."""


def as_json(told: Forecast, _: int) -> str:
    """The whole forecast; ``schema`` names its shape."""
    planned = [one._asdict() for one in told.planned]
    found = {"schema": "advisor.forecast/v1", **told._asdict(), "planned": planned}
    return encodable(json.dumps(found, indent=2)) + "\n"


def as_text(told: Forecast, width: int) -> str:
    """For people: each line at most ``width`` characters wide where words allow it."""
    lines = [piece for text, indent in _lines(told) for piece in _wrapped(text, indent, width)]
    return encodable("\n".join(lines) + "\n")


def _lines(told: Forecast) -> Iterator[tuple[str, int]]:
    read = [one for one in told.planned if one.skipped is None]
    wait = f", and {show(told.wait, S)} of waiting between two readings" if told.wait else ""
    cost = f"about {_about(told.seconds)} of CPU"
    cost += f", cut to the {show(told.budget, S)} it may take" if told.seconds > told.budget else ""
    yield f"nothing was read yet; this would be, for {cost}{wait}", 0
    for one in read:
        yield "", 0
        yield from _source(one, as_root=told.as_root)
    skipped: dict[str, list[str]] = {}
    for one in told.planned:
        if one.skipped is not None:
            skipped.setdefault(one.skipped, []).append(one.source)
    yield "", 0
    for why, names in skipped.items():
        yield f"not read: {', '.join(names)}: {why}", 0
    for note in told.notes:
        yield f"note: {note}", 0


def _source(one: Planned, *, as_root: bool) -> Iterator[tuple[str, int]]:
    cost = f"about {_about(one.seconds)}" if one.seconds >= _LEAST_S else f"under {show(_LEAST_S, S)}"
    yield f"{one.source}: {cost} of CPU{f' ({one.reckoned})' if one.reckoned else ''}", 0
    for touched in one.touches:
        yield touched, 2
    if one.root is not None:
        yield f"root {'sees' if as_root else 'would see'} more: {one.root}", 2


def _about(seconds: float) -> str:
    return f"{number(float(f'{seconds:.{_ABOUT}g}'))} s"


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


FORMATS: dict[str, Callable[[Forecast, int], str]] = {"text": as_text, "json": as_json}
"""By name: the forecast and the width in characters."""
