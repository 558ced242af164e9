"""The words of nginx's configuration language, and the directives made of them."""

from __future__ import annotations

import re

TOKEN = re.compile(
    rb"(?:[ \t\r\n]++|#[^\n]*+)*+(?:"
    rb"""((?:[^ \t\r\n;{}#"'\\$]|\\.|\$\{*+)(?:[^ \t\r\n;{\\$]++|\\.|\$\{*+)*+)"""
    rb"""|("(?:[^"\\]++|\\.)*+"(?![^ \t\r\n;{)])|'(?:[^'\\]++|\\.)*+'(?![^ \t\r\n;{)]))"""
    rb"|([;{}])"
    rb"|.)",
    re.DOTALL,
)
"""What comes next: a bare word (group 1), a quoted one (2) or a mark (3); none of them for what can't stand there."""

_ESCAPE = re.compile(rb"""\\(["'\\trn])""")
_ESCAPES = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}


class Token:
    """A word as it stands: ``raw`` is ``data[start:end]`` with its quotes; ``line`` counts from 1."""

    __slots__ = ("end", "line", "quoted", "raw", "start")

    def __init__(self, raw: bytes, start: int, line: int, *, quoted: bool) -> None:
        self.raw = raw
        self.start = start
        self.end = start + len(raw)
        self.line = line
        self.quoted = quoted

    @property
    def text(self) -> str:
        """What nginx takes it for, unquoted; bytes that are not UTF-8 become lone surrogates."""
        raw = self.raw[1:-1] if self.quoted else self.raw
        if b"\\" in raw:
            raw = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), raw)
        return raw.decode("utf-8", "surrogateescape")


class Statement:
    """A directive: ``start`` is the offset of its name, ``end`` that of its ``;`` or ``{``, ``line`` the name's.

    ``block`` is None for a simple directive and ``close`` then -1, else the offset of its ``}``.
    ``opaque`` marks a Lua block, whose body is not read.

    Args:
        name: its first word, unquoted.
        start: where that stands.
        end: where its ``;`` or ``{`` stands.
        line: the line of its name, from 1.
        data: the bytes of the file.
        words: its words; None if it is plain: they are then cut when they are asked for.
    """

    __slots__ = ("_data", "_texts", "_words", "block", "close", "end", "line", "name", "opaque", "start")

    def __init__(
        self, name: str, start: int, end: int, line: int, data: bytes, words: list[Token] | None = None
    ) -> None:
        self.name = name
        self.start = start
        self.end = end
        self.line = line
        self.block: list[Statement] | None = None
        self.close = -1
        self.opaque = False
        self._data = data
        self._words = words
        self._texts: list[str] | None = None

    @property
    def plain(self) -> list[bytes] | None:
        """Its words as they stand, the name first; None where one is quoted or has an escape."""
        return self._data[self.start : self.end].split() if self._words is None else None

    @property
    def token(self) -> Token:
        """Its name."""
        return self._cut()[0]

    @property
    def args(self) -> list[Token]:
        """Its arguments."""
        return self._cut()[1:]

    @property
    def texts(self) -> list[str]:
        """What nginx takes its arguments for, unquoted: as the texts of `args`, quicker, and kept: leave them alone."""
        if self._texts is None:
            if (plain := self.plain) is not None:
                self._texts = [raw.decode("utf-8", "surrogateescape") for raw in plain[1:]]
            else:
                self._texts = [token.text for token in self.args]
        return self._texts

    def _cut(self) -> list[Token]:
        """The words; those of a plain directive are not kept, for most are never asked for."""
        if self._words is not None:
            return self._words
        words: list[Token] = []
        data, position, line = self._data, self.start, self.line
        for raw in data[position : self.end].split():
            start = data.index(raw, position)  # only whitespace stands before it
            line += data.count(b"\n", position, start)
            words.append(Token(raw, start, line, quoted=False))
            position = start + len(raw)
        return words
