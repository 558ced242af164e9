"""Which blocks stand around a place in nginx's files, the includes that lead there among them."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from advisor.facts.tree import Node, Tree, walk
from advisor.formats.nginx import column

if TYPE_CHECKING:
    from advisor.facts.derive import Facts
    from advisor.facts.places import Location


def chain(facts: Facts, location: Location) -> list[Node]:
    """The blocks around a location, outermost first; a block that it points at is the last of them.

    A file that is included more than once counts where it is included first. Empty where the location is in no file of
    nginx's, or in no block.
    """
    nginx = facts.snapshot.nginx
    if nginx is None or location.file not in nginx.files:
        return []
    block = _innermost(facts.nginx.config.tree, location.file, location.line, location.column or 1)
    return [] if block is None else [*reversed(list(block.ancestors())), block]


def server_names(facts: Facts, location: Location) -> tuple[str, ...]:
    """The names of the server around a location, as server_name has them; empty where there is none, or no name."""
    server = next((block for block in chain(facts, location) if block.name == "server"), None)
    if server is None:
        return ()
    return tuple(name for node in facts.nginx.config.tree.own(server, "server_name") for name in node.args)


class _File:
    """The blocks of a file where it is included first, by their offsets; ``around`` is the block it stands in."""

    __slots__ = ("around", "blocks", "lines", "starts")

    def __init__(self, around: Node | None, data: bytes) -> None:
        self.around = around
        self.lines = [0, *(found.end() for found in re.finditer(rb"\n", data)), len(data)]
        self.starts: list[int] = []
        self.blocks: list[Node] = []


def _innermost(tree: Tree, file: str, line: int | None, at: int) -> Node | None:
    """The innermost block around a line and column, counted from 1; without a line: around the file."""
    found = _files(tree).get(file)
    if found is None or line is None:
        return None if found is None else found.around
    start, end = found.lines[line - 1 : line + 1]
    offset = _offset(tree.nginx.files[file].content, start, end, at)
    before = bisect_right(found.starts, offset)
    node = found.blocks[before - 1] if before else None
    while node is not None and node.file == file and node.statement.close < offset:
        node = node.parent
    return found.around if node is None else node


def _offset(data: bytes, start: int, end: int, at: int) -> int:
    """The offset of a column, counted from 1, in the line from ``start`` up to ``end``."""
    if data[start:end].isascii():
        return start + at - 1
    return start - 1 + bisect_right(range(start, end), at, key=lambda offset: column(data, offset))


def _files(tree: Tree) -> dict[str, _File]:
    """The files of a tree, gone through once."""
    kept: dict[str, _File] | None = tree.__dict__.get("enclosing")
    if kept is None:
        kept = tree.__dict__["enclosing"] = {}
        for node in walk(tree.top):
            file = kept.get(node.file)
            if file is None:  # its first statement stands at its top level
                file = kept[node.file] = _File(node.parent, tree.nginx.files[node.file].content)
            start = node.statement.start
            if node.statement.block is not None and not (file.starts and start <= file.starts[-1]):
                file.starts.append(start)
                file.blocks.append(node)
    return kept
