"""Whether crossplane reads an nginx file as we do: where it does not, the file is judged but never edited."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from advisor.formats.nginx import Statement, Token, scan, walk

_PAIR = re.compile(r"\\(.)", re.DOTALL)
_SHOWN = 60
_Theirs = dict[str, Any]
"""A statement of crossplane's."""


def difference(data: bytes, name: str, ours: list[Statement] | None = None) -> str | None:
    """The first difference between crossplane's reading of a file and ours, in words; None when they are alike.

    Compared are names, lines, arguments as they stand, and nesting; of a Lua block only its name and line.

    Args:
        data: the file's bytes.
        name: what messages call it.
        ours: what `advisor.formats.nginx.scan` made of them, where that is at hand.

    Raises:
        InputError: when we can't read the file.
    """
    ours = scan(data, name) if ours is None else ours
    theirs = _parse(data)
    if isinstance(theirs, str):
        return theirs
    both = zip_longest(((len(around), mine) for around, mine in walk(ours)), _flat(theirs), fillvalue=(0, None))
    for (depth, mine), (their_depth, their) in both:
        if depth != their_depth or not _alike(mine, their):
            line = mine.line if mine else their["line"] if their else 0
            deep = (
                (f" in {their_depth} blocks", f" in {depth}") if mine and their and depth != their_depth else ("", "")
            )
            return f"line {line}: crossplane reads {_theirs(their, line)}{deep[0]}, we read {_ours(mine)}{deep[1]}"
    return None


def _flat(statements: list[_Theirs]) -> Iterator[tuple[int, _Theirs]]:
    """Every statement with its depth, in the order of the file, without the comments that crossplane leaves in."""
    stack = [iter(statements)]
    while stack:
        statement = next(stack[-1], None)
        if statement is None:
            stack.pop()
        elif "comment" not in statement:
            yield len(stack) - 1, statement
            if inside := statement.get("block"):
                stack.append(iter(inside))


def _parse(data: bytes) -> list[_Theirs] | str:
    """What crossplane reads, or how it fails. It takes only a path: the bytes are given to it in memory."""
    import crossplane  # noqa: PLC0415 (9 ms that only a run which reads nginx pays)

    fd = os.memfd_create("nginx", os.MFD_CLOEXEC)
    path = f"/proc/self/fd/{fd}"
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            payload = crossplane.parse(path, single=True, check_ctx=False, check_args=False)
    except Exception as failure:  # noqa: BLE001 (whatever it trips over, the file is reported and not edited)
        return f"crossplane failed: {type(failure).__name__}: {failure}"
    for error in payload["errors"]:
        line = "" if error["line"] is None else f"line {error['line']}: "
        what = re.sub(rf" in {path}(:\d+)?$", "", error["error"])
        return f"{line}crossplane failed: {what or 'without a message'}"
    # What crossplane leaves behind is a cycle of closures, which holds its payload until it is found to be garbage.
    parsed: list[_Theirs] = payload["config"][0].pop("parsed")
    return parsed


def _alike(mine: Statement | None, their: _Theirs | None) -> bool:
    if mine is None or their is None or mine.line != their["line"]:
        return False
    plain = mine.plain
    if plain is not None and mine.name != "if" and not mine.opaque:
        # Ours hold no blank, so that as many words that make the same text are the same words.
        words = [their["directive"], *their["args"]]
        same = len(words) == len(plain) and " ".join(words) == b" ".join(plain).decode("utf-8", "replace")
        return same and (mine.block is None) == ("block" not in their)
    if _spelled(mine.token) != their["directive"]:
        return False
    if mine.opaque:
        return "block" not in their
    return _args(mine) == their["args"] and (mine.block is None) == ("block" not in their)


def _args(statement: Statement) -> list[str]:
    """The arguments as crossplane gives them: it takes the parentheses off an ``if``."""
    args = [_spelled(token) for token in statement.args]
    if statement.name == "if" and args and args[0].startswith("(") and args[-1].endswith(")"):
        args[0] = args[0][1:].lstrip()
        args[-1] = args[-1][:-1].rstrip()
        args = args[not args[0] : len(args) - (not args[-1])]
    return args


def _spelled(token: Token) -> str:
    """A word as crossplane spells it: line ends made LF, of all escapes only that of its own quote undone."""
    text = token.raw.decode("utf-8", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not token.quoted:
        return text
    quote, text = text[0], text[1:-1]
    return _PAIR.sub(lambda pair: quote if pair[1] == quote else pair[0], text) if "\\" in text else text


def _ours(statement: Statement | None) -> str:
    if statement is None:
        return "nothing"
    return _words(_spelled(statement.token), _args(statement), lua=statement.opaque, block=statement.block is not None)


def _theirs(statement: _Theirs | None, line: int) -> str:
    if statement is None:
        return "nothing"
    words = _words(statement["directive"], statement["args"], lua=False, block="block" in statement)
    return words if statement["line"] == line else f"{words} on line {statement['line']}"


def _words(name: str, args: list[str], *, lua: bool, block: bool) -> str:
    """A statement in one printable line: each word in quotes, so that where words end can be seen."""
    text = " ".join(repr(word) for word in [name, *args])
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return text + (" { Lua }" if lua else " { }" if block else "")
