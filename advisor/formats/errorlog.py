"""nginx's error log, line by line: what went wrong, towards whom and when. Nothing of clients or requests is kept.

The texts are those of nginx's source (src/core/ngx_log.c writes the line, src/http/ngx_http_upstream.c and
src/core/ngx_connection.c most messages); a line is ``2026/11/22 19:00:00 [error] 7#7: *5 message, client: ...``.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

_MOST_SUBJECTS = 200
"""Different things told apart in one log; those after them are counted together."""

_LINE = re.compile(
    rb"^(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) \[[a-z]{4,6}\] \d+#\d+: (?:\*\d+ )?([^\n]{1,2048})", re.MULTILINE
)
"""A line of at most NGX_MAX_ERROR_STR bytes (src/core/ngx_log.h), its time and its message."""

_UPSTREAM = re.compile(rb', upstream: "(?:[a-z0-9]{1,20}://)?(unix:[^:"]{1,200}|[\w.\[\]:-]{1,200})')
_FROM_CLIENT = b", client: "
"""From here on a line quotes what the client sent."""


def _kind(name: str, text: str) -> str:
    return f"(?P<{name}>{text})"


_TOWARDS = r"(?:while [a-zA-Z ]{0,40}(?:to|from) upstream)"
_KINDS = re.compile(
    "|".join(
        (
            _kind("connections_reused", r"\A\d+ worker_connections are not enough, reusing"),
            _kind("connections_exhausted", r"\A\d+ worker_connections are not enough(?! for)"),
            _kind("too_many_files", r"\(24: "),
            _kind("ports_exhausted", r"\Aconnect\(\) to (?P<to>\S{1,200}) failed \(99: "),
            _kind("queue_full", r"\Aconnect\(\) to (?P<path>unix:\S{1,200}) failed \(11: "),
            _kind("refused", rf"\(111: [\w ]+\) {_TOWARDS}"),
            _kind("timed_out_connecting", r"\(110: [\w ]+\) while connecting to upstream"),
            _kind("timed_out_reading", rf"\Aupstream timed out \(110: [\w ]+\) (?!while connecting){_TOWARDS}"),
            _kind("closed_early", rf"\Aupstream prematurely closed|\(104: [\w ]+\) {_TOWARDS}"),
            _kind("none_live", r"\Ano live upstreams"),
            _kind("header_too_big", r"\Aupstream sent too big header"),
            _kind("responses_buffered", r"\Aan upstream response is buffered to a temporary file"),
            _kind("requests_buffered", r"\Aa client request body is buffered to a temporary file"),
            _kind("crashed", r"\Aworker process \d+ exited on (?P<signal>signal \d{1,3})"),
        )
    ).encode()
)

_OWN = ("to", "path", "signal")
KINDS = tuple(name for name in _KINDS.groupindex if name not in _OWN)
"""What is told apart."""

_NAMELESS = {"connections_reused", "connections_exhausted", "too_many_files", "requests_buffered"}
"""Kinds that are about nginx itself, also where a line names an upstream."""


class Tail(NamedTuple):
    """What a log says, and when its last line was written; None where it has none.

    ``found`` holds the times of the lines by kind and what they name (an upstream's address, a signal ...; None where
    they name nothing). Times are seconds since the epoch as if the log's local time were UTC: a log does not say its
    time zone.
    """

    found: dict[tuple[str, str | None], list[int]]
    last: int | None


def parse(data: bytes) -> Tail:
    """Read a log, or the whole lines at its end; what is no line of nginx, or of no kind we know, is passed over."""
    found: dict[tuple[str, str | None], list[int]] = {}
    last = None
    known: dict[tuple[bytes, ...], int | None] = {}
    for line in _LINE.finditer(data):
        *stamp, message = line.groups()
        key = tuple(stamp)
        if key not in known:
            known = {key: _seconds(key)}
        at = known[key]
        if at is None:
            continue
        last = at
        kind = _classified(message)
        if kind is not None:
            if kind not in found and len(found) >= _MOST_SUBJECTS:
                kind = (kind[0], None)
            found.setdefault(kind, []).append(at)
    return Tail(found, last)


def _seconds(stamp: tuple[bytes, ...]) -> int | None:
    year, month, day, hour, minute, second = map(int, stamp)
    try:
        return int(dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC).timestamp())
    except ValueError:
        return None


def _classified(message: bytes) -> tuple[str, str | None] | None:
    """The kind of a message and what it names; None for one that is not told apart."""
    own, _, rest = message.partition(_FROM_CLIENT)
    match = _KINDS.search(own)
    if match is None:
        return None
    kind = next(name for name in KINDS if match[name] is not None)
    named = next((match[name] for name in _OWN if match[name] is not None), None)
    if named is None and rest and kind not in _NAMELESS:
        # A client may write such words into its request, too: two of them tell nothing.
        upstreams = _UPSTREAM.findall(rest)
        named = upstreams[0] if len(upstreams) == 1 else None
    return kind, None if named is None else named.decode("ascii", "backslashreplace")
