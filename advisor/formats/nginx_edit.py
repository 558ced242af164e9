"""Edits of an nginx file that touch the planned bytes and no others, proved by reading the result again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from advisor.errors import InputError
from advisor.formats.nginx import LONGEST_WORD, Statement, addresses, find, scan, walk
from advisor.formats.nginx_splice import before, block_insertion, insertion, removal
from advisor.formats.splice import Splice
from advisor.records import dataclass

_PLAIN = re.compile(r"(?:[A-Za-z0-9_./:=,+@~^*%?&()<>|!\[\]-]|\$\w+|\$\{\w+\})+", re.ASCII)
_DIRECTIVE = re.compile(r"[A-Za-z]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class At:
    """A statement's logical address in its file (see `advisor.formats.nginx.addresses`)."""

    block: str
    directive: str
    ordinal: int = 0

    def __str__(self) -> str:
        return f"{self.block}/{self.directive}#{self.ordinal}".lstrip("/")


@dataclass(frozen=True, slots=True)
class SetArgs:
    """Give a directive these arguments (unquoted texts); those that stay the same keep their bytes."""

    at: At
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetParam:
    """Give a directive the parameter ``name=value`` (``listen``'s ``backlog=4096``), in place or as its last."""

    at: At
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Insert:
    """Add a directive to a block (empty: the file's top level), after the last simple directive there."""

    block: str
    directive: str
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a directive out, with its line where nothing else stands on it."""

    at: At


@dataclass(frozen=True, slots=True)
class InsertBlock:
    """Add a block of simple directives (each its name and arguments) to a block.

    It comes behind the last block of its name there, so that no address changes; else before the first block.
    """

    block: str
    directive: str
    args: tuple[str, ...]
    body: tuple[tuple[str, ...], ...]


Edit = SetArgs | SetParam | Insert | InsertBlock | Remove

_Entry = tuple[int, bytes, tuple[bytes, ...], bool]
"""A statement for comparing: depth, name, arguments as they stand, whether it is a block."""


def apply(data: bytes, name: str, edits: Sequence[Edit]) -> bytes:
    """The file with all edits made.

    Args:
        data: the file's bytes.
        name: what messages call it.
        edits: their order does not matter but for several inserts into one block.

    Raises:
        InputError: when the file can't be read, a place is not there, two edits meet in one place, a value can't
            stand in a configuration, or the result would differ in more than was planned.
    """
    return apply_each(data, name, edits)[0]


def apply_each(data: bytes, name: str, edits: Sequence[Edit]) -> tuple[bytes, list[list[Splice]]]:
    """The same, and what each edit puts in the place of which bytes.

    Raises:
        InputError: as `apply`.
    """
    if clash := _clash(edits):
        raise InputError(f"{name}: two edits want {clash} at once; make them one after the other")
    plan = _Plan(data, name)
    parts: list[list[Splice]] = [[] for _ in edits]
    for number in sorted(range(len(edits)), key=lambda number: isinstance(edits[number], Insert | InsertBlock)):
        parts[number] = plan.take(edits[number])
    result = plan.spliced()
    try:
        after = [_entry(len(around), statement) for around, statement in walk(scan(result, name))]
    except InputError as error:
        raise InputError(f"{error}: so reads the edited file; the edit was given up, make it by hand") from None
    if after != list(plan.expected()):
        raise InputError(f"{name}: the edit would change more than was planned; make it by hand")
    return result, parts


def quote(text: str) -> bytes:
    """A value as it stands in a configuration: plain where that is safe, else in double quotes.

    Raises:
        InputError: when it holds a NUL or is longer than nginx reads (4,095 bytes).
    """
    raw = text.encode("utf-8", "surrogateescape")
    if not _PLAIN.fullmatch(text):
        raw = b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    if b"\0" in raw or len(raw) > LONGEST_WORD:
        raise InputError(f"a value of {len(raw)} bytes that nginx would not read: {text[:40]!r}; give another")
    return raw


def _entry(depth: int, statement: Statement) -> _Entry:
    args = tuple(token.raw for token in statement.args)
    return depth, statement.token.raw, args, statement.block is not None


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0


def _written(name: str, depth: int, directive: str, args: Sequence[str]) -> tuple[bytes, _Entry]:
    """A new statement as it stands, without its ``;``, and how it must read."""
    if not _DIRECTIVE.fullmatch(directive):
        raise InputError(f"{name}: {directive!r} is no directive's name")
    raws = tuple(quote(text) for text in args)
    return b" ".join([directive.encode(), *raws]), (depth, directive.encode(), raws, False)


def _clash(edits: Sequence[Edit]) -> At | None:
    """A statement that two edits want whole, or of which they want one parameter."""
    seen: dict[At, set[str]] = {}
    for edit in edits:
        if isinstance(edit, Insert | InsertBlock):
            continue
        wanted = edit.name if isinstance(edit, SetParam) else ""
        parts = seen.setdefault(edit.at, set())
        if wanted in parts or (parts and "" in {wanted, *parts}):
            return edit.at
        parts.add(wanted)
    return None


class _Plan:
    """The splices so far, and what the file must read like after them. Statements are known by their offset."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.statements = scan(data, name)
        self.splices: list[Splice] = []
        self.changed: dict[int, list[bytes]] = {}
        self.removed: set[int] = set()
        self.added: list[tuple[int, list[_Entry]]] = []
        self.places: dict[At, Statement] = {}
        for block, ordinal, statement in addresses(self.statements):
            at = At(block, statement.name, ordinal)
            if statement.block is None or at not in self.places:
                self.places[at] = statement

    def take(self, edit: Edit) -> list[Splice]:
        """Plan one edit; returns its own splices."""
        before_it = len(self.splices)
        match edit:
            case SetArgs(at, args):
                self._set_args(self._there(at), args)
            case SetParam(at, name, value):
                self._set_param(self._there(at), name, value)
            case Remove(at):
                self.splices.append(removal(self.data, self._there(at)))
                self.removed.add(self._there(at).token.start)
            case Insert(block, directive, args):
                self._insert(block, directive, args)
            case InsertBlock(block, directive, args, body):
                self._insert_block(block, directive, args, body)
        return self.splices[before_it:]

    def _there(self, at: At) -> Statement:
        if (statement := self.places.get(at)) is None:
            raise InputError(f"{self.name}: no directive {at} in this file; read it again")
        return statement

    def _args(self, statement: Statement) -> list[bytes]:
        return self.changed.setdefault(statement.token.start, [token.raw for token in statement.args])

    def _replace(self, statement: Statement, index: int, text: str) -> None:
        token = statement.args[index]
        if token.text != text:
            raw = quote(text)
            self.splices.append((token.start, token.end, raw))
            self._args(statement)[index] = raw

    def _append(self, statement: Statement, text: str) -> None:
        raw = quote(text)
        end = [statement.token, *statement.args][-1].end
        self.splices.append((end, end, b" " + raw))
        self._args(statement).append(raw)

    def _set_args(self, statement: Statement, texts: Sequence[str]) -> None:
        old = statement.args
        for index, text in enumerate(texts):
            if index < len(old):
                self._replace(statement, index, text)
            else:
                self._append(statement, text)
        self.splices += [(before(self.data, token.start), token.end, b"") for token in old[len(texts) :]]
        del self._args(statement)[len(texts) :]

    def _set_param(self, statement: Statement, name: str, value: str) -> None:
        wanted = f"{name}={value}"
        for index, token in enumerate(statement.args):
            if token.text.startswith(f"{name}="):
                self._replace(statement, index, wanted)
                return
        self._append(statement, wanted)

    def _insert(self, path: str, directive: str, args: Sequence[str]) -> None:
        block, children = self._inside(path)
        text, entry = _written(self.name, _depth(path), directive, args)
        splice = insertion(self.data, block, children, text + b";")
        self.splices.append(splice)
        self.added.append((splice[0], [entry]))

    def _insert_block(self, path: str, directive: str, args: Sequence[str], body: Sequence[Sequence[str]]) -> None:
        block, children = self._inside(path)
        depth = _depth(path)
        head, (_, name, raws, _) = _written(self.name, depth, directive, args)
        lines = [_written(self.name, depth + 1, *(line[0], line[1:])) for line in body]
        texts = [text + b";" for text, _ in lines]
        splice = block_insertion(self.data, block, children, (head, directive), texts)
        self.splices.append(splice)
        self.added.append((splice[0], [(depth, name, raws, True), *(entry for _, entry in lines)]))

    def _inside(self, path: str) -> tuple[Statement | None, list[Statement]]:
        """A block (None: the file's top level), and what stays in it."""
        found = find(self.statements, path)
        block, children = (None, found) if isinstance(found, list) else (found, found.block or [])
        if block is not None and block.opaque:
            raise InputError(f"{self.name}:{block.line}: {block.name} holds Lua, not directives; edit it by hand")
        return block, [child for child in children if child.token.start not in self.removed]

    def expected(self) -> Iterator[_Entry]:
        """What the result must read like, statement by statement: what is added stands where it was spliced in."""
        added = iter(sorted(self.added, key=lambda one: one[0]))
        upcoming = next(added, None)
        gone = -1
        for around, statement in walk(self.statements):
            start = statement.token.start
            while upcoming is not None and upcoming[0] <= start:
                yield from upcoming[1]
                upcoming = next(added, None)
            if start in self.removed:
                gone = max(statement.end, statement.close)
            if start < gone:
                continue
            depth, name, args, is_block = _entry(len(around), statement)
            yield depth, name, tuple(self.changed.get(start, args)), is_block
        for _, entries in ((0, []) if upcoming is None else upcoming, *added):
            yield from entries

    def spliced(self) -> bytes:
        """The file's bytes with all splices made.

        Raises:
            InputError: when two of them overlap.
        """
        out, position = [], 0
        for start, end, raw in sorted(self.splices, key=lambda splice: splice[:2]):
            if start < position:
                line = self.data.count(b"\n", 0, start) + 1
                raise InputError(f"{self.name}:{line}: two edits meet here; make them one after the other")
            out += [self.data[position:start], raw]
            position = end
        return b"".join([*out, self.data[position:]])
