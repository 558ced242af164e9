"""A capture for a person at a terminal, and the formats that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from advisor.report.amounts import count, span
from advisor.report.capture_result import Reading, Seen
from advisor.report.connections import legend, table
from advisor.report.ladder import ASSUMED, ladder
from advisor.report.terminal import Paint, visible, wrap

_NARROWEST = 40
_SECOND = 1_000_000_000


def text(seen: Seen, width: int = 80, *, colour: bool = False) -> str:
    """The report: how it was read, the table, what it comes to, and the ladders of few.

    Args:
        seen: what to tell.
        width: of the terminal, in cells; taken as 40 when it is less.
        colour: whether to write ANSI colours; the caller decides by the terminal and NO_COLOR.
    """
    width, paint = max(width, _NARROWEST), Paint(colour=colour)
    blocks = [_head(seen.reading, width)]
    if not seen.one:
        blocks += [_table(seen, width, paint), legend(seen.shown, width)]
        blocks += _sums(seen, width, paint) if seen.matched > 1 else []
    blocks += [ladder(one, number, seen.endpoints, width, paint) for number, one in seen.ladders]
    blocks += [wrap(ASSUMED, width)] if seen.ladders else []
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(reading: Reading, width: int) -> list[str]:
    parts = [reading.name, reading.format]
    if reading.first is not None and reading.last is not None:
        parts.append(f"{span(reading.last - reading.first)} from {moment(reading.first)}")
    frames = f"{count(reading.frames, 'packet')}, {reading.segments:,} of them TCP"
    left = [f"{number:,} {why}" for why, number in reading.left_out]
    lines = wrap(" · ".join(map(visible, parts)), width)
    lines += wrap(f"{frames}; left out: {', '.join(left)}" if left else frames, width)
    return [*lines, *(line for remark in reading.remarks for line in wrap(remark, width))]


def moment(nanoseconds: int) -> str:
    """A time as UTC, to the second; as nanoseconds where no calendar has it."""
    from datetime import UTC, datetime  # noqa: PLC0415 (only where a time is told)

    try:
        return datetime.fromtimestamp(nanoseconds // _SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError):
        return f"{nanoseconds} ns since 1970"


def _table(seen: Seen, width: int, paint: Paint) -> list[str]:
    total = count(seen.total, "connection")
    which = total if seen.matched == seen.total else f"{seen.matched:,} of {total}"
    if len(seen.shown) < seen.matched:
        which += f"; the first {len(seen.shown):,} by {seen.sort} (--sort, --limit)"
    return [*wrap(which, width), *table(seen.shown, seen.endpoints, width, paint)]


def _sums(seen: Seen, width: int, paint: Paint) -> Iterator[list[str]]:
    """What it comes to by server port, and what other keepalive_timeouts would give where idle periods suffice."""
    from advisor.report.capture_summary import PORTS, summary  # noqa: PLC0415 (not where one connection is asked for)
    from advisor.report.tradeoff import tradeoff  # noqa: PLC0415 (likewise)

    reading, ports = seen.reading, seen.totals.ports()
    yield summary(seen, ports, width, paint)
    if seen.gaps is not None and reading.first is not None and reading.last is not None:
        seconds = (reading.last - reading.first) / _SECOND
        yield from (tradeoff(seen.gaps, port, seconds, width) for port in ports[:PORTS])


def _json(seen: Seen, _width: int, *, colour: bool = False) -> str:
    del colour
    from advisor.report.capture_json import render  # noqa: PLC0415 (json, for those who ask for it)

    return render(seen)


FORMATS: Mapping[str, Callable[..., str]] = {"text": text, "json": _json}
"""The formats by the name that ``-f`` takes."""
