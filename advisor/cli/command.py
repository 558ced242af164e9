"""A command as its function declares it: typed parameters, each annotated with how the command line calls it.

No typer here: it is built from these where it is needed, for help and for what is wrong with a command line.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable
from typing import Any, NamedTuple


def say(line: str) -> None:
    """A line of talk, after all that was answered: the answer goes to standard output, talk to standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"{line}\n")


class Option(NamedTuple):
    """An option by its names, the last of them the long one; without names an argument by its place."""

    names: tuple[str, ...]
    help: str
    metavar: str | None = None
    low: float | None = None
    high: float | None = None


class Parameter(NamedTuple):
    """A parameter of a command: ``kind`` is str, float or bool, or that of each value where ``many`` may be given."""

    name: str
    kind: type
    many: bool
    required: bool
    default: Any
    hint: Any
    option: Option


class Command(NamedTuple):
    """A command: its function, which returns the exit code, and what it reads by.

    The parameters of ``reader``, less some, are options of the command as well; its function gets a call of ``reader``
    with them as its argument ``read``.
    """

    function: Callable[..., int]
    reader: Callable[..., Any] | None = None
    without: tuple[str, ...] = ()

    def parameters(self) -> list[Parameter]:
        """Its own options first, in the order in which they are declared."""
        return [*_parameters(self.function), *self._shared()]

    def run(self, values: dict[str, Any]) -> int:
        """Run it with a value for each parameter; returns the exit code.

        Raises:
            AdvisorError: as the command does.
        """
        reader = self.reader
        if reader is None:
            return self.function(**values)
        shared = [one.name for one in self._shared()]
        given = {name: value for name, value in values.items() if name in shared}
        own = {name: value for name, value in values.items() if name not in shared}
        return self.function(read=lambda: reader(**given), **own)

    def _shared(self) -> list[Parameter]:
        return [one for one in _parameters(self.reader) if one.name not in self.without] if self.reader else []


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    defaults: dict[str, Any] = function.__kwdefaults__ or {}
    options = {name: hint for name, hint in hints.items() if typing.get_origin(hint) is typing.Annotated}
    return [_parameter(name, hint, defaults) for name, hint in options.items()]


def _parameter(name: str, hint: Any, defaults: dict[str, Any]) -> Parameter:  # noqa: ANN401 (a type hint)
    kind = plain = hint.__origin__
    if typing.get_origin(plain) in {typing.Union, types.UnionType}:
        kind = next(arm for arm in typing.get_args(plain) if arm is not type(None))
    many = typing.get_origin(kind) is list
    kind = typing.get_args(kind)[0] if many else kind
    required = name not in defaults
    return Parameter(name, kind, many, required, defaults.get(name), plain, hint.__metadata__[0])
