"""A regular expression's text into a tree: the part of PCRE's syntax (pcrepattern(3)) that needs no backtracking."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple, Protocol

_LONGEST = 1000
"""Characters of a pattern."""
_DEEPEST = 30
"""Groups inside groups."""

_REPEAT = re.compile(r"\{(\d{1,4})(,?)(\d{0,4})\}")
_NAMED = re.compile(r"\(\?(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*'|:)", re.ASCII)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
WORD = frozenset(f"{_LETTERS}{_LETTERS.upper()}{_DIGITS}_")
"""What ``\\w`` stands for."""
_CLASSES = {"d": frozenset(_DIGITS), "w": WORD, "s": frozenset(" \t\n\r\f\v"), "h": frozenset(" \t")}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}


class Unsupported(Exception):  # noqa: N818 (not an error: the answer is that there is none)
    """A pattern, or a text, that is not evaluated here; the text says why, ready to print."""


class CharSet(Protocol):
    """Some characters."""

    def __contains__(self, char: object, /) -> bool: ...


class But(NamedTuple):
    """Every character that is in none of some sets, or (not ``negated``) in one of them."""

    sets: tuple[CharSet, ...]
    negated: bool = True

    def __contains__(self, char: object) -> bool:
        return any(char in one for one in self.sets) != self.negated


class Place(Enum):
    """What can be asked of a place in the text."""

    START = "its beginning"
    STOP = "its end"
    FINISH = "its end, or a newline there"
    EDGE = "the edge of a word"
    INSIDE = "no edge of a word"


class Chars(NamedTuple):
    """One character of a set."""

    chars: CharSet


class At(NamedTuple):
    """A place in the text."""

    place: Place


class Look(NamedTuple):
    """What follows matches, or (``negated``) does not."""

    inner: Choice
    negated: bool


class Repeat(NamedTuple):
    """A piece that stands from ``low`` to ``high`` times (None: as often as one likes)."""

    inner: Piece
    low: int
    high: int | None


class Choice(NamedTuple):
    """One of several sequences."""

    options: tuple[tuple[Piece, ...], ...]


Piece = Chars | At | Look | Repeat | Choice


def parse(text: str, *, ignore_case: bool) -> Choice:
    """A pattern as a tree.

    Raises:
        Unsupported: when it is not of the part that is read.
    """
    if len(text) > _LONGEST:
        raise Unsupported(f"it is longer than {_LONGEST} characters")
    if text.startswith("(?i)"):
        text, ignore_case = text[4:], True
    parser = _Parser(text, ignore_case=ignore_case)
    tree = parser.choice(0)
    if parser.position < len(text):
        raise Unsupported("a ')' without a '('")
    return tree


class _Parser:
    def __init__(self, text: str, *, ignore_case: bool) -> None:
        self.text = text
        self.ignore_case = ignore_case
        self.position = 0

    def choice(self, depth: int) -> Choice:
        if depth > _DEEPEST:
            raise Unsupported(f"groups nested deeper than {_DEEPEST}")
        options = [self.sequence(depth)]
        while self.take("|"):
            options.append(self.sequence(depth))
        return Choice(tuple(options))

    def sequence(self, depth: int) -> tuple[Piece, ...]:
        pieces = []
        while self.position < len(self.text) and self.text[self.position] not in "|)":
            pieces.append(self.repeated(depth))
        return tuple(pieces)

    def repeated(self, depth: int) -> Piece:
        piece = self.piece(depth)
        low, high = self.bounds()
        if (low, high) == (1, 1):
            return piece
        if self.take("+"):
            raise Unsupported("a possessive repeat")
        self.take("?")
        if self.text[self.position : self.position + 1] in {"*", "+", "?"}:
            raise Unsupported("a repeat of a repeat")
        return Repeat(piece, low, high)

    def bounds(self) -> tuple[int, int | None]:
        """How often the piece before may stand."""
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return bounds
        found = _REPEAT.match(self.text, self.position)
        if found is None:
            return 1, 1
        self.position = found.end()
        low = int(found[1])
        return low, (int(found[3]) if found[3] else None) if found[2] else low

    def piece(self, depth: int) -> Piece:
        if self.text[self.position] == "(":
            return self.group(depth)
        char = self.char()
        if char == "[":
            return Chars(self.bracket())
        if char == "\\":
            return self.escape()
        if char in "*+?":
            raise Unsupported("a repeat of nothing")
        if char in "^$":
            return At(Place.START if char == "^" else Place.FINISH)
        return Chars(But((frozenset("\n"),)) if char == "." else self.cased(char))

    def group(self, depth: int) -> Piece:
        named = _NAMED.match(self.text, self.position)
        begin = self.text[self.position : self.position + 3]
        if named is None and begin not in {"(?=", "(?!"} and begin[:2] in {"(?", "(*"}:
            raise Unsupported(f"a group that begins with '{begin}'")
        look = named is None and begin[:2] == "(?"
        self.position = named.end() if named else self.position + (3 if look else 1)
        inner = self.choice(depth + 1)
        if not self.take(")"):
            raise Unsupported("a '(' without a ')'")
        return Look(inner, begin == "(?!") if look else inner

    def escape(self) -> Piece:
        char = self.char()
        places = {"A": Place.START, "z": Place.STOP, "Z": Place.FINISH, "b": Place.EDGE, "B": Place.INSIDE}
        if char in places:
            return At(places[char])
        found = self.escaped(char)
        return Chars(self.cased(found) if isinstance(found, str) else found)

    def escaped(self, char: str) -> str | CharSet:
        """What an escape stands for: a character, or a set."""
        if char.lower() in _CLASSES:
            chars = _CLASSES[char.lower()]
            return chars if char.islower() else But((chars,))
        if char in _CONTROLS:
            return _CONTROLS[char]
        code = self.text[self.position : self.position + 2]
        if char == "x" and re.fullmatch(r"[0-9A-Fa-f]{2}", code):
            self.position += 2
            return chr(int(code, 16))
        if char.isascii() and char.isalnum():
            raise Unsupported(f"the escape '\\{char}'")
        return char

    def bracket(self) -> CharSet:
        negated = self.take("^")
        sets: list[CharSet] = []
        while not sets or self.text[self.position : self.position + 1] != "]":
            low = self.member()
            if isinstance(low, str) and re.match(r"-[^\]]", self.text[self.position :]):
                self.position += 1
                high = self.member()
                if not isinstance(high, str) or high < low:
                    raise Unsupported("a range in brackets that is none")
                sets.append(self.cased("".join(map(chr, range(ord(low), ord(high) + 1)))))
            else:
                sets.append(self.cased(low) if isinstance(low, str) else low)
        self.position += 1
        return But(tuple(sets), negated)

    def member(self) -> str | CharSet:
        """One member of a bracket: a character, or a set."""
        char = self.char()
        if char == "[" and self.text[self.position : self.position + 1] in {":", ".", "="}:
            raise Unsupported("a POSIX class")
        return self.escaped(self.char()) if char == "\\" else char

    def cased(self, chars: str) -> frozenset[str]:
        """Those characters; in both cases where that makes no difference. Only letters of ASCII have two."""
        both = (char.swapcase() for char in chars if char.isascii()) if self.ignore_case else ()
        return frozenset([*chars, *both])

    def take(self, text: str) -> bool:
        found = self.text.startswith(text, self.position)
        self.position += len(text) if found else 0
        return found

    def char(self) -> str:
        if self.position >= len(self.text):
            raise Unsupported("it ends too early")
        self.position += 1
        return self.text[self.position - 1]
