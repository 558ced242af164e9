"""Command lines that are plainly right, read without typer: it would take longer to start than the command itself.

What is not plain (help, ``--option=value``, a mistake, a value that looks like an option) is left to typer, which then
reads the whole command line. What is plain means here what it means to typer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from advisor.cli.command import Parameter

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


def parse(parameters: Sequence[Parameter], words: Sequence[str]) -> dict[str, Any] | None:
    """A value for each parameter; None where typer should read the words."""
    values = {one.name: one.default for one in parameters if not one.required}
    for one, word in _pairs(parameters, words):
        value = None if one is None else _value(one, word)
        if one is None or value is None:
            return None
        values[one.name] = [*(values.get(one.name) or ()), value] if one.many else value
    return values if len(values) == len(parameters) else None


def _pairs(parameters: Sequence[Parameter], words: Sequence[str]) -> Iterator[tuple[Parameter | None, str]]:
    """Each parameter that is given, and the word that is its value, empty for a flag or where none is left."""
    named = {name: one for one in parameters for name in one.option.names}
    places = _places(parameters)
    rest = iter(words)
    for word in rest:
        if word == "-" or not word.startswith("-"):
            yield next(places, None), word
        elif (one := named.get(word)) is None or one.kind is bool:
            yield one, ""
        else:
            yield one, next(rest, "")


def _places(parameters: Sequence[Parameter]) -> Iterator[Parameter]:
    """The arguments by their place; one that may be given many times takes all that are left."""
    for one in parameters:
        if not one.option.names:
            yield from repeat(one) if one.many else (one,)


def _value(one: Parameter, word: str) -> str | float | bool | None:
    """A value where it is plain; None otherwise."""
    if one.kind is bool:
        return True
    if not word or not word.isascii() or (word.startswith("-") and word != "-"):
        return None
    if one.kind is str:
        return word
    if one.kind is not float or _NUMBER.fullmatch(word) is None:
        return None
    number, low, high = float(word), one.option.low, one.option.high
    return number if (low is None or number >= low) and (high is None or number <= high) else None
