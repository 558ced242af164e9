"""A snapshot that can be handed on: what no fact reads is hidden, and every offset, line and quote stays.

Hidden become the arguments of nginx directives that are not kept, entries of maps and the like, comments, what
Lua blocks say, values of sysctl keys that are not in the catalogue, and what messages quote of a file. Names of
directives and blocks, paths and includes stay, and so does which rules a comment tells the gate to ignore, without the
reason. Some arguments are hidden in part, so that one can still tell where requests are passed on and whether
connections last: see `_shown`.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from advisor.catalog.sysctl import KEYS
from advisor.catalog.sysctl_dead import DEAD
from advisor.catalog.sysctl_names import recognised
from advisor.formats import sysctl
from advisor.formats.nginx import FREE_FORM, Statement, Token, scan, walk
from advisor.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advisor.snapshot.model import ConfigFile, Nginx, Snapshot

    Hide = Callable[[bytes], bytes]

_COMMENT = re.compile(rb"#[^\n]*")
_DOLLAR = ord("$")
_LUA = re.compile(rb"[A-Za-z0-9_\x80-\xff]")
_BARE = re.compile(rb"(\\[\r\n])|[^()]")
"""A bare word's byte: an escaped line break counts a line, and a parenthesis may end the quoted word before it."""
_QUOTED = re.compile(rb"[^\r\n]")
_HEADERS = frozenset({"proxy_set_header", "grpc_set_header"})
_TOLD = frozenset({"connection", "upgrade", "host"})
"""Headers whose values are no credentials, and decide how a connection goes on."""
_WORDS = frozenset({"", "default", "close", "keep-alive", "upgrade"})
"""Words of a map that say nothing of anybody: with them a Connection header is made."""
_ADDRESS = re.compile(rb"[\"']?(?:\$?\w++://)?+(?:unix:[^:\"']*+|[^/?\"']*+)[/?:]?")
"""Scheme, host and port of what requests are passed to, and the mark that ends them."""
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
    named = frozenset(
        token.text
        for path, file in nginx.files.items()
        for _, statement in walk(file.statements(path))
        if statement.name == "upstream"
        for token in statement.args
    )
    return replace(
        nginx, masked=True, files={path: _file(path, file, kept, named) for path, file in nginx.files.items()}
    )


def _file(path: str, file: ConfigFile, kept: frozenset[str], named: frozenset[str]) -> ConfigFile:
    differs = None if file.differs is None else _message(file.differs)
    return replace(file, content=mask_nginx(file.content, path, kept, named), differs=differs)


def _message(text: str) -> str:
    return _QUOTE_IN_MESSAGE.sub("'...'", text)


def mask_nginx(data: bytes, name: str, kept: frozenset[str], named: frozenset[str] = frozenset()) -> bytes:
    """An nginx file of the same length, lines and statements, with only the kept arguments readable.

    Args:
        data: the file's bytes.
        name: what messages call it.
        kept: directives whose arguments stay.
        named: names of upstream blocks, which stay where maps and ``set`` give them.

    Raises:
        InputError: when it does not scan: file:line.
    """
    pieces: list[bytes] = []
    position = 0
    for start, end, hide in _hidden(data, name, kept, named):
        pieces += [_COMMENT.sub(_comment, data[position:start]), hide(data[start:end])]
        position = end
    return b"".join([*pieces, _COMMENT.sub(_comment, data[position:])])


def _hidden(data: bytes, name: str, kept: frozenset[str], named: frozenset[str]) -> Iterator[tuple[int, int, Hide]]:
    """Every word and Lua body in the order of the file, with what hides it; between them stand only comments."""
    plain = named | _WORDS
    for around, statement in walk(scan(data, name)):
        free = next((block for block in around if block.name in FREE_FORM), None)
        entry = free is not None and statement.name != "include"
        of_map = entry and around[-1] is free and free.name == "map"
        yield _word(statement.token, shown=not entry or (of_map and statement.name in _WORDS))
        for index, token in enumerate(statement.args):
            if of_map or (statement.name == "set" and index and not entry):
                yield token.start, token.end, _keep if token.text in plain else _but_variables
            elif statement.name.endswith("_pass") and not entry:
                yield token.start, token.end, _address
            else:
                yield _word(token, shown=not entry and _shown(statement, index, kept))
        if statement.opaque:
            yield statement.end + 1, statement.close, _lua


def _shown(statement: Statement, index: int, kept: frozenset[str]) -> bool:
    """Whether an argument stays: of headers the name, and the value of those that tell of the connection."""
    if statement.name in _HEADERS:
        return index == 0 or statement.args[0].text.lower() in _TOLD
    return statement.name in kept or (statement.name == "set" and index == 0)


def _word(token: Token, *, shown: bool) -> tuple[int, int, Hide]:
    return token.start, token.end, _keep if shown else _dim


def _dim(raw: bytes) -> bytes:
    return (_quoted if raw[:1] in {b'"', b"'"} else _bare)(raw)


def _but_variables(raw: bytes) -> bytes:
    """Hidden, but that a variable stands there."""
    return bytes(old if old == _DOLLAR else new for old, new in zip(raw, _dim(raw), strict=True))


def _address(raw: bytes) -> bytes:
    """Scheme, host and port; the URI behind them is hidden."""
    found = _ADDRESS.match(raw)
    end = found.end() if found else 0
    return raw[:end] + _dim(raw)[end:]


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
    return _ignore(found[0]) or b"#" + re.sub(rb"[^\r]", b"x", found[0][1:])


_IGNORE = re.compile(
    rb"([#;]++[ \t]*+advisor:[ \t]*+ignore(?:-begin|-end)?+(?:\[[a-z0-9, \t-]{1,2000}\])?+)"
    rb"([^\n]*?)(;[ \t]*+until[ \t]++[0-9-]{10}[ \t\r]*+)?"
)
"""A comment by which somebody answers for a finding: the rules, the reason, the last day on which it holds."""


def _ignore(comment: bytes) -> bytes | None:
    """What such a comment covers, and until when, which the gate needs; the reason is hidden. None for any other."""
    found = _IGNORE.fullmatch(comment)
    return None if found is None else found[1] + _dark(found[2]) + (found[3] or b"")


_REMARKED = re.compile(rb"\s*-?\d{1,20}[ \t]+[#;]")
_SYSCTLS = b"[sysctl]"
"""Begins what a file of TuneD says of sysctls: its values are read otherwise."""


def mask_sysctl(data: bytes, name: str) -> bytes:
    """A sysctl file of the same length and lines: keys stay, and the values of those in the catalogue."""
    return b"".join(_masked(piece, name) for piece in re.split(rb"([\n\r\0])", data))


def _masked(line: bytes, name: str) -> bytes:
    """One line; a carriage return or NUL ends one, too, as for systemd-sysctl."""
    parsed = sysctl.parse(line, name)
    if parsed.problems:
        return line if line.strip() == _SYSCTLS else _dark(line)
    if not parsed.settings:
        return line if parsed.exclusions else _remark(line)
    key = parsed.settings[0].key
    if _catalogued(key):
        return line
    before, separator, after = line.partition(b"=")
    remark = _REMARKED.match(after) if recognised(key) else None  # a rule judges what stands there
    shown = remark[0] if remark else b""
    return before + separator + shown + _dark(after[len(shown) :])


def _remark(line: bytes) -> bytes:
    told = _ignore(line.lstrip())
    if told is not None:
        return line[: len(line) - len(told)] + told
    first = len(line) - len(line.lstrip()) + 1
    return line[:first] + _dark(line[first:])


def _dark(text: bytes) -> bytes:
    return re.sub(rb"\S", b"x", text)


def _catalogued(key: str) -> bool:
    if key in KEYS or key in DEAD:
        return True
    return any(mark in key for mark in "*?[") and any(fnmatchcase(known, key) for known in KEYS)
