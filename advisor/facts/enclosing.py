"""Which blocks stand around a place in nginx's files, the includes that lead there among them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
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
    """The names of the server around a location, as server_name has them; empty where there is none, or no name.

    Of a file that several servers include these are the names that all of them have: what stands there is everybody's.
    """
    server = _server(chain(facts, location))
    if server is None or location.file is None:
        return ()
    tree = facts.nginx.config.tree
    every = [server] if server.file == location.file else map(_server_around, _files(tree)[location.file].arounds)
    names = [() if one is None else tuple(_names(tree, one)) for one in every]
    return tuple(name for name in dict.fromkeys(names[0]) if all(name in others for others in names))


def _server_around(block: Node | None) -> Node | None:
    return None if block is None else _server([block, *block.ancestors()])


def _server(blocks: Iterable[Node]) -> Node | None:
    return next((block for block in blocks if block.name == "server"), None)


def _names(tree: Tree, server: Node) -> Iterator[str]:
    return (name for node in tree.own(server, "server_name") for name in node.args)


class _File:
    """The blocks of a file where it is included first, by their offsets; ``arounds`` are those it is included in."""

    __slots__ = ("arounds", "blocks", "lines", "starts")

    def __init__(self, data: bytes) -> None:
        self.arounds: dict[Node | None, None] = {}
        self.lines = [0, *(found.end() for found in re.finditer(rb"\n", data)), len(data)]
        self.starts: list[int] = []
        self.blocks: list[Node] = []

    @property
    def around(self) -> Node | None:
        """The block it is included in first."""
        return next(iter(self.arounds), None)


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
            if file is None:
                file = kept[node.file] = _File(tree.nginx.files[node.file].content)
            if not node.block:
                file.arounds[node.parent] = None
            start = node.statement.start
            if node.statement.block is not None and not (file.starts and start <= file.starts[-1]):
                file.starts.append(start)
                file.blocks.append(node)
    return kept
