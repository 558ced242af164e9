"""How long connections would sit idle if nobody but the client ended it: what a capture with an end can tell.

An idle period ends by the next request or by the client's close. Where the server closes at its timeout, or the
capture ends, it would have gone on for a time that is not known: such a period is censored, neither left out nor taken
for ended. The share that is still idle is Kaplan and Meier's product-limit estimate (J. Am. Stat. Assoc. 53, 1958); of
those that ended, the share that a request ended is Aalen and Johansen's (Scand. J. Stat. 5, 1978).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from advisor.capture.buckets import middle
from advisor.capture.idle import CLIENT_CLOSED, CUT, REUSED, SERVER_CLOSED

LEAST = 30
"""Periods that must have lasted so long for the share to be told: with 30 its standard error is at most 9 %."""
SMALL = 0.02
"""A share that is left to so few may be told all the same."""
_EXACT = 0.02
_MOST = 0.8

Buckets = Sequence[Mapping[int, int]]
"""For each way in which a gap ends (REUSED ...), how many lie in which bucket (see `advisor.capture.buckets`)."""


class Row(NamedTuple):
    """Periods of one length, in seconds: ended by a request, ended by the client's close, censored."""

    length: float
    reused: int
    closed: int
    censored: int


class Curve:
    """The share of idle periods that last longer than a time, and of those that a request ended before it."""

    def __init__(self, rows: Iterable[Row], longest: float = math.inf, least: int = LEAST, blur: float = 0.0) -> None:
        """``rows`` by rising length.

        ``longest``: the longest time that could be observed, in seconds; ``least``: see `LEAST`; ``blur``: the share by
        which a period may have been longer than its row says.
        """
        kept = list(rows)
        self.total = sum(row.reused + row.closed + row.censored for row in kept)
        """How many periods there are."""
        self._times, self._idle, self._reused, self._areas = [0.0], [1.0], [0.0], [0.0]
        self.end = longest
        """Up to where the shares are told, in seconds."""
        risk = self.total
        for length, reused, closed, censored in kept:
            idle = self._idle[-1]
            if risk < least and idle > SMALL:
                break
            self._areas.append(self._areas[-1] + idle * (length - self._times[-1]))
            self._times.append(length)
            self._idle.append(idle * (risk - reused - closed) / risk)
            self._reused.append(self._reused[-1] + idle * reused / risk)
            risk -= reused + closed + censored
        if self._idle[-1] > 0:
            self.end = min(longest, self._times[-1] * (1 + blur))

    def idle(self, time: float) -> float | None:
        """The share that is idle for longer than a time, in seconds; None beyond `end`."""
        return None if time > self.end else self._idle[self._at(time)]

    def reused(self, time: float) -> float | None:
        """The share that a request ended up to then; None beyond `end`."""
        return None if time > self.end else self._reused[self._at(time)]

    def mean(self, time: float) -> float | None:
        """The mean of min(period, time) in seconds, the area under the share that is idle; None beyond `end`."""
        if time > self.end:
            return None
        at = self._at(time)
        return self._areas[at] + self._idle[at] * (time - self._times[at])

    def _at(self, time: float) -> int:
        return max(0, bisect_right(self._times, time) - 1)


def rows(gaps: Buckets) -> list[Row]:
    """Gaps in buckets as rows, each with the middle of its bucket for its length."""
    used = sorted({bucket for kind in (REUSED, CLIENT_CLOSED, SERVER_CLOSED, CUT) for bucket in gaps[kind]})
    return [
        Row(
            middle(one),
            gaps[REUSED].get(one, 0),
            gaps[CLIENT_CLOSED].get(one, 0),
            gaps[SERVER_CLOSED].get(one, 0) + gaps[CUT].get(one, 0),
        )
        for one in used
    ]


def timeout_seen(gaps: Buckets) -> float | None:
    """After how many seconds the server closes idle connections; None where it did so at no one time.

    At least `LEAST` of its closes must be known, and four of five lie within 2 % of their median. It is told in
    whole seconds where its bucket allows.
    """
    closes = sorted(gaps[SERVER_CLOSED].items())
    whole = sum(count for _, count in closes)
    passed, median = 0, 0.0
    for bucket, count in closes:
        passed += count
        if 2 * passed >= whole:
            median = middle(bucket)
            break
    near = sum(count for bucket, count in closes if abs(middle(bucket) - median) <= _EXACT * median)
    if whole < LEAST or near < _MOST * whole:
        return None
    return float(round(median)) if abs(round(median) - median) <= _EXACT * median / 2 else median
