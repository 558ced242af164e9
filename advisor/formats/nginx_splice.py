"""Where in an nginx file's bytes a directive goes in or comes out, so that the result looks hand-written."""

from __future__ import annotations

import re

from advisor.formats.nginx import Statement
from advisor.formats.splice import Splice

_BLANK = re.compile(rb"[ \t]*+(?:#[^\n]*?)?(?=\r?(?:\n|\Z))")
"""The rest of a line on which nothing but a comment stands, up to its end."""

_BOM = b"\xef\xbb\xbf"


def insertion(data: bytes, block: Statement | None, children: list[Statement], text: bytes) -> Splice:
    """How to add ``text`` to a block: after its last simple directive, copying that one's indentation and line end.

    Args:
        data: the file's bytes.
        block: the block; None is the file's top level.
        children: its statements.
        text: the directive with its ``;``.
    """
    simple = [child for child in children if child.block is None]
    if simple:
        return _after(data, simple[-1], text)
    if block is not None:
        return _first(data, block, children, text)
    if children:
        start = len(_BOM) if data.startswith(_BOM) else 0
        return start, start, text + _eol(data, start)
    end = len(data)
    eol = _eol(data, end)
    return end, end, text + eol if not data or data.endswith(b"\n") else eol + text


def block_insertion(
    data: bytes, block: Statement | None, children: list[Statement], head: tuple[bytes, str], body: list[bytes]
) -> Splice:
    """How to add a block to a block: behind the last one of its name, else before the first, else as a directive.

    Args:
        data: the file's bytes.
        block: the block; None is the file's top level.
        children: its statements.
        head: the new block's name and arguments as they stand; its name.
        body: its directives, each with its ``;``.
    """
    blocks = [child for child in children if child.block is not None]
    alike = [child for child in blocks if child.name == head[1]]
    near = alike[-1] if alike else blocks[0] if blocks else None
    indent = None if near is None else _indent(data, near.token.start)
    if near is None or indent is None:
        inline = b" ".join([head[0], b"{", *body, b"}"])
        if near is None:
            return insertion(data, block, children, inline)
        offset = near.close + 1 if alike else near.token.start
        return offset, offset, b" " + inline if alike else inline + b" "
    eol = _eol(data, near.token.start)
    lines = [head[0] + b" {", *(_unit(data) + line for line in body), b"}"]
    text = eol.join(indent + line for line in lines)
    if alike and (rest := _BLANK.match(data, near.close + 1)) is not None:
        return rest.end(), rest.end(), eol + eol + text
    if alike:
        return near.close + 1, near.close + 1, eol + text
    offset = near.token.start - len(indent)
    return offset, offset, text + eol + eol


def removal(data: bytes, statement: Statement) -> Splice:
    """How to take a statement out: with its line and the comment behind it where nothing else stands there."""
    start, end = statement.token.start, max(statement.end, statement.close) + 1
    indent, rest = _indent(data, start), _BLANK.match(data, end)
    if indent is None:
        return before(data, start), end, b""
    if rest is None:
        return start, end, b""
    line = data.find(b"\n", rest.end())
    return start - len(indent), line + 1 if line >= 0 else len(data), b""


def before(data: bytes, offset: int) -> int:
    """The offset where the spaces and tabs in front of another offset begin."""
    while data[offset - 1 : offset] in {b" ", b"\t"}:
        offset -= 1
    return offset


def _after(data: bytes, sibling: Statement, text: bytes) -> Splice:
    indent, rest = _indent(data, sibling.token.start), _BLANK.match(data, sibling.end + 1)
    if indent is None or rest is None:
        return sibling.end + 1, sibling.end + 1, b" " + text
    return rest.end(), rest.end(), _eol(data, rest.end()) + indent + text


def _first(data: bytes, block: Statement, children: list[Statement], text: bytes) -> Splice:
    start = block.end + 1
    rest = _BLANK.match(data, start)
    if rest is None:
        return start, start, b" " + text + (b" " if block.close == start else b"")
    indent = _indent(data, children[0].token.start) if children else None
    if indent is None:
        indent = (_indent(data, block.token.start) or b"") + _unit(data)
    return rest.end(), rest.end(), _eol(data, rest.end()) + indent + text


def _unit(data: bytes) -> bytes:
    return b"\t" if b"\n\t" in data else b"    "


def _indent(data: bytes, start: int) -> bytes | None:
    """The white space before a statement; None when it is not the first on its line."""
    line = data.rfind(b"\n", 0, start) + 1
    return data[line:start] if before(data, start) <= line else None


def _eol(data: bytes, offset: int) -> bytes:
    """The line end at or after an offset, else the last one before it, else LF."""
    end = data.find(b"\n", offset)
    end = data.rfind(b"\n", 0, offset) if end < 0 else end
    return b"\r\n" if end > 0 and data[end - 1 : end] == b"\r" else b"\n"
