"""Templates of text, and how values are printed: by their static type and unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from advisor.engine.code import Code, Env, Name
from advisor.engine.compile import compile_expression
from advisor.engine.known import Unknown
from advisor.engine.scope import Scope
from advisor.engine.syntax import Source
from advisor.engine.types import Type
from advisor.facts.values import Histogram
from advisor.records import dataclass, field
from advisor.units import N, S, show

_LIMIT = 5_000
_LONGEST_VALUE = 1_000
_LONGEST = 20_000
"""What is read may hold text of any length, and a template may name it many times."""

_PIECE = re.compile(r"\{\{|\}\}|\{((?:[^{}\"']|\"[^\"]*\"|'[^']*')*+)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled template."""

    parts: tuple[str | Code, ...] = ()
    names: dict[str, Name] = field(default_factory=dict)

    def known(self, env: Env) -> bool:
        """Whether every value in it is known."""
        return not any(isinstance(part.run(env), Unknown) for part in self.parts if not isinstance(part, str))

    def render(self, env: Env) -> str:
        """The text with its values; what is not known says so."""
        parts = (part if isinstance(part, str) else printed(part.type, part.run(env)) for part in self.parts)
        text = "".join(part if len(part) <= _LIMIT else f"{part[:_LONGEST_VALUE]} ..." for part in parts)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def compile_text(source: Source, scope: Scope, known: frozenset[str] = frozenset()) -> Text:
    """Check and compile ``text {expression} text``; ``{{`` and ``}}`` are braces.

    Raises:
        RuleError: with the text or the expression, and a caret.
    """
    template = source.text
    if len(template) > _LIMIT:
        raise source.error(f"longer than {_LIMIT:,} characters")
    parts: list[str | Code] = []
    end = 0
    for found in _PIECE.finditer(template):
        parts.append(template[end : found.start()])
        end = found.end()
        if found[1] is not None:
            parts.append(compile_expression(Source(found[1].strip(), source.at), scope, known))
        elif len(found[0]) == 2:  # noqa: PLR2004 (a doubled brace stands for one)
            parts.append(found[0][0])
        else:
            offset = len(template[: found.start()].encode("utf-8", "surrogatepass"))
            raise source.error("a single brace; write {{ or }} for a brace, {expression} for a value", offset)
    parts.append(template[end:])
    names = {path: name for part in parts if isinstance(part, Code) for path, name in part.names.items()}
    return Text(tuple(part for part in parts if part != ""), names)


def printed(type_: Type, value: Any) -> str:  # noqa: ANN401 (a value of any kind)
    """A value as a message shows it."""
    if isinstance(value, Unknown):
        return f"(not known: {value.why})"
    if value is None:
        return "not set"
    return _PRINTERS.get(type_.kind, _plain)(type_, value)


def _plain(_: Type, value: object) -> str:
    return str(value)


def _number(type_: Type, value: float) -> str:
    return show(value, type_.printed)


def _ages(_: Type, ages: Histogram) -> str:
    return show(ages.total, N) + (f", the oldest {show(ages.oldest, S)}" if ages.oldest else "")


def _item(_: Type, item: Any) -> str:  # noqa: ANN401 (an item of any class)
    return str(item.id)


_PRINTERS: dict[str, Callable[[Type, Any], str]] = {
    "number": _number,
    "bool": lambda _, value: "yes" if value else "no",
    "histogram": _ages,
    "item": _item,
    "group": lambda _, __: "set",
}
