"""Amounts in few characters: times with three digits, sizes, and counts."""

from __future__ import annotations

_NS = 1_000_000_000
_TIMES = ((86400 * _NS, "d"), (3600 * _NS, "h"), (60 * _NS, "min"), (_NS, "s"), (10**6, "ms"), (1000, "us"), (1, "ns"))
_FROM = {"d": 3, "h": 2, "min": 10}
"""So many of a unit at least, for fewer are easier to grasp in the next smaller one: 300 s, 90 min."""


def span(nanoseconds: int) -> str:
    """A length of time: ``87 us``, ``1.23 ms``, ``300 s``, ``26.5 h``; negative where a clock went back."""
    if nanoseconds < 0:
        return f"-{span(-nanoseconds)}"
    unit, word = next((pair for pair in _TIMES if nanoseconds >= pair[0] * _FROM.get(pair[1], 1)), (_NS, "s"))
    return f"{_three(nanoseconds / unit)} {word}"


def _three(value: float) -> str:
    """Three digits, without zeros behind the point."""
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2  # noqa: PLR2004 (where three digits round up to four)
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def few(count: int) -> str:
    """A count in at most six characters: ``12,345``, ``123k``, ``1.23M``."""
    if count < 100_000:  # noqa: PLR2004 (six characters)
        return f"{count:,}"
    return _scaled(count, 1000, "kMGTPE")


def size(octets: int) -> str:
    """Bytes in at most six characters, in powers of 1,024: ``1023``, ``1.5K``, ``2M``."""
    return str(octets) if octets < 1024 else _scaled(octets, 1024, "KMGTPE")  # noqa: PLR2004 (bytes of a KiB)


def _scaled(value: float, step: int, letters: str) -> str:
    for letter in letters:
        value /= step
        if value < 999.5 or letter == letters[-1]:  # noqa: PLR2004 (what rounds to three digits)
            return f"{_three(value)}{letter}"
    raise AssertionError(letters)


def count(amount: int, word: str, several: str | None = None) -> str:
    """``1 packet``, ``2 packets``."""
    return f"{amount:,} {word if amount == 1 else several or f'{word}s'}"
