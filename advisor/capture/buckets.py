"""Buckets for lengths of time, 128 to each doubling: no bucket is wider than 0.8 % of what it counts.

The first holds all below 1.024 us; the next begin at 2^10 ns, the last ends at 2^47 ns, 39 hours, and holds what is
longer. The layout is linear inside each power of two, so that a bucket's number follows from the exponent alone.
"""

from __future__ import annotations

import math

LOWEST = 10
"""The power of two, in nanoseconds, at which the second bucket begins."""
STEPS = 128
"""Buckets to each power of two."""
COUNT = 1 + (47 - LOWEST) * STEPS
"""How many buckets there are."""


def edge(bucket: int) -> float:
    """Where a bucket begins, in seconds; that of `COUNT` is where the last one ends."""
    if not bucket:
        return 0.0
    power, step = divmod(bucket - 1, STEPS)
    return float((STEPS + step) << (LOWEST + power)) / STEPS / 1e9


def middle(bucket: int) -> float:
    """The length, in seconds, that stands for all in a bucket."""
    return (edge(bucket) + edge(bucket + 1)) / 2


def bucket(seconds: float) -> int:
    """The bucket in which a length lies."""
    mantissa, power = math.frexp(max(seconds, 0.0) * 1e9)
    found = (power - LOWEST - 1) * STEPS + int((mantissa - 0.5) * 2 * STEPS) + 1
    return min(max(found, 0), COUNT - 1)
