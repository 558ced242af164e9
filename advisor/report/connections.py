"""The table of connections: as many lines a connection as the terminal's width asks for, two of them at 80."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from advisor.capture import words
from advisor.capture.connection import NONE, Connection
from advisor.capture.segments import Endpoints
from advisor.report.amounts import few, size, span
from advisor.report.terminal import Paint, wrap


class _Column(NamedTuple):
    """A column: its heading, and whether its cells end at the same place."""

    heading: str
    right: bool = False


_COLUMNS = (
    _Column("#", right=True),
    _Column("client"),
    _Column("server"),
    _Column("opened"),
    _Column("closed"),
    _Column("first"),
    _Column("left in"),
    _Column("pkts", right=True),
    _Column("bytes", right=True),
    _Column("lasted", right=True),
    _Column("handshake", right=True),
    _Column("resent", right=True),
    _Column("idle", right=True),
    _Column("Zeek"),
)
_INDENT = 3
"""Of the lines that go on; less than any number's column and its gap take."""


def table(rows: Sequence[Connection], endpoints: Endpoints, width: int, paint: Paint) -> list[str]:
    """The lines of the table; none without rows."""
    if not rows:
        return []
    cells = [_cells(one, endpoints) for one in rows]
    widths = [max(map(len, column)) for column in zip([one.heading for one in _COLUMNS], *cells, strict=True)]
    gap = 2 if len(_broken(widths, 2, width)) == len(_broken(widths, 1, width)) else 1
    lines = _broken(widths, gap, width)
    found = [paint("strong", line) for line in _laid([one.heading for one in _COLUMNS], widths, lines, gap)]
    for one, texts in zip(rows, cells, strict=True):
        found += _laid(texts, widths, lines, gap)
        noted = ", ".join(word for word, _ in words.noted(one))
        found += [" " * _INDENT + paint("frame", line) for line in wrap(noted, width - _INDENT) if line]
    return found


def _broken(widths: list[int], gap: int, width: int) -> list[range]:
    """Which columns stand in which line: all in one, the states in a second, or as many as fit in each."""
    everything, states = range(len(widths)), 1 + [one.heading for one in _COLUMNS].index("first")
    for lines in ([everything], [everything[:states], everything[states:]]):
        if all(_INDENT * (line.start > 0) + sum(widths[i] + gap for i in line) - gap <= width for line in lines):
            return lines
    lines, start, used = [], 0, 0
    for index, cell in enumerate(widths):
        if index > start and used + gap + cell > width:
            lines.append(range(start, index))
            start, used = index, _INDENT + cell
        else:
            used += cell + gap * (index > start)
    return [*lines, range(start, len(widths))]


def _laid(texts: Sequence[str], widths: list[int], lines: list[range], gap: int) -> list[str]:
    found = []
    for line in lines:
        padded = [
            texts[index].rjust(widths[index]) if _COLUMNS[index].right else texts[index].ljust(widths[index])
            for index in line
        ]
        found.append((" " * (_INDENT if line.start else 0) + (" " * gap).join(padded)).rstrip())
    return found


def _cells(one: Connection, endpoints: Endpoints) -> list[str]:
    client, server = one.client, 1 - one.client
    known = NONE not in (one.syn_at, one.open_at)
    return [
        str(one.number),
        words.place(endpoints, one.ends[client]),
        words.place(endpoints, one.ends[server]),
        words.opened(one),
        words.closed(one),
        words.first(one) or "-",
        left_in(one),
        few(sum(one.packets)),
        size(sum(one.bytes)),
        span(one.last - one.first),
        span(one.open_at - one.syn_at) if known else "-",
        few(sum(one.repeats)),
        span(one.idle),
        words.conn_state(one),
    ]


def left_in(one: Connection) -> str:
    """The states of both ends: ``CLOSED/TIME_WAIT``; with ``?`` what is assumed, ``-`` what never showed itself."""
    pairs = zip(words.states(one), words.inferred(one), strict=True)
    return "/".join(f"{state or '-'}{'?' * assumed}" for state, assumed in pairs)


def legend(rows: Sequence[Connection], width: int) -> list[str]:
    """What the words below the rows mean, of those that occur."""
    meant = dict(pair for one in rows for pair in words.noted(one))
    lines = []
    for word, meaning in meant.items():
        first, *rest = wrap(f"{word}: {meaning}", width - 2)
        lines += [first, *(f"  {line}" for line in rest)]
    return lines
