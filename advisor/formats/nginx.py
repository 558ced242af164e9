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
from advisor.records import dataclass

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
_CLOSE, _OPEN = ord("}"), ord("{")
_TOKEN = re.compile(
    rb"(?:[ \t\r\n]++|#[^\n]*+)*+(?:"
    rb"""((?:[^ \t\r\n;{}#"'\\$]|\\.|\$\{*+)(?:[^ \t\r\n;{\\$]++|\\.|\$\{*+)*+)"""
    rb"""|("(?:[^"\\]++|\\.)*+"(?![^ \t\r\n;{)])|'(?:[^'\\]++|\\.)*+'(?![^ \t\r\n;{)]))"""
    rb"|([;{}])"
    rb"|.)",
    re.DOTALL,
)
_ESCAPE = re.compile(rb"""\\(["'\\trn])""")
_ESCAPES = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}


@dataclass(slots=True)
class Token:
    """A word as it stands: ``raw`` is ``data[start:end]`` with its quotes; ``line`` counts from 1."""

    raw: bytes
    start: int
    end: int
    line: int
    quoted: bool

    @property
    def text(self) -> str:
        """What nginx takes it for, unquoted; bytes that are not UTF-8 become lone surrogates."""
        raw = self.raw[1:-1] if self.quoted else self.raw
        if b"\\" in raw:
            raw = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), raw)
        return raw.decode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Statement:
    """A directive: ``token`` is its name, ``end`` the offset of its ``;`` or ``{``.

    ``block`` is None for a simple directive and ``close`` then -1, else the offset of its ``}``.
    ``opaque`` marks a Lua block, whose body is not read.
    """

    name: str
    args: list[Token]
    token: Token
    end: int
    block: list[Statement] | None = None
    close: int = -1
    opaque: bool = False

    @property
    def line(self) -> int:
        """The line its name stands on, from 1."""
        return self.token.line


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
    words: list[Token] = []
    line, counted, position = 1, 0, len(_BOM) if data.startswith(_BOM) else 0
    match, count, push = _TOKEN.match, data.count, words.append
    for _ in range(MOST_WORDS):
        if (found := match(data, position)) is None:
            break
        kind = found.lastindex
        if kind is None:
            raise stray(data, name, found.end() - 1)
        start, position = found.span(kind)
        line += count(b"\n", counted, start)
        counted = start
        if kind == _MARK:
            position = blocks.mark(start, words)
            words.clear()
        else:
            push(Token(found[kind], start, position, line, kind == _QUOTED))
    else:
        raise InputError(f"{name}:{line}: more than {MOST_WORDS:,} words in one file; split it")
    blocks.finish(words)
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

    def mark(self, start: int, words: list[Token]) -> int:
        """Take a ``;``, ``{`` or ``}``; returns where to read on."""
        byte = self.data[start]
        if bool(words) == (byte == _CLOSE) or (byte == _CLOSE and not self.around):
            raise unexpected(self.data, self.name, start, [word.raw for word in words])
        if byte == _CLOSE:
            statement, self.inside = self.around.pop()
            statement.close = start
            self.free_form -= self.free_form > 0
            return start + 1
        if self.suspect and not self.free_form:
            self._refuse_template(words)
        token, *args = words
        statement = Statement(self._name(token), args, token, start)
        self.inside.append(statement)
        return self._open(statement) if byte == _OPEN else start + 1

    def _refuse_template(self, words: list[Token]) -> None:
        for word in words:
            if is_template(self.data, word.start):
                raise fault(self.data, self.name, word.start, f"{show(word.raw)} is no word of nginx's")

    def _name(self, token: Token) -> str:
        raw = token.raw
        if (name := self.names.get(raw)) is None:
            name = self.names[raw] = token.text
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

    def finish(self, words: list[Token]) -> None:
        """Make sure that the file ends where nginx lets it end."""
        if words:
            what = f"{show(words[0].raw)} has no ';' before the end of the file; add it"
            raise fault(self.data, self.name, words[0].start, what)
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
