"""Joining what several findings want of one value: at least, at most, exactly, includes."""

from __future__ import annotations

from advisor.errors import PlanError
from advisor.facts.values import Ports
from advisor.findings import Change, Place, Relation
from advisor.records import dataclass, field

Target = tuple[Place | None, str]
"""A sysctl key with its part (place None), or a directive or its parameter at a place."""

Subject = tuple[str, str]
"""A rule and the item it failed on."""

_SAID = {
    Relation.AT_LEAST: "at least",
    Relation.AT_MOST: "at most",
    Relation.EXACTLY: "exactly",
    Relation.INCLUDES: "to include",
}


@dataclass(slots=True)
class Wants:
    """Everything wanted of one target, with the rule that wants it most, and whose findings want it."""

    target: Target
    low: tuple[float, str] | None = None
    high: tuple[float, str] | None = None
    exact: tuple[float | str, str] | None = None
    ports: Ports = field(default_factory=Ports)
    subjects: list[Subject] = field(default_factory=list)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that want it, each once."""
        return tuple(dict.fromkeys(rule for rule, _ in self.subjects))

    def add(self, change: Change, rule: str, item: str = "") -> None:
        """Join one more want, of the finding of a rule on an item.

        Raises:
            PlanError: naming both rules, when no value can satisfy them.
        """
        if (rule, item) not in self.subjects:
            self.subjects.append((rule, item))
        if change.relation is Relation.INCLUDES:
            self.ports = self.ports | Ports.parse(str(change.value))
        elif change.relation is Relation.EXACTLY:
            if self.exact is not None and self.exact[0] != change.value:
                raise self._clash(change, rule, self.exact[1])
            self.exact = (change.value, rule)
        else:
            self._bound(change.relation, float(change.value), rule)
        self._consistent(change, rule)

    def value(self, current: float | str) -> float | str:
        """The value nearest to the current one that satisfies all of them; numbers stay whole where they are."""
        if self.exact is not None:
            return self.exact[0]
        if isinstance(current, str):
            return str((Ports.parse(current) | self.ports).fitting())
        value = current if self.low is None else max(current, self.low[0])
        value = value if self.high is None else min(value, self.high[0])
        return int(value) if float(value).is_integer() else value

    def least(self) -> float | str:
        """The value that satisfies all of them where none is set so far: the exact one, else a bound."""
        if self.exact is not None:
            return self.exact[0]
        low, high = self.low, self.high
        value = low[0] if low is not None else high[0] if high is not None else 0
        return int(value) if float(value).is_integer() else value

    def _bound(self, relation: Relation, value: float, rule: str) -> None:
        if relation is Relation.AT_LEAST and (self.low is None or value > self.low[0]):
            self.low = (value, rule)
        if relation is Relation.AT_MOST and (self.high is None or value < self.high[0]):
            self.high = (value, rule)

    def _consistent(self, change: Change, rule: str) -> None:
        if self.low and self.high and self.low[0] > self.high[0]:
            raise self._clash(change, rule, self.high[1] if self.low[1] == rule else self.low[1])
        for bound, fits in ((self.low, _not_below), (self.high, _not_above)):
            if self.exact and bound and not fits(self.exact[0], bound[0]):
                raise self._clash(change, rule, bound[1] if self.exact[1] == rule else self.exact[1])

    def _clash(self, change: Change, rule: str, other: str) -> PlanError:
        said = f"{rule} wants {change.target} {_SAID[change.relation]} {change.value}"
        return PlanError(f"{said}, {other} wants what excludes that; leave one of them out (--ignore {other})")


def _not_below(value: float | str, bound: float) -> bool:
    return float(value) >= bound


def _not_above(value: float | str, bound: float) -> bool:
    return float(value) <= bound


def join(wants: dict[Target, Wants], change: Change, rule: str, item: str = "") -> None:
    """Add a change to what is wanted of its target."""
    target = (change.place, change.target)
    wants.setdefault(target, Wants(target)).add(change, rule, item)
