"""What nginx's requests to an upstream say of their connection: the Connection header, as it is in the end.

For HTTP/1.1 a connection lasts unless ``close`` is said, for HTTP/1.0 only where ``keep-alive`` is (RFC 9112, 9.3).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from advisor.facts.tree import Node, Tree

_VARIABLE = re.compile(r"\$\{?(\w+)\}?", re.ASCII)
_TOKEN = re.compile(r"[^\s,]+")


class Connection(NamedTuple):
    """The header's value for a request that asks for no other protocol; None where only the request decides it.

    ``node`` sets the header (None: nothing does, nginx's default stands); ``map`` is what gives the value.
    ``replaced`` tells that nothing does because headers which are set lower down replace the set that did.
    """

    value: str | None
    node: Node | None = None
    map: Node | None = None
    replaced: bool = False

    def says(self, token: str) -> bool:
        """Whether a token (``close``, ``keep-alive``) is among those sent."""
        return self.value is not None and token in [one.lower() for one in _TOKEN.findall(self.value)]


def connection(tree: Tree, block: Node, default: str) -> Connection:
    """The Connection header that ``proxy_set_header`` gives the requests of a block.

    Args:
        tree: the configuration.
        block: where the request is passed on.
        default: what nginx sends where the set that applies has no such header.
    """
    node = _last(tree.applied(block, "proxy_set_header"))
    if node is None:
        return Connection(default, replaced=any(map(_last, tree.chain(block, "proxy_set_header"))))
    args = node.args
    text = args[1] if len(args) > 1 else ""
    return _resolved(tree, node, text) if "$" in text else Connection(text, node)


def _last(nodes: list[Node]) -> Node | None:
    for node in reversed(nodes):
        args = node.args
        if args and args[0].lower() == "connection":
            return node
    return None


def _resolved(tree: Tree, node: Node, text: str) -> Connection:
    """A value made by one map of ``$http_upgrade`` is known for the requests that ask for no upgrade."""
    found = _VARIABLE.fullmatch(text)
    if found is None:
        return Connection(None, node)
    for entry in tree.named.get("map", ()):
        if entry.args[1:] == [f"${found[1]}"]:
            value = _of_empty(entry) if entry.args[0] == "$http_upgrade" else None
            return Connection(None if value is None or "$" in value else value, node, entry)
    return Connection(None, node)


def _of_empty(entry: Node) -> str | None:
    """What a map gives for the empty text: its own entry, else the default; regular expressions are not tried.

    None where it has entries that were not read.
    """
    values = {child.name: child.args[0] for child in entry.children if child.args}
    if any(child.name == "include" for child in entry.children):
        return None
    return values.get("", values.get("default", ""))
