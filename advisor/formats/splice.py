"""Replacements of bytes: made one set after the other, told as one set against the bytes they began with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

Splice = tuple[int, int, bytes]
"""Put these bytes in the place of ``data[start:end]``."""

T = TypeVar("T")


class Owned(NamedTuple, Generic[T]):
    """``new`` in the place of ``data[start:end]``, and who asked for it, each once."""

    start: int
    end: int
    new: bytes
    owners: tuple[T, ...]


class _Span(NamedTuple, Generic[T]):
    """A stretch of the bytes in between: what an earlier splice left there, or what a later one replaces."""

    start: int
    end: int
    growth: int
    later: Owned[T] | None
    owners: tuple[T, ...]


def spliced(data: bytes, splices: Iterable[Owned[T]]) -> bytes:
    """The bytes with all splices made.

    Args:
        data: the bytes.
        splices: sorted, and disjoint; of several that begin at one place only the last replaces anything.
    """
    parts, position = [], 0
    for one in splices:
        parts += [data[position : one.start], one.new]
        position = one.end
    return b"".join([*parts, data[position:]])


def composed(between: bytes, first: Sequence[Owned[T]], then: Sequence[Owned[T]]) -> list[Owned[T]]:
    """One set of splices that does what two do one after the other; those that touch become one.

    Args:
        between: what ``first`` leads to, and ``then`` goes on from.
        first: sorted and disjoint.
        then: sorted and disjoint; several insertions at one place come in the order in which they stand.
    """
    made: list[Owned[T]] = []
    grown = 0
    for group in _touching(sorted([*_left(first), *_replacing(then)], key=lambda span: span[:2])):
        start, end = group[0].start, max(span.end for span in group)
        growth = sum(span.growth for span in group)
        inside = [one.later._replace(start=one.start - start, end=one.end - start) for one in group if one.later]
        owners = tuple(dict.fromkeys(owner for span in group for owner in span.owners))
        new = spliced(between[start:end], inside)
        made.append(Owned(start - grown, end - grown - growth, new, owners))
        grown += growth
    return made


def _left(first: Iterable[Owned[T]]) -> Iterator[_Span[T]]:
    grown = 0
    for one in first:
        growth = len(one.new) - (one.end - one.start)
        start = one.start + grown
        yield _Span(start, start + len(one.new), growth, None, one.owners)
        grown += growth


def _replacing(then: Iterable[Owned[T]]) -> Iterator[_Span[T]]:
    return (_Span(one.start, one.end, 0, one, one.owners) for one in then)


def _touching(spans: Iterable[_Span[T]]) -> Iterator[list[_Span[T]]]:
    """Runs of spans without a byte between them."""
    group: list[_Span[T]] = []
    end = 0
    for span in spans:
        if group and span.start > end:
            yield group
            group = []
        end = max(end, span.end) if group else span.end
        group.append(span)
    if group:
        yield group
