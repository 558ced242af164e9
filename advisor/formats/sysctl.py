"""Files of sysctl.d(5) and sysctl.conf(5): which line sets which key to what.

Only a line that begins with ``#`` or ``;`` (blanks aside) is a comment: text after a value belongs to the value, and
so do quotes. Where the first separator of a key is a slash, its dots are part of names.
"""

from __future__ import annotations

from typing import NamedTuple


class Setting(NamedTuple):
    """One line that sets a key, or every key that a glob names.

    ``key`` is the dotted name; a dot inside a name (``net/ipv4/conf/eth0.5/rp_filter``) is a slash in it, as
    sysctl(8) prints it. ``line`` and ``column`` count from 1, in characters, and point at the value.
    ``ignore_errors``: the key has the prefix ``-``.
    """

    key: str
    value: str
    line: int
    column: int
    ignore_errors: bool = False


class Exclusion(NamedTuple):
    """A line ``-KEY`` without a value: globs of later files leave that key alone."""

    key: str
    line: int


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
        if not raw.strip() or raw.lstrip()[:1] in {b"#", b";"}:
            continue
        try:
            found = _line(raw, number)
        except ValueError as error:
            parsed.problems.append((number, f"{name}:{number}: {error}"))
            continue
        if isinstance(found, Setting):
            parsed.settings.append(found)
        else:
            parsed.exclusions.append(found)
    return parsed


def _line(raw: bytes, number: int) -> Setting | Exclusion:
    try:
        line = raw.decode()
    except UnicodeDecodeError:
        raise ValueError("not UTF-8; sysctl reads no value here that the kernel takes") from None
    before, separator, after = line.partition("=")
    word = before.strip()
    ignored = word.startswith("-")
    key = dotted(word.removeprefix("-").strip())
    if not separator and ignored and key:
        return Exclusion(key, number)
    if not separator:
        raise ValueError(f"'{_shown(line)}' sets nothing: write KEY = VALUE")
    if not key or not key.isprintable() or any(char.isspace() for char in key):
        raise ValueError(f"'{_shown(before)}' is no key: write for example net.core.somaxconn = 4096")
    value = after.strip()
    column = len(before) + 2 + len(after) - len(after.lstrip()) if value else len(before) + 2
    return Setting(key, value, number, column, ignored)


def dotted(key: str) -> str:
    """A key with dots between its names.

    The first separator decides (sysctl.d(5)): ``net/ipv4/conf/eth0.5/mtu`` is ``net.ipv4.conf.eth0/5.mtu``.
    """
    slash, dot = key.find("/"), key.find(".")
    if slash == -1 or -1 < dot < slash:
        return key
    return key.translate(str.maketrans("/.", "./"))


def _shown(text: str) -> str:
    return text.strip()[:60].encode("ascii", "backslashreplace").decode("ascii")
