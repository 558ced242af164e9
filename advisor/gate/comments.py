"""Comments in nginx and sysctl files that answer for findings: where they stand, and for which lines they hold.

::

    # advisor: ignore[RULE, RULE] reason; until 2027-01-31     behind a statement, or on lines of their own above it
    # advisor: ignore-begin[RULE] reason                       from here ...
    # advisor: ignore-end[RULE]                                ... to here; without rules: of the last that is open

A comment begins with ``advisor:``; one that says more before it is prose. In nginx's files a ``#`` inside a word, a
quoted one or Lua begins none (ngx_conf_read_token, src/core/ngx_conf_file.c); in those of sysctl.d(5) only a whole line
that begins with ``#`` or ``;`` is one, all else belongs to a value.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from advisor.formats.nginx import column, line_text, walk
from advisor.gate import MARK
from advisor.gate.spans import Found, Spans

if TYPE_CHECKING:
    from advisor.formats.nginx_words import Statement, Token
    from advisor.snapshot.model import Snapshot

_NGINX = re.compile(rb"(?<!#)#++[ \t]*+advisor:")
_SYSCTL = re.compile(r"[#;]++[ \t]*+advisor:")
_BEHIND = re.compile(r"(?<![#;])[#;]++[ \t]*+advisor:")
_PART_OF_THE_VALUE = "behind a value it is part of the value, and no comment; put it on a line of its own above"
_NONE = (1, 0)
"""The lines of a comment that nothing follows."""


def comments(snapshot: Snapshot) -> dict[str, list[Found]]:
    """What the comments of every file say, in their order; files without such comments are left out."""
    found: dict[str, list[Found]] = {}
    for name, file in (snapshot.nginx.files if snapshot.nginx is not None else {}).items():
        if MARK in file.content:
            found[name] = in_nginx(file.content, name, file.statements(name))
    for given in snapshot.sysctl_files or ():
        if MARK in given.content:
            found[given.path] = in_sysctl(given.content, given.path)
    return {name: said for name, said in found.items() if said}


def in_nginx(data: bytes, name: str, statements: list[Statement]) -> list[Found]:
    """What the comments of a file of nginx's say.

    Args:
        data: the file's bytes.
        name: what locations call it.
        statements: what it says otherwise.
    """
    spans = Spans(name)
    layout = _Layout(data, statements)
    line, counted = 1, 0
    for start, said in _candidates(data, layout):
        line += data.count(b"\n", counted, start)
        counted = start
        text = data[said : _line_end(data, said)].decode("utf-8", "replace")
        spans.take((line, column(data, start), line_text(data, start)), text, layout.covered(start, line))
    return spans.finish()


def _candidates(data: bytes, layout: _Layout) -> Iterator[tuple[int, int]]:
    """Where each comment begins, and what it says behind its mark."""
    found = _NGINX.search(data)
    while found is not None:
        begins = layout.comment(found.start())
        if begins == found.start():
            yield begins, found.end()
        # The rest of a comment's line is comment.
        found = _NGINX.search(data, found.end() if begins is None else _line_end(data, found.end()))


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


class _Layout:
    """Where the statements of a file stand, to see what lies between them."""

    def __init__(self, data: bytes, statements: list[Statement]) -> None:
        self.data = data
        self.all = [statement for _, statement in walk(statements)]
        self.starts = [statement.start for statement in self.all]
        self.words: tuple[Statement, list[Token]] | None = None

    @cached_property
    def closes(self) -> list[int]:
        """Where blocks end."""
        return sorted(statement.close for statement in self.all if statement.close >= 0)

    def comment(self, at: int) -> int | None:
        """Where the comment begins in which a ``#`` stands; None where it is part of a word, or of Lua."""
        gap = self._gap(at)
        if gap is None:
            return None
        first = self.data.find(b"#", max(gap, self.data.rfind(b"\n", gap, at) + 1), at)
        return at if first < 0 else first

    def _gap(self, at: int) -> int | None:
        """Where that begins which stands around an offset between words and marks; None inside of them."""
        number = bisect_right(self.starts, at) - 1
        if number < 0:
            return 0
        before = self.all[number]
        if at < before.end:
            return self._between_words(before, at)
        if before.opaque and at < before.close:
            return None
        closed = bisect_left(self.closes, at)
        return max(before.end, self.closes[closed - 1] if closed else 0) + 1

    def _between_words(self, statement: Statement, at: int) -> int | None:
        if self.words is None or self.words[0] is not statement:
            self.words = statement, [statement.token, *statement.args]
        words = self.words[1]
        word = words[bisect_right(words, at, key=lambda one: one.start) - 1]
        return None if at < word.end else word.end

    def covered(self, at: int, line: int) -> tuple[int, int]:
        """The lines for which a comment holds: of what stands on its own line, or of the statement below it."""
        data = self.data
        begins = data.rfind(b"\n", 0, at) + 1
        number = bisect_right(self.starts, at) - 1
        if number >= 0 and at < self.all[number].end:
            return self._lines(number, number)
        if data[begins:at].strip():
            return self._beside(begins, number, line)
        below = number + 1
        if below == len(self.all) or bisect_left(self.closes, at) < bisect_left(self.closes, self.starts[below]):
            return _NONE
        return self._lines(below, below)

    def _beside(self, begins: int, last: int, line: int) -> tuple[int, int]:
        """The statements that stand on a line, or end there."""
        first = bisect_left(self.all, begins, key=lambda one: one.end)
        return self._lines(first, last) if first <= last else (line, line)

    def _lines(self, first: int, last: int) -> tuple[int, int]:
        """From the first line of a statement to the ``;`` or ``{`` of another."""
        one = self.all[last]
        return self.all[first].line, one.line + self.data.count(b"\n", one.start, one.end)


def in_sysctl(data: bytes, name: str) -> list[Found]:
    """What the comments of a file of sysctl.d say.

    Args:
        data: the file's bytes.
        name: what locations call it.
    """
    spans = Spans(name)
    lines = [line.decode("utf-8", "replace").rstrip("\r") for line in data.split(b"\n")]
    below = _NONE
    covers: list[tuple[int, int]] = []
    for number in range(len(lines), 0, -1):
        text = lines[number - 1].strip()
        covers.append(below)
        if text and text[0] not in "#;":
            below = (number, number)
    for number, (line, lines_below) in enumerate(zip(lines, reversed(covers), strict=True), 1):
        text = line.lstrip()
        at = (number, len(line) - len(text) + 1, line)
        if (found := _SYSCTL.match(text)) is not None:
            spans.take(at, text[found.end() :], lines_below)
        elif text[:1] not in {"#", ";"} and (behind := _BEHIND.search(line)) is not None:
            spans.wrong((number, behind.start() + 1, line), _PART_OF_THE_VALUE)
    return spans.finish()
