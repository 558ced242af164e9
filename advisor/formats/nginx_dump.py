"""What ``nginx -T`` prints, taken apart into the files it was made of, byte for byte.

Before each file stands ``# configuration file PATH:``, after it one line feed of nginx's own (main() in
src/core/nginx.c); a file that is included twice is printed once, but twice by old versions. What nginx says on
standard error may stand before the first file. A line inside a file may look just like nginx's: it is taken for one
only where it stands outside of every statement, names a file that an ``include`` before it names, and has nginx's
line feed before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from advisor.errors import InputError
from advisor.formats.nginx import Statement, absolute, scan, walk
from advisor.formats.wildcard import Pattern, is_wild

_SAYS = rb"nginx: |\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[\w+\] "
_TALK = re.compile(rb"(?:(?:%b)[^\n]*|[ \t\r]*)(?:\n|\Z)" % _SAYS)
_REFUSAL = re.compile(rb"\[(?:emerg|alert|crit)\]")
_FIRST = re.compile(rb"# configuration file (/[^\n]{0,4095}?|\S*[./]\S*):(\r?)\n")
_MARK = re.compile(rb"# configuration file (/[^\n]{0,4095}?):\n")
"""Paths as long as the kernel takes them (PATH_MAX)."""
_SHOWN = 200
_MOST_MARKS = 100_000
_MOST_TRIED = 2_000_000
"""Patterns of includes tried on names: this bounds time; a real dump needs a few for each file."""


class _Mark(NamedTuple):
    """A line that looks like nginx's: the file it names, where it begins, and where the file's content would."""

    path: str
    start: int
    content: int


def is_dump(data: bytes) -> bool:
    """Whether it begins as what ``nginx -T`` prints, or is only what nginx says when its test fails."""
    return _FIRST.match(data, _talk(data)) is not None or re.match(rb"\s*+(?:%b)" % _SAYS, data) is not None


def first_name(data: bytes) -> str | None:
    """The path in the first line of a dump's first file; None: there is none."""
    found = _FIRST.match(data, _talk(data))
    return None if found is None else _decoded(found[1])


def split(data: bytes, name: str) -> dict[str, bytes]:
    """The files of a dump by their paths, the main one first.

    Args:
        data: what ``nginx -T`` printed, also by way of a terminal, which ends lines in CR LF.
        name: what messages call it.

    Raises:
        InputError: when no file is in it, when paths are relative, when a path stands before two different files,
            and where more than 100,000 lines look like nginx's.
    """
    begin = _talk(data)
    first = _FIRST.match(data, begin)
    if first is None:
        raise InputError(
            f"{name}: no file is in it, nginx only says {_refusal(data)}; correct that, run nginx -T again"
        )
    if not first[1].startswith(b"/"):
        raise InputError(f"{name}: {_shown(first[1])} is relative; run nginx -T with absolute paths for -c and -p")
    data = data[begin:]
    if first[2]:
        data = data.replace(b"\r\n", b"\n")
    return _files(data, name, list(_real_marks(data, name)))


def _refusal(data: bytes) -> str:
    """The line with which nginx refuses, else the first."""
    found = _REFUSAL.search(data)
    return _shown(data[data.rfind(b"\n", 0, found.start()) + 1 :] if found else data.lstrip())


def _shown(raw: bytes) -> str:
    """The line that begins here, in a message: printable, bounded."""
    text = raw[:_SHOWN].partition(b"\n")[0].decode("utf-8", "replace").strip()
    return "'" + "".join(char if char.isprintable() else "?" for char in text) + "'"


def _talk(data: bytes) -> int:
    """Where what nginx says ends."""
    position = 0
    while position < len(data) and (found := _TALK.match(data, position)):
        position = found.end()
    return position


def _decoded(path: bytes) -> str:
    """A path without ``//`` and ``/./``, which nginx keeps as an include has them."""
    return plain(path.decode("utf-8", "surrogateescape"))


def plain(path: str) -> str:
    """An absolute path without ``//`` and ``/./``."""
    return re.sub(r"/(?:\.?/)+", "/", path)


def _files(data: bytes, name: str, marks: list[_Mark]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        if following is not None:
            content = data[mark.content : following.start - 1]
        else:
            content = data[mark.content :].removesuffix(b"\n")
        if files.setdefault(mark.path, content) != content:
            twice = f"{_shown(data[mark.start : mark.content])} stands in it twice, before different files"
            raise InputError(f"{name}: {twice}; which one is a comment can't be told: give nginx's own files")
    return files


def _real_marks(data: bytes, name: str) -> Iterator[_Mark]:
    """Those lines that nginx printed. Where the whole does not scan, a file that is at fault says so by itself."""
    marks = _marks(data, name)
    try:
        # The lines of nginx's are comments, so that a dump is itself a configuration.
        statements = scan(data, name)
    except InputError:
        found: Iterator[_Mark] = iter(marks)
    else:
        found = _included(_outside(marks, statements), statements, name)
    begin = -1
    for mark in found:
        if mark.start > begin:
            begin = mark.content
            yield mark


def _marks(data: bytes, name: str) -> list[_Mark]:
    marks = []
    for found in _MARK.finditer(data):
        if found.start() == 0 or data[found.start() - 1] == ord("\n"):
            marks.append(_Mark(_decoded(found[1]), found.start(), found.end()))
            if len(marks) > _MOST_MARKS:
                raise InputError(f"{name}: more than {_MOST_MARKS:,} files are in it; give nginx's own files")
    return marks


def _outside(marks: list[_Mark], statements: list[Statement]) -> Iterator[_Mark]:
    """Those that stand outside of every statement: not in a block, a quoted word, Lua."""
    ends = iter(statements)
    statement = next(ends, None)
    for mark in marks:
        while statement is not None and max(statement.end, statement.close) < mark.start:
            statement = next(ends, None)
        if statement is None or mark.start < statement.token.start:
            yield mark


def _included(marks: Iterator[_Mark], statements: list[Statement], name: str) -> Iterator[_Mark]:
    """The first, and those whose file an include before them names."""
    includes = (one for _, one in walk(statements) if one.name == "include" and len(one.args) == 1)
    include = next(includes, None)
    entry = next(marks)
    yield entry
    named = _Named(name)
    for mark in marks:
        while include is not None and include.token.start < mark.start:
            named.add(plain(absolute(entry.path, include.args[0].text)))
            include = next(includes, None)
        if named.has(mark.path):
            yield mark


class _Named:
    """The files that includes name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paths: set[str] = set()
        self.patterns: dict[str, Pattern] = {}
        self.tried = 0

    def add(self, path: str) -> None:
        """Another include."""
        if not is_wild(path):
            self.paths.add(path)
        elif path not in self.patterns:
            self.patterns[path] = Pattern(path)

    def has(self, path: str) -> bool:
        """Whether one of them names it; a path that was asked for once is known."""
        if path in self.paths:
            return True
        self.tried += len(self.patterns)
        if self.tried > _MOST_TRIED:
            raise InputError(f"{self.name}: too many files and patterns of includes; give nginx's own files")
        if any(pattern.names(path) for pattern in self.patterns.values()):
            self.paths.add(path)
            return True
        return False
