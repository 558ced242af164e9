"""What write() makes of a sysctl's text: taken, taken in part, or refused, and why.

Tried on Linux 6.18: a number ends at a blank, and what follows the last wanted one is ignored; ``30s``, quotes, commas
and a second ``=`` are refused with EINVAL, an unknown congestion control with ENOENT. Text that a template engine has
yet to fill in is judged by nobody.
"""

from __future__ import annotations

import re

from advisor.catalog.sysctl import Key

_NUMBER = re.compile(r"(-)?(0[xX][0-9a-fA-F]{1,16}|\d{1,20})", re.ASCII)
_TEMPLATE = ("{{", "{%", "${", "<%", "@@")
_LAST_PORT = 65535
_SHOWN = 40


def refused(key: Key, text: str) -> str | None:
    """Why write() refuses a text, as half a sentence; None where it takes it, or where that is not known."""
    if any(mark in text for mark in _TEMPLATE):
        return None
    if text[:1] in {'"', "'"}:
        return "the quotes are part of the value"
    if text.startswith("="):
        return "there are two equals signs"
    if key.kind == "string":
        return "a blank and what follows are part of the value" if len(text.split()) > 1 else None
    return _ports(text) if key.kind == "ports" else _numbers(key, text)


def _ports(text: str) -> str | None:
    for part in text.removesuffix(",").split(",") if text else ():
        ends = [number(word) for word in part.split("-", 1)]
        if None in ends:
            return "a list of ports is written without blanks, as 8080,9000-9010"
        if not 0 <= (ends[0] or 0) <= (ends[-1] or 0) <= _LAST_PORT:
            return f"{part[:_SHOWN]} is no range of ports"
    return None


def _numbers(key: Key, text: str) -> str | None:
    words = text.split()[: len(key.parts) or 1]
    if not words:
        return "there is no value"
    low, high = key.takes
    found = []
    for word in words:
        if (value := number(word)) is None:
            return f"'{word[:_SHOWN]}' is no number"
        found.append(value)
        if not low <= found[-1] <= high:
            return f"{word[:_SHOWN]} is outside of {low} to {high}"
    if key.parts == ("low", "high") and len(found) > 1 and found[0] > found[1]:
        return f"{found[0]} is above {found[1]}"
    return None


def number(word: str) -> int | None:
    """A number as the kernel reads it: decimal, octal after a 0, hexadecimal after 0x; None for what is none."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        return None
    digits = found[2]
    base = 16 if digits[:2] in {"0x", "0X"} else 8 if digits.startswith("0") else 10
    try:
        value = int(digits, base)
    except ValueError:  # 08
        return None
    return -value if found[1] else value


def partly(key: Key, text: str) -> str | None:
    """What of a text that write() takes is lost or left as it was; None where all of it counts."""
    if key.kind not in {"int", "vector"} or refused(key, text) is not None or any(mark in text for mark in _TEMPLATE):
        return None
    words, wanted = text.split(), len(key.parts) or 1
    if len(words) > wanted:
        return f"the kernel stops reading before '{words[wanted][:_SHOWN]}'"
    if len(words) < wanted:
        return f"only {', '.join(key.parts[: len(words)])} is set; {', '.join(key.parts[len(words) :])} stays as it is"
    return None
