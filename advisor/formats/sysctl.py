"""Files of sysctl.d(5) and sysctl.conf(5): which line sets which key to what.

Only a line that begins with ``#`` or ``;`` (blanks aside) is a comment: text after a value belongs to the value, and
so do quotes. Where the first separator of a key is a slash, its dots are part of names. What the two readers take
differently (a carriage return or a NUL inside a line, a blank after ``-``) is marked with the reader that takes it so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Reader = Literal["systemd-sysctl", "sysctl --system"]
SYSTEMD: Reader = "systemd-sysctl"
"""Runs at boot."""
PROCPS: Reader = "sysctl --system"
"""What people run by hand; procps from 3.3.17 on, the first that knows globs."""
_BLANKS = " \t\r\v\f"


class Setting(NamedTuple):
    """One line that sets a key, or every key that a glob names.

    ``key`` is the dotted name; a dot inside a name (``net/ipv4/conf/eth0.5/rp_filter``) is a slash in it, as
    sysctl(8) prints it. ``line`` and ``column`` count from 1, in characters, and point at the value.
    ``ignore_errors``: the key has the prefix ``-``. ``only``: the one reader that takes the line so.
    """

    key: str
    value: str
    line: int
    column: int
    ignore_errors: bool = False
    only: Reader | None = None

    @property
    def wild(self) -> bool:
        """Whether the key is a glob."""
        return any(char in self.key for char in "*?[")


class Exclusion(NamedTuple):
    """A line ``-KEY`` without a value: globs leave that key alone; systemd-sysctl forgets what was set before, too."""

    key: str
    line: int
    only: Reader | None = None


class Parsed(NamedTuple):
    """The settings in the order of the file, duplicates kept; the lines that are none, with ``FILE:LINE: why``."""

    settings: list[Setting]
    problems: list[tuple[int, str]]
    exclusions: list[Exclusion]


def parse(data: bytes, name: str) -> Parsed:
    """Read a file.

    Args:
        data: its bytes; lines end in LF or CRLF.
        name: the file's name, for the problems.
    """
    parsed = Parsed([], [], [])
    for number, raw in enumerate(data.split(b"\n"), 1):
        body = raw.rstrip(_BLANKS.encode())  # blanks behind a carriage return are for both readers an empty rest
        if b"\r" in body or b"\0" in body:
            why = "systemd-sysctl ends the line at a carriage return or NUL in it, sysctl(8) does not"
            parsed.problems.append((number, f"{name}:{number}: {why}"))
            for piece, only in _pieces(body):
                _take(parsed, piece, number, name, only)
        else:
            _take(parsed, body, number, name, None)
    return parsed


def _pieces(body: bytes) -> Iterator[tuple[bytes, Reader]]:
    """A line with such a character in it, as each reader takes it."""
    whole = body.split(b"\0")[0]
    if b"\r" not in whole.partition(b"=")[0]:
        yield whole, PROCPS
    for piece in re.split(rb"[\r\0]", body):
        yield piece, SYSTEMD


def _take(parsed: Parsed, raw: bytes, number: int, name: str, only: Reader | None) -> None:
    if not raw.strip() or raw.lstrip()[:1] in {b"#", b";"}:
        return
    try:
        found = _line(raw, number)
    except ValueError as error:
        if only is None:
            parsed.problems.append((number, f"{name}:{number}: {error}"))
        return
    if found.only is not None and only is not None and found.only != only:
        return
    found = found._replace(only=found.only or only)
    if isinstance(found, Setting):
        parsed.settings.append(found)
    else:
        parsed.exclusions.append(found)


def _line(raw: bytes, number: int) -> Setting | Exclusion:
    line = raw.decode("utf-8", "replace")
    before, separator, after = line.partition("=")
    word = before.strip(_BLANKS)
    ignored = word.startswith("-")
    name = word.removeprefix("-")
    key = dotted(name.strip(_BLANKS))
    only = SYSTEMD if name.startswith(tuple(_BLANKS)) else None  # sysctl(8) looks for a key that begins with a blank
    if not separator and not (ignored and key):
        raise ValueError(f"'{_shown(line)}' sets nothing: write KEY = VALUE")
    if not key or not key.isprintable() or any(char.isspace() or char == "\ufffd" for char in key):
        raise ValueError(f"'{_shown(before)}' is no key: write for example net.core.somaxconn = 4096")
    if not separator:
        return Exclusion(key, number, only)
    value = after.strip(_BLANKS)
    column = len(before) + 2 + len(after) - len(after.lstrip(_BLANKS)) if value else len(before) + 2
    return Setting(key, value, number, column, ignored, only)


def dotted(key: str) -> str:
    """A key with dots between its names.

    The first separator decides (sysctl.d(5)): ``net/ipv4/conf/eth0.5/mtu`` is ``net.ipv4.conf.eth0/5.mtu``. A
    separator at the beginning or twice counts as none or one, as in every path.
    """
    slash, dot = key.find("/"), key.find(".")
    if slash != -1 and not -1 < dot < slash:
        key = key.translate(str.maketrans("/.", "./"))
    return re.sub(r"\.{2,}", ".", key).lstrip(".")


def _shown(text: str) -> str:
    return text.strip()[:60].encode("ascii", "backslashreplace").decode("ascii")
