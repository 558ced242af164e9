"""Strict YAML: what it says is what it means, every key knows its line, and no input can blow it up.

A subset of YAML 1.2: one document of mappings, sequences and scalars. Anchors, aliases, tags, merge keys, duplicate
keys and keys that are not text are refused. A plain scalar is true, false, an integer, a decimal number or null
(empty or ``null``); anything else is text, so ``on``, ``012`` and ``1:30`` stay what was written. Keys are text.

PyYAML's events are read one by one, not its composed tree: depth and size are bounded before anything is built.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.errors import RuleError

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

MAX_BYTES = 1024 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 50
_MAX_INT = 2**63

_INT = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][+-]?[0-9]+)?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: dict[str, bool | None] = {"": None, "null": None, "true": True, "false": False}

Path = tuple[str | int, ...]


class Document(NamedTuple):
    """A value of dict, list, str, int, float, bool and None, and where each part of it stands.

    ``positions`` maps the path of a value to the (line, column) of its key, or of a sequence's item; from 1.
    """

    name: str
    value: Any
    positions: dict[Path, tuple[int, int]]

    def at(self, path: Path) -> str:
        """``file:line:column`` of that path, or of the nearest one above it that is there."""
        while path and path not in self.positions:
            path = path[:-1]
        line, column = self.positions.get(path, (1, 1))
        return f"{self.name}:{line}:{column}"


def load(data: bytes, name: str) -> Document:
    """Read one document of at most 1 MiB, 20,000 nodes and a depth of 50.

    Args:
        data: UTF-8.
        name: the file, for messages.

    Raises:
        RuleError: ``file:line:column: what is wrong``.
    """
    import yaml  # noqa: PLC0415 (20 ms that a run with generated rules saves)

    if len(data) > MAX_BYTES:
        raise RuleError(f"{name}:1:1: larger than the {MAX_BYTES:,} bytes that are read of such a file")
    loader = yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader
    builder = _Builder(name)
    try:
        events = loader(data.decode())
        while (event := events.get_event()) is not None:
            builder.take(event)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError(f"{name}:{line}:1: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise builder.error(where, error.problem or error.context or "not YAML") from None
    except yaml.YAMLError as error:
        raise builder.error((1, 1), f"not YAML: {getattr(error, 'reason', error)}") from None
    return Document(name, builder.value, builder.positions)


class _Frame:
    """A mapping or sequence that is being filled."""

    __slots__ = ("key", "path", "value")

    def __init__(self, value: dict[str, Any] | list[Any], path: Path) -> None:
        self.value = value
        self.path = path
        self.key: str | None = None

    def awaits_key(self) -> bool:
        return self.key is None and isinstance(self.value, dict)

    def next_path(self) -> Path:
        return (*self.path, self.key if self.key is not None else len(self.value))

    def add(self, value: object) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not None:
            self.value[self.key] = value
            self.key = None


class _Builder:
    """Takes the parser's events and builds the document, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: Any = None
        self.positions: dict[Path, tuple[int, int]] = {}
        self.stack: list[_Frame] = []
        self.nodes = 0
        self.documents = 0

    def error(self, where: tuple[int, int], message: str) -> RuleError:
        return RuleError(f"{self.name}:{where[0]}:{where[1]}: {message}")

    def take(self, event: Event) -> None:
        """One event of the parser."""
        kind = type(event).__name__
        where = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
        if kind in {"SequenceEndEvent", "MappingEndEvent"}:
            self.stack.pop()
        elif kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise self.error(where, "a second document; write one a file")
        elif kind in {"ScalarEvent", "SequenceStartEvent", "MappingStartEvent", "AliasEvent"}:
            self._check(event, where)
            self._node(event, kind, where)

    def _check(self, event: Event, where: tuple[int, int]) -> None:
        if getattr(event, "anchor", None) is not None:
            raise self.error(where, "anchors (&name) and aliases (*name) are not allowed; write the value out")
        if getattr(event, "tag", None) is not None:
            raise self.error(where, "tags (!name) are not allowed; quote the value if it begins with '!'")
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.error(where, f"more than {MAX_NODES:,} values in one file")
        if len(self.stack) > MAX_DEPTH:
            raise self.error(where, f"nested deeper than {MAX_DEPTH}")

    def _node(self, event: Any, kind: str, where: tuple[int, int]) -> None:  # noqa: ANN401 (PyYAML's events are untyped)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.awaits_key():
            frame.key = self._key(event, kind, frame, where)
            return
        path = frame.next_path() if frame else ()
        self.positions.setdefault(path, where)
        value: Any = self._scalar(event, where) if kind == "ScalarEvent" else [] if kind == "SequenceStartEvent" else {}
        if frame is None:
            self.value = value
        else:
            frame.add(value)
        if isinstance(value, dict | list):
            self.stack.append(_Frame(value, path))

    def _key(self, event: Any, kind: str, frame: _Frame, where: tuple[int, int]) -> str:  # noqa: ANN401 (PyYAML's events are untyped)
        if kind != "ScalarEvent":
            raise self.error(where, "a key must be text; quote it if it begins with '{' or '['")
        key = self._text(event, where)
        if key == "<<" and event.implicit[0]:
            raise self.error(where, "merge keys (<<) are not allowed; write the values out")
        if key in frame.value:
            raise self.error(where, f"'{key}' stands twice in one mapping; keep one of them")
        self.positions[(*frame.path, key)] = where
        return key

    def _scalar(self, event: ScalarEvent, where: tuple[int, int]) -> str | float | bool | None:
        text = self._text(event, where)
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            if len(text) > len(str(_MAX_INT)) or not -_MAX_INT < int(text) < _MAX_INT:
                raise self.error(where, "the number is larger than 2^63; quote it if it is text")
            return int(text)
        if _FLOAT.fullmatch(text):
            if not math.isfinite(number := float(text)):
                raise self.error(where, "the number is too large; quote it if it is text")
            return number
        return text

    def _text(self, event: ScalarEvent, where: tuple[int, int]) -> str:
        text: str = event.value
        if _SURROGATE.search(text):
            raise self.error(where, "the text holds half of a surrogate pair, which is no character")
        return text
