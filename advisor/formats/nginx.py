"""nginx's configuration language: bytes to statements that know their offsets, lines and quoting.

The rules are those of ngx_conf_read_token (nginx, src/core/ngx_conf_file.c): only space, tab, CR and LF separate
words, only LF counts lines, ``}`` and quotes inside a word are ordinary, a backslash takes the next byte with it,
``${`` opens no block. Two things are read that nginx refuses: a byte order mark at the start of a file, and words
over 4,095 bytes (see `LONGEST_WORD`). Lua blocks (lua-nginx-module) are passed over whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from advisor.errors import InputError
from advisor.formats.nginx_faults import fault, is_template, show, stray, unexpected
from advisor.formats.nginx_lua import lua_end
from advisor.formats.nginx_words import TOKEN, Statement, Token

__all__ = [
    "DEEPEST",
    "FREE_FORM",
    "LONGEST_WORD",
    "MOST_WORDS",
    "Statement",
    "Token",
    "absolute",
    "addresses",
    "column",
    "find",
    "line_text",
    "scan",
    "walk",
]

LONGEST_WORD = 4095
"""Bytes, an opening quote not counted; nginx refuses a longer word as "too long parameter" (NGX_CONF_BUFFER)."""

DEEPEST = 200
"""Blocks inside blocks that are read; nginx itself nests a handful."""

MOST_WORDS = 2_000_000
"""Words and marks (``;``, ``{``, ``}``) that are read of one file: this bounds memory."""

FREE_FORM = frozenset({"map", "geo", "types", "split_clients", "charset_map"})
"""Blocks of entries: the first word of an entry is any text, not a directive's name."""

_BOM = b"\xef\xbb\xbf"
_QUOTED, _MARK = 2, 3
_OPENS, _CLOSES = 2, 3
_WORD = rb"""(?:[^ \t\r\n;{}#"'\\$\v\f]|\$(?!\{))(?:[^ \t\r\n;{\\$\v\f]++|\$(?!\{))*+"""
_PLAIN = re.compile(
    rb"(?:[ \t\r\n]++|#[^\n]*+)*+(?:(%b)(?:[ \t\r\n]++%b)*+[ \t\r\n]*+(?:;|(\{))|(\}))" % (_WORD, _WORD)
)
"""A whole directive without quotes at a word's start, escapes, ``${`` and comments inside, or a ``}``: most are."""


def scan(data: bytes, name: str) -> list[Statement]:
    """Read a file's statements.

    Args:
        data: the file's bytes.
        name: what messages call it.

    Raises:
        InputError: where nginx could not read it either, where it nests deeper than 200 blocks or holds more
            than 2,000,000 words, and where it is a template: file:line, what is wrong, the way out.
    """
    if b"\0" in data:
        raise stray(data, name, data.index(b"\0"))
    blocks = _Blocks(data, name)
    position = len(_BOM) if data.startswith(_BOM) else 0
    while position < len(data):
        position = blocks.by_words(position if blocks.suspect else blocks.plain(position))
    blocks.finish()
    return blocks.top


class _Blocks:
    """The statements so far, and the blocks that are open."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        self.top: list[Statement] = []
        self.inside = self.top
        self.around: list[tuple[Statement, list[Statement]]] = []
        self.free_form = 0
        self.names: dict[bytes, str] = {}
        self.suspect = any(mark in data for mark in (b"<%", b"%%", b"{%"))
        self.line, self.counted = 1, 0
        self.words = 0
        self.countable = len(data) >= MOST_WORDS  # else there is no room for so many

    def plain(self, position: int) -> int:
        """Take directives, and ``}``, as long as they are plain; returns where to read on."""
        data, match, names = self.data, _PLAIN.match, self.names
        while (found := match(data, position)) is not None:
            kind, position = found.lastindex, found.end()
            if kind == _CLOSES:
                self._close(position - 1)
                continue
            start = found.start(1)
            self.line += data.count(b"\n", self.counted, start)
            self.counted = start
            if self.countable:
                self._count(len(data[start:position].split()) + 1)
            raw = found[1]
            statement = Statement(names.get(raw) or self._name(raw), start, position - 1, self.line, data)
            self.inside.append(statement)
            if kind == _OPENS:
                position = self._open(statement)
        return position

    def by_words(self, position: int) -> int:
        """Take a directive word by word, or a ``}``; returns where to read on."""
        words: list[Token] = []
        while (found := TOKEN.match(self.data, position)) is not None:
            kind = found.lastindex
            if kind is None:
                raise stray(self.data, self.name, found.end() - 1)
            start, position = found.span(kind)
            line = self._line(start)
            self._count(1)
            if kind == _MARK:
                return self._mark(start, words)
            words.append(Token(found[kind], start, line, quoted=kind == _QUOTED))
        if words:
            what = f"{show(words[0].raw)} has no ';' before the end of the file; add it"
            raise fault(self.data, self.name, words[0].start, what)
        return len(self.data)

    def _line(self, start: int) -> int:
        """The line of an offset, which never comes before the one that was asked for last."""
        self.line += self.data.count(b"\n", self.counted, start)
        self.counted = start
        return self.line

    def _count(self, words: int) -> None:
        self.words += words
        if self.words >= MOST_WORDS:
            raise InputError(f"{self.name}:{self.line}: more than {MOST_WORDS:,} words in one file; split it")

    def _mark(self, start: int, words: list[Token]) -> int:
        """Take a ``;``, ``{`` or ``}``; returns where to read on."""
        mark = self.data[start : start + 1]
        if bool(words) == (mark == b"}"):
            raise unexpected(self.data, self.name, start, [word.raw for word in words])
        if mark == b"}":
            return self._close(start)
        if self.suspect and not self.free_form:
            self._refuse_template(words)
        first = words[0]
        statement = Statement(self._name(first.raw, first), first.start, start, first.line, self.data, words)
        self.inside.append(statement)
        return self._open(statement) if mark == b"{" else start + 1

    def _close(self, start: int) -> int:
        if not self.around:
            raise unexpected(self.data, self.name, start, [])
        statement, self.inside = self.around.pop()
        statement.close = start
        self.free_form -= self.free_form > 0
        return start + 1

    def _refuse_template(self, words: list[Token]) -> None:
        for word in words:
            if is_template(self.data, word.start):
                raise fault(self.data, self.name, word.start, f"{show(word.raw)} is no word of nginx's")

    def _name(self, raw: bytes, token: Token | None = None) -> str:
        """A directive's name; those that are spelled alike share one text."""
        if (name := self.names.get(raw)) is None:
            name = raw.decode("utf-8", "surrogateescape") if token is None else token.text
            self.names[raw] = name
        return name

    def _open(self, statement: Statement) -> int:
        statement.block = []
        if statement.name.endswith("_by_lua_block") and not self.free_form:
            statement.opaque = True
            statement.close = lua_end(self.data, statement.end + 1)
            if statement.close < 0:
                raise self._never_closed(statement)
            return statement.close + 1
        self.around.append((statement, self.inside))
        if len(self.around) > DEEPEST:
            raise fault(self.data, self.name, statement.end, f"blocks nested deeper than {DEEPEST}; flatten them")
        self.inside = statement.block
        self.free_form += self.free_form > 0 or statement.name in FREE_FORM
        return statement.end + 1

    def finish(self) -> None:
        """Make sure that no block is open."""
        if self.around:
            raise self._never_closed(self.around[-1][0])

    def _never_closed(self, statement: Statement) -> InputError:
        what = f"the block {show(statement.token.raw)} that opens here is never closed; add its '}}'"
        return fault(self.data, self.name, statement.end, what)


def walk(statements: list[Statement]) -> Iterator[tuple[tuple[Statement, ...], Statement]]:
    """Every statement in the order of the file, with the blocks around it, outermost first."""
    stack: list[tuple[tuple[Statement, ...], Iterator[Statement]]] = [((), iter(statements))]
    while stack:
        around, todo = stack[-1]
        statement = next(todo, None)
        if statement is None:
            stack.pop()
            continue
        yield around, statement
        if statement.block:
            stack.append(((*around, statement), iter(statement.block)))


def addresses(statements: list[Statement]) -> Iterator[tuple[str, int, Statement]]:
    """Every statement with its logical address: the path of blocks around it, and its ordinal there.

    The path is ``http#0/server#1``, empty at the file's top level. Ordinals count from 0 the statements of one
    name in one block, blocks and simple directives apart.
    """
    paths = {id(statements): ""}
    seen: Counter[tuple[str, str, bool]] = Counter()
    for around, statement in walk(statements):
        path = paths[id(around[-1].block) if around else id(statements)]
        key = (path, statement.name, statement.block is not None)
        yield path, seen[key], statement
        if statement.block is not None:
            paths[id(statement.block)] = f"{path}/{statement.name}#{seen[key]}".lstrip("/")
        seen[key] += 1


def find(statements: list[Statement], block: str) -> Statement | list[Statement]:
    """The block at a logical path, or the file's statements for the empty path.

    Raises:
        InputError: when there is no such block.
    """
    if not block:
        return statements
    for path, ordinal, statement in addresses(statements):
        if statement.block is not None and f"{path}/{statement.name}#{ordinal}".lstrip("/") == block:
            return statement
    raise InputError(f"no block {block} in this file; read it again")


def absolute(entry: str, pattern: str) -> str:
    """An include's pattern as nginx takes it: relative ones from the folder of the entry file, if it has one."""
    folder, separator, _ = entry.rpartition("/")
    return pattern if pattern.startswith("/") else folder + separator + pattern


def column(data: bytes, offset: int) -> int:
    """The column of an offset in characters, from 1; a byte order mark is not counted."""
    return len(_decoded(data, _line_start(data, offset), offset)) + 1


def line_text(data: bytes, offset: int) -> str:
    """The line an offset stands on, without its end; bytes that are not UTF-8 become U+FFFD."""
    end = data.find(b"\n", offset)
    return _decoded(data, _line_start(data, offset), end if end >= 0 else len(data)).removesuffix("\r")


def _line_start(data: bytes, offset: int) -> int:
    start = data.rfind(b"\n", 0, offset) + 1
    return len(_BOM) if not start and data.startswith(_BOM) else start


def _decoded(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace")
