"""Where a Lua block inside nginx's configuration ends (lua-nginx-module's ``*_by_lua_block``)."""

from __future__ import annotations

import re

_PIECE = re.compile(
    rb"""(?:--)?\[(=*)\[|--[^\n]*+|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|'(?:[^'\\]++|\\.)*+(?:'|\\?\Z)|[{}]""",
    re.DOTALL,
)
"""What may hide a brace. A string that never ends takes all the rest: looking again behind its quote is quadratic."""


def lua_end(data: bytes, start: int) -> int:
    """The offset of the ``}`` that closes a Lua block, or -1.

    Braces in Lua's strings, long brackets and comments (Lua 5.1 reference manual, 2.1) do not count.

    Args:
        data: the file's bytes.
        start: the offset just after the block's ``{``.
    """
    depth = 1
    while (found := _PIECE.search(data, start)) is not None:
        start = found.end()
        if (level := found[1]) is not None:
            closing = b"]" + level + b"]"
            start = data.find(closing, start) + len(closing)
            if start < len(closing):
                return -1
        elif found[0] == b"{":
            depth += 1
        elif found[0] == b"}":
            depth -= 1
            if not depth:
                return found.start()
    return -1
