"""The types facts are made of: counts and durations with their units, histograms, ports, versions."""

from __future__ import annotations

import bisect
import re
from typing import Annotated, ClassVar

from advisor import units
from advisor.facts.schema import Of
from advisor.formats.ports import Ports
from advisor.records import dataclass
from advisor.snapshot.model import IDLE_EDGES, Ages

__all__ = ["Count", "Histogram", "Item", "Number", "Pages", "Ports", "Rate", "Seconds", "Size", "Version"]

Number = Annotated[float, Of(units.NONE)]
Count = Annotated[int, Of(units.N)]
Seconds = Annotated[float, Of(units.S)]
Size = Annotated[int, Of(units.B)]
Pages = Annotated[int, Of(units.PAGE)]
Rate = Annotated[float, Of(units.PER_S)]

_NUMBER = re.compile(r" ?#[0-9]+(?=[ /]|$)", re.ASCII)
"""What tells servers and settings of one name apart, by their order in the files."""


class Item:
    """Something rules range over. Its ``id`` holds no line and no measured value."""

    FACT_KIND: ClassVar[str] = "item"
    __slots__ = ()

    id: str

    def lasting(self) -> str:
        """Its logical place, which it keeps when files are renamed and blocks moved; several items may share one.

        This is the id less what tells those apart that are called alike: their order in the files.
        """
        return numberless(self.id)

    def also(self) -> tuple[str, ...]:
        """What its logical place is called, too, where its file is included more than once."""
        return ()


def numberless(name: str) -> str:
    """An id without what tells those apart that are called alike."""
    return _NUMBER.sub("", name)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A dotted version; compares by its numbers."""

    FACT_KIND: ClassVar[str] = "version"

    parts: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``1.22.1``.

        Raises:
            ValueError: when it is not made of up to four numbers.
        """
        parts = tuple(int(part) for part in text.split("."))
        if not 1 <= len(parts) <= 4 or any(part < 0 for part in parts):  # noqa: PLR2004 (epoch.major.minor.patch)
            raise ValueError(text)
        return cls(parts)

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


@dataclass(frozen=True, slots=True)
class Histogram:
    """Ages in seconds, counted in the buckets of `advisor.snapshot.model.IDLE_EDGES`."""

    FACT_KIND: ClassVar[str] = "histogram"

    counts: tuple[int, ...]
    oldest: float | None = None

    @classmethod
    def of(cls, ages: Ages) -> Histogram:
        """From the snapshot's row."""
        return cls(tuple(ages.counts), ages.oldest)

    @classmethod
    def merge(cls, parts: list[Histogram]) -> Histogram:
        """All of them in one."""
        ends = [part.oldest for part in parts if part.oldest is not None]
        none = (0,) * (len(IDLE_EDGES) + 1)
        return cls(tuple(map(sum, zip(none, *(part.counts for part in parts), strict=True))), max(ends, default=None))

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts)

    def above(self, age: float) -> float:
        """How many are older than ``age`` seconds; interpolated inside a bucket."""
        return self.total - self.below(age)

    def below(self, age: float) -> float:
        """How many are at most ``age`` seconds old; interpolated inside a bucket."""
        index = bisect.bisect_left(IDLE_EDGES, age)
        whole = sum(self.counts[:index])
        low, high = self._span(index)
        if index >= len(self.counts) or high <= low:
            return whole
        return whole + self.counts[index] * min(1.0, max(0.0, (age - low) / (high - low)))

    def density(self, age: float) -> float:
        """How many there are per second of age, at ``age``: the flow past that age, per second."""
        index = bisect.bisect_right(IDLE_EDGES, age)
        low, high = self._span(index)
        return self.counts[index] / (high - low) if high > low else 0.0

    def returning(self, age: float) -> float:
        """How many a second go past ``age`` idle and are used again later.

        In a steady state the density at an age is the flow past it, and what reaches the oldest ages seen never comes
        back: the difference came back in between. The last quarter of the ages past ``age`` stands for the oldest, as
        a bucket's rest may hold but a few (those that nginx closes this moment, just past its timeout).
        """
        end = self._end
        if end <= age:
            return 0.0
        last = end - (end - age) / 4
        never = self.above(last) / (end - last)
        return max(0.0, self.density(age) - never)

    def quantile(self, share: float) -> float:
        """The age that ``share`` (0 to 1) of them do not exceed, interpolated; 0 when there are none."""
        wanted, passed = share * self.total, 0.0
        for index, count in enumerate(self.counts):
            if count and passed + count >= wanted:
                low, high = self._span(index)
                return low + (high - low) * (wanted - passed) / count
            passed += count
        return 0.0

    def cut(self, age: float) -> Histogram:
        """Without those older than ``age``."""
        index = bisect.bisect_left(IDLE_EDGES, age)
        kept = [*self.counts[:index], round(self.below(age) - sum(self.counts[:index]))]
        rest = [0] * (len(self.counts) - len(kept))
        oldest = min(self.oldest, age) if self.oldest is not None else None
        return Histogram((*kept, *rest)[: len(self.counts)], oldest)

    @property
    def _end(self) -> float:
        """The oldest age; where it is not known, the upper edge of the last bucket that holds any."""
        if self.oldest is not None:
            return self.oldest
        filled = [index for index, count in enumerate(self.counts) if count]
        return self._span(filled[-1])[1] if filled else 0.0

    def _span(self, index: int) -> tuple[float, float]:
        low = float(IDLE_EDGES[index - 1]) if index else 0.0
        high = float(IDLE_EDGES[index]) if index < len(IDLE_EDGES) else max(low, self.oldest or low)
        if self.oldest is not None and low < self.oldest < high:
            high = self.oldest
        return low, high
