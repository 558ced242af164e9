"""What each directive's value is, in every block: that which the innermost level sets, or nginx's default."""

from __future__ import annotations

from advisor.catalog.directives import DIRECTIVES, default
from advisor.errors import Unread
from advisor.facts.tree import Node, Tree
from advisor.formats.nginx_values import parse_count, parse_size, parse_time

Value = bool | float | str
_READERS = {"time": parse_time, "size": parse_size, "count": parse_count}
_FLAGS = {"on": True, "off": False}
_NAMED = ("server ", "location ", "if ")


class Config:
    """The tree, the version it is judged for, and what its blocks are called.

    ``version`` is None where it is not known.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        text = tree.nginx.version
        self.version = None if text is None else tuple(int(part) for part in text.split("."))
        self._called: dict[Node | None, str] = {None: "main"}

    def value(self, block: Node | None, name: str) -> Value | None:
        """What applies in a block, as `Directive.kind` says; None where neither the files nor nginx have a value.

        Raises:
            Unread: when it is no value nginx would take or holds a variable, and when it is the default, and that
                depends on a version which is not known.
        """
        nodes = self.tree.applied(block, name)
        if nodes:
            return read(nodes[-1], name)
        try:
            text = default(name, self.version)
        except LookupError as error:
            raise Unread("nginx", f"{error}; --nginx-version 1.22.1 would say it") from None
        return None if text is None else _parse(name, text.split())

    def origin(self, block: Node | None, name: str) -> str:
        """Where the value stands: file and line, or that it is nginx's default."""
        nodes = self.tree.applied(block, name)
        return nodes[-1].at if nodes else "nginx's default"

    def called(self, block: Node | None) -> str:
        """A block in a person's words: ``http``, ``server a.example``, ``location /x of server a.example``."""
        todo: list[Node] = []
        while block is not None and block not in self._called:
            todo.append(block)
            block = block.parent
        around = self._called[block]
        for node in reversed(todo):
            around = self._called[node] = self._words(node, around)
        return around

    def _words(self, block: Node, around: str) -> str:
        if block.name == "server":
            return f"server {self.server_name(block)}"
        if block.name not in {"location", "if", "limit_except", "upstream"}:
            return block.name
        words = " ".join([block.name, *block.args])
        return f"{words} of {around}" if around.startswith(_NAMED) else words

    def server_name(self, server: Node) -> str:
        """Its first name, else its first address, else its place."""
        for directive in ("server_name", "listen"):
            names = [arg for node in self.tree.own(server, directive) for arg in node.args if arg not in {"", "_"}]
            if names:
                return names[0]
        return server.path


def read(node: Node, name: str) -> Value:
    """What nginx makes of a directive's arguments.

    Raises:
        Unread: when nginx would refuse them, or what they are is known only at run time.
    """
    value = _parse(name, node.args)
    if value is None:
        said = " ".join(node.args)[:60]
        why = "depends on the request" if "$" in said else f"is nothing nginx would take for {node.name}"
        raise Unread("nginx", f"{node.at}: '{said}' {why}")
    return value


def _parse(name: str, args: list[str]) -> Value | None:
    kind = DIRECTIVES[name].kind
    if kind == "words":
        return " ".join(args)
    first = args[0] if args else ""
    if kind == "flag":
        return _FLAGS.get(first.lower())
    if kind == "word":
        return first or None
    return _READERS[kind](first)
