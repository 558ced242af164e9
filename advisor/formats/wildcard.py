"""File name patterns as glob(3) takes them in the C locale, which is nginx's: bytes, and backslashes that quote."""

from __future__ import annotations

import re
import string

_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "digit": string.digits,
    "lower": string.ascii_lowercase,
    "punct": string.punctuation,
    "space": string.whitespace,
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}
_BRACKET = re.compile(rb"\[[!^]?+\]?+(?:\[:\w*:\]|\\.|[^\]\\])*+\]", re.DOTALL)
_MEMBER = re.compile(rb"\[:(\w*):\]|(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)
_TEXT = re.compile(rb"\\(.)|([^\\*?])", re.DOTALL)
_NOTHING = b"(?!)"


def is_wild(pattern: str) -> bool:
    """Whether an ``include`` takes it for a pattern (ngx_conf_include, src/core/ngx_conf_file.c)."""
    return any(char in pattern for char in "*?[")


def encoded(path: str) -> bytes:
    """A path's bytes."""
    return path.encode("utf-8", "surrogateescape")


def part(pattern: str) -> re.Pattern[bytes]:
    """One part of a path's pattern, without ``/``, for `re.Pattern.fullmatch`: linear in the name's length.

    A period at the beginning of a name is matched by nothing but a period. An unfinished ``[`` is itself; a class
    that glob(7) does not know has no members, and what ends in a backslash names nothing.
    """
    text = encoded(pattern)
    pieces = [b""]
    position = 0
    while position < len(text):
        if text[position] == ord("*"):
            pieces.append(b"")
            position += 1
        else:
            piece, position = _one(text, position)
            pieces[-1] += piece
    first, *others = pieces
    # What stands between two asterisks may be taken at its first place: atomic, so that nothing is tried twice.
    middle = b"".join(b"(?>.*?%b)" % piece for piece in others[:-1])
    last = b".*%b" % others[-1] if others else b""
    hidden = b"" if text.startswith((b".", b"\\.")) else rb"(?!\.)"
    return re.compile(hidden + first + middle + last, re.DOTALL)


def _one(text: bytes, position: int) -> tuple[bytes, int]:
    """The regular expression of what stands at a position, and where the next begins."""
    if text[position] == ord("?"):
        return b".", position + 1
    if found := _BRACKET.match(text, position):
        return _bracket(found[0][1:-1]), found.end()
    if found := _TEXT.match(text, position):
        return re.escape(found[1] or found[2]), found.end()
    return _NOTHING, position + 1


def _bracket(inside: bytes) -> bytes:
    negated = inside[:1] in {b"!", b"^"}
    members: set[int] = set()
    for found in _MEMBER.finditer(inside, negated):
        if found[1] is not None:
            members.update(_CLASSES.get(found[1].decode(), "").encode())
        else:
            first = found[2][-1]
            members.update(range(first, (found[3][-1] if found[3] else first) + 1))
    listed = b"".join(b"\\x%02x" % byte for byte in sorted(set(range(256)) - members if negated else members))
    return b"[%b]" % listed if listed else _NOTHING


class Pattern:
    """A whole absolute path's pattern."""

    __slots__ = ("parts",)

    def __init__(self, pattern: str) -> None:
        self.parts = [part(one) if is_wild(one) else unescaped(one) for one in pattern.split("/") if one]

    def names(self, path: str) -> bool:
        """Whether it matches an absolute path, part by part."""
        theirs = [one for one in path.split("/") if one]
        if len(theirs) != len(self.parts):
            return False
        return all(
            own == name if isinstance(own, str) else own.fullmatch(encoded(name)) is not None
            for own, name in zip(self.parts, theirs, strict=True)
        )


def unescaped(text: str) -> str:
    """A part without wildcards, as glob(3) takes it: a backslash stands for the character after it."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
