"""What commands make of their own options: formats, severities, the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from typing import Annotated, TypeVar

from advisor.cli.command import Option
from advisor.errors import UsageError
from advisor.findings import Confidence, Severity

_NARROW = 80

_Word = TypeVar("_Word", Severity, Confidence)

Formats = Annotated[
    list[str] | None,
    Option(("-f", "--format"), "text or json, to a file if named; repeatable.", "FORMAT[=FILE]"),
]
Unsafe = Annotated[bool, Option(("--unsafe",), "Take steps, too, that may change or drop somebody's traffic.")]


def formats(texts: list[str] | None, known: Collection[str] = ()) -> list[tuple[str, str | None]]:
    """``json=out.json`` into name and file; text to standard output when nothing is said.

    Args:
        texts: what was given.
        known: the formats there are; those of reports if left out.

    Raises:
        UsageError: for a format there is none of, or two for standard output.
    """
    from advisor.report import FORMATS

    known = known or FORMATS
    found: list[tuple[str, str | None]] = []
    for text in texts or ["text"]:
        name, _, path = text.partition("=")
        if name not in known:
            raise UsageError(f"-f {text}: no such format; known: {', '.join(known)}")
        found.append((name, path or None))
    if sum(path is None for _, path in found) > 1:
        raise UsageError("two formats for standard output; send all but one to a file: -f text -f json=out.json")
    return found


def width() -> int:
    """The terminal's width, at least 40; 80 in a pipe unless COLUMNS says otherwise."""
    from shutil import get_terminal_size  # it imports every kind of archive, for which a pipe need not wait

    asked = os.environ.get("COLUMNS") or sys.stdout.isatty()
    return max(40, get_terminal_size((_NARROW, 24)).columns) if asked else _NARROW


def colour() -> bool:
    """Whether standard output is a terminal whose user did not ask for plain text (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def severity(text: str) -> Severity:
    """A severity by its word.

    Raises:
        UsageError: when it is none.
    """
    return _worded(Severity, text, "severity")


def confidence(text: str) -> Confidence:
    """A confidence by its word.

    Raises:
        UsageError: when it is none.
    """
    return _worded(Confidence, text, "confidence")


def _worded(kind: type[_Word], text: str, name: str) -> _Word:
    for one in kind:
        if one.word == text:
            return one
    raise UsageError(f"'{text}' is no {name}; known: {', '.join(one.word for one in kind)}")
