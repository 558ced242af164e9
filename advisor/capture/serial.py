"""Sequence numbers: 32 bits, added and compared on a circle (RFC 9293, 3.4)."""

from __future__ import annotations

_ALL = 0xFFFFFFFF
_HALF = 0x80000000


def ahead(number: int, by: int) -> int:
    """The number that many further."""
    return (number + by) & _ALL


def behind(number: int, by: int) -> int:
    """The number that many back."""
    return (number - by) & _ALL


def distance(number: int, since: int) -> int:
    """How far a number is past another: -2^31 to 2^31 - 1."""
    return ((number - since + _HALF) & _ALL) - _HALF


def above(number: int, other: int) -> bool:
    """Whether a number is past another."""
    return 0 < ((number - other) & _ALL) < _HALF
