"""Text for a terminal: cells, wrapping, colour, and nothing of a hostile file that the terminal would obey."""

from __future__ import annotations

import unicodedata

_LONGEST = 2000
"""Characters of one value that are shown; ``-f json`` has all of them."""

_ESCAPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""General categories that steer a terminal, reorder a line, or have no glyph (Unicode Standard, 4.5)."""

_SGR = {
    "critical": "1;31",
    "high": "1;31",
    "medium": "1;33",
    "low": "1;36",
    "info": "1",
    "frame": "1;34",
    "strong": "1",
}
"""Select Graphic Rendition parameters (ECMA-48, 8.3.117) by role."""


def visible(text: str) -> str:
    """The text with every character escaped that a terminal would obey or hide; tabs become a space."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return cut if cut.isascii() and cut.isprintable() else "".join(map(_visible, cut))


def _visible(char: str) -> str:
    if char == "\t":
        return " "
    if char.isascii() and char.isprintable():
        return char
    if unicodedata.category(char) not in _ESCAPED:
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 (the surrogates that stand for undecodable bytes: PEP 383)
        code -= 0xDC00
    if code <= 0xFF:  # noqa: PLR2004 (one byte)
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 (the basic plane)


def cells(text: str) -> int:
    """How many columns the text takes: two for wide East Asian characters, none for combining ones (UAX #11)."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, width: int) -> list[str]:
    """The lines of a text, each at most ``width`` cells (at least 1); words longer than that are broken.

    Runs of spaces inside a line stay; those at a break go.
    """
    lines = [""]
    for word in _words(visible(text), width):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line.rstrip(" ") for line in lines]


def _words(text: str, width: int) -> list[str]:
    words: list[str] = []
    for word in text.split(" "):
        rest = word
        while cells(rest) > width:
            head = clip(rest, width) or rest[0]
            words.append(head)
            rest = rest[len(head) :]
        words.append(rest)
    return words


def clip(text: str, width: int) -> str:
    """As much of the text as fits into ``width`` cells."""
    if cells(text) <= width:
        return text
    used = 0
    for index, char in enumerate(text):
        used += _cells(char)
        if used > width:
            return text[:index]
    return text


class Paint:
    """Colours, or none."""

    def __init__(self, *, colour: bool) -> None:
        self.colour = colour

    def __call__(self, role: str, text: str) -> str:
        """The text in the colour of a role: a severity's word, ``frame`` or ``strong``."""
        return f"\x1b[{_SGR[role]}m{text}\x1b[0m" if self.colour and text else text
