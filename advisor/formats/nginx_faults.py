"""What is wrong with an nginx file that can't be read: file:line, the fault, the way out."""

from __future__ import annotations

import re

from advisor.errors import InputError

_TEMPLATE = re.compile(rb"\{\{|\{%|\{#|<%|%%\w+%%")
_PART = re.compile(rb"""<%|[^\s"';{]*?%%\w+%%""")
_SHOWN = 40


def fault(data: bytes, name: str, offset: int, what: str) -> InputError:
    """The error for what stands at an offset; on a line that a template engine left, it says that instead."""
    line = data.count(b"\n", 0, offset) + 1
    start = data.rfind(b"\n", 0, offset) + 1
    end = data.find(b"\n", offset)
    if found := _TEMPLATE.search(data, start, end if end >= 0 else len(data)):
        piece = data[found.start() : found.start() + _SHOWN].split()[0].rstrip(b";")
        offset = found.start()
        what = f"{show(piece)} looks like an unrendered template; render it first"
    error = InputError(f"{name}:{line}: {what}")
    error.column = len(data[start:offset].decode("utf-8", "replace")) + 1
    return error


def is_template(data: bytes, offset: int) -> bool:
    """Whether the unquoted word at an offset is a piece of a template (ERB, Jinja, ``%%NAME%%``)."""
    return data.startswith(b"{%", max(offset - 1, 0)) or _PART.match(data, offset) is not None


def show(raw: bytes) -> str:
    """A word in a message: one line, printable, bounded."""
    text = raw[:_SHOWN].decode("utf-8", "replace") + ("..." if len(raw) > _SHOWN else "")
    return "'" + "".join(char if char.isprintable() else "?" for char in text) + "'"


def unexpected(data: bytes, name: str, offset: int, words: list[bytes]) -> InputError:
    """A ``}``, ``;`` or ``{`` where nginx takes none."""
    mark = chr(data[offset])
    if words:
        why = f"{show(words[0])} before it has no ';'; add it"
    elif mark == "}":
        why = "no block is open here; remove it, or open the block it closes"
    else:
        why = "no directive stands before it; remove it, or write the directive's name"
    return fault(data, name, offset, f"unexpected '{mark}': {why}")


def stray(data: bytes, name: str, offset: int) -> InputError:
    """A NUL, a quote that never ends or a quoted word that runs into the next, a backslash at the very end."""
    byte = data[offset : offset + 1]
    if byte == b"\0":
        return fault(data, name, offset, "a NUL byte: not text; if it is UTF-16, save it as UTF-8")
    if byte == b"\\":
        return fault(data, name, offset, "the file ends in a backslash; remove it and end the directive with ';'")
    body = re.compile(rb"%b(?:[^%b\\]++|\\.)*+%b" % (byte, byte, byte), re.DOTALL).match(data, offset)
    if body is None:
        return fault(data, name, offset, f"the {byte.decode()} that opens here is never closed; close it")
    after = show(data[body.end() : body.end() + 1])
    return fault(data, name, body.end(), f"unexpected {after} after a closing quote; put a space between them")
