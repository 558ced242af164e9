"""What each keepalive_timeout would give, drawn: reuse kept against connections held and handshakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.capture.choices import ENOUGH, KEEP, Choice, Load, Port, load
from advisor.report.terminal import wrap
from advisor.units import number

if TYPE_CHECKING:
    from advisor.capture.gaps import Gaps
    from advisor.capture.totals import Total

_BAR = 24
"""Cells of a bar that stands for all reuse."""
_FEW = 0.001


def tradeoff(gaps: Gaps, total: Total, seconds: float, width: int = 80) -> list[str]:
    """The choices for one server port, as lines of at most ``width`` cells; none without enough idle gaps.

    Args:
        gaps: of the capture.
        total: of the port, all its destinations together.
        seconds: how long the capture is.
        width: of the terminal, in cells.
    """
    counted = gaps.port(total.port)
    if counted is None:
        return []
    idle, held = gaps.sum_us(total.port) / 1e6, total.counts["held_us"] / 1e6
    found = load(Port(seconds, counted.buckets(), idle, held, total.counts["opened"]))
    return [] if found is None else drawn(found, total.port, seconds, width)


def drawn(given: Load, port: int, seconds: float, width: int = 80) -> list[str]:
    """The same from what is known of the load; none where fewer than `ENOUGH` idle periods are."""
    choices = given.choices()
    if given.curve.total < ENOUGH or not choices:
        return []
    best = given.recommended()
    periods = f"server port {port}: {given.curve.total:,} idle periods in {number(round(seconds, 1))} s"
    present = "" if given.present is None else f"; the server closes after {number(round(given.present, 2))} s"
    lines = wrap(f"{periods}{present}", width)
    lines += [f"{'keepalive_timeout':>17}  {'reuse kept':{_BAR + 8}}{'held':>9}  handshakes/s"]
    lines += [_line(one, given, best) for one in choices]
    return [*lines, *_words(given, best, seconds, width)]


def _line(one: Choice, given: Load, best: Choice | None) -> str:
    mark = "now" if given.present == one.timeout else "->" if one == best else ""
    share = f"{100 * one.kept:5.1f} %"
    bar = "#" * round(_BAR * one.kept)
    return f"{mark:4}{number(one.timeout):>11} s  {share} {bar:{_BAR}}{number(round(one.held)):>9}  {_rate(one):>12}"


def _rate(one: Choice) -> str:
    return number(round(one.handshakes, 1)) if one.handshakes >= _FEW else "0"


def _words(given: Load, best: Choice | None, seconds: float, width: int) -> list[str]:
    kept = f"-> is the shortest that keeps {KEEP:.0%} of the reuse"
    notes = [f"{kept}; behind a balancer, its own idle time decides instead"] if best is not None else []
    if not given.whole:
        told = f"the capture tells of idle periods up to {number(round(min(given.curve.end, seconds), 1))} s"
        notes.append(f"{told}: reuse kept is the least, handshakes the most it can be; capture for longer")
    return [line for note in notes for line in wrap(note, width)]
