"""A snapshot that can be handed on: what no fact reads is hidden, and every offset, line and quote stays.

Hidden become the arguments of nginx directives that are not kept, entries of maps and the like, comments, what
Lua blocks say, values of sysctl keys that are not in the catalogue, and what messages quote of a file. Names of
directives and blocks, paths and includes stay.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from advisor.catalog.sysctl import DEAD, KEYS
from advisor.formats import sysctl
from advisor.formats.nginx import FREE_FORM, Token, scan, walk
from advisor.snapshot.record import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advisor.snapshot.model import ConfigFile, Nginx, Snapshot

    Hide = Callable[[bytes], bytes]

_COMMENT = re.compile(rb"#[^\n]*")
_LUA = re.compile(rb"[A-Za-z0-9_\x80-\xff]")
_BARE = re.compile(rb"(\\[\r\n])|[^()]")
"""A bare word's byte: an escaped line break counts a line, and a parenthesis may end the quoted word before it."""
_QUOTED = re.compile(rb"[^\r\n]")
_QUOTE_IN_MESSAGE = re.compile(r"'(?!/).*'", re.DOTALL)
"""All that a message quotes of a file, unless it is a path."""


def mask(snapshot: Snapshot, kept: frozenset[str]) -> Snapshot:
    """The snapshot without what no fact reads; masking it again changes nothing.

    Args:
        snapshot: as collected; left as it is.
        kept: nginx directives, simple ones and blocks, whose arguments stay.

    Raises:
        InputError: when an nginx file does not scan: file:line.
    """
    files = snapshot.sysctl_files
    return replace(
        snapshot,
        nginx=_nginx(snapshot.nginx, kept) if snapshot.nginx else None,
        sysctl_files=files and [replace(file, content=mask_sysctl(file.content, file.path)) for file in files],
        problems=[(source, _message(why)) for source, why in snapshot.problems],
    )


def _nginx(nginx: Nginx, kept: frozenset[str]) -> Nginx:
    return replace(nginx, files={path: _file(path, file, kept) for path, file in nginx.files.items()})


def _file(path: str, file: ConfigFile, kept: frozenset[str]) -> ConfigFile:
    differs = None if file.differs is None else _message(file.differs)
    return replace(file, content=mask_nginx(file.content, path, kept), differs=differs)


def _message(text: str) -> str:
    return _QUOTE_IN_MESSAGE.sub("'...'", text)


def mask_nginx(data: bytes, name: str, kept: frozenset[str]) -> bytes:
    """An nginx file of the same length, lines and statements, with only the kept arguments readable.

    Raises:
        InputError: when it does not scan: file:line.
    """
    pieces: list[bytes] = []
    position = 0
    for start, end, hide in _hidden(data, name, kept):
        pieces += [_COMMENT.sub(_comment, data[position:start]), hide(data[start:end])]
        position = end
    return b"".join([*pieces, _COMMENT.sub(_comment, data[position:])])


def _hidden(data: bytes, name: str, kept: frozenset[str]) -> Iterator[tuple[int, int, Hide]]:
    """Every word and Lua body in the order of the file, with what hides it; between them stand only comments."""
    for around, statement in walk(scan(data, name)):
        entry = any(block.name in FREE_FORM for block in around) and statement.name != "include"
        yield _word(statement.token, hidden=entry)
        for token in statement.args:
            yield _word(token, hidden=entry or statement.name not in kept)
        if statement.opaque:
            yield statement.end + 1, statement.close, _lua


def _word(token: Token, *, hidden: bool) -> tuple[int, int, Hide]:
    return token.start, token.end, _keep if not hidden else _quoted if token.quoted else _bare


def _keep(raw: bytes) -> bytes:
    return raw


def _quoted(raw: bytes) -> bytes:
    return raw[:1] + _QUOTED.sub(b"x", raw[1:-1]) + raw[-1:]


def _bare(raw: bytes) -> bytes:
    return _BARE.sub(lambda found: found[1] or b"x", raw)


def _lua(raw: bytes) -> bytes:
    """Lua without its names, texts and numbers: marks stay, for they say where strings and the block end."""
    return _LUA.sub(b"x", raw)


def _comment(found: re.Match[bytes]) -> bytes:
    return b"#" + re.sub(rb"[^\r]", b"x", found[0][1:])


def mask_sysctl(data: bytes, name: str) -> bytes:
    """A sysctl file of the same length and lines: keys stay, and the values of those in the catalogue."""
    parsed = sysctl.parse(data, name)
    hidden = {setting.line: not _catalogued(setting.key) for setting in parsed.settings}
    hidden |= dict.fromkeys((exclusion.line for exclusion in parsed.exclusions), False)
    wrong = {line for line, _ in parsed.problems}
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        if hidden.get(number):
            before, separator, after = line.partition(b"=")
            lines[number - 1] = before + separator + _dark(after)
        elif number in wrong:
            lines[number - 1] = _dark(line)
        elif number not in hidden:
            lines[number - 1] = _remark(line)
    return b"\n".join(lines)


def _remark(line: bytes) -> bytes:
    first = len(line) - len(line.lstrip()) + 1
    return line[:first] + _dark(line[first:])


def _dark(text: bytes) -> bytes:
    return re.sub(rb"\S", b"x", text)


def _catalogued(key: str) -> bool:
    if key in KEYS or key in DEAD:
        return True
    return any(mark in key for mark in "*?[") and any(fnmatchcase(known, key) for known in KEYS)
