"""What judging yields: verdicts, findings, evidence, places and the steps a finding asks for."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Literal, NamedTuple

from advisor.facts.places import Location, Place, Waypoint
from advisor.records import dataclass
from advisor.units import Unit

__all__ = [
    "Change",
    "Confidence",
    "Evidence",
    "Finding",
    "Location",
    "Missing",
    "Place",
    "Relation",
    "Safety",
    "Severity",
    "State",
    "Step",
    "Suppression",
    "Verdict",
    "Waypoint",
]


class Severity(IntEnum):
    """The harm."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """As rules and reports write it."""
        return self.name.lower()


class Confidence(IntEnum):
    """How we know: it may happen, it was seen, or it follows from what is configured."""

    POTENTIAL = 0
    OBSERVED = 1
    CERTAIN = 2

    @property
    def word(self) -> str:
        """As reports write it."""
        return self.name.lower()


class State(StrEnum):
    """What a rule says of one item."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105 (a verdict, no password)
    NOT_APPLICABLE = "not applicable"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"


class Safety(StrEnum):
    """Safe adds room and changes nobody's traffic; unsafe may; manual is advice."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    MANUAL = "manual"


class Relation(StrEnum):
    """What a change wants of a value."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"
    INCLUDES = "includes"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A named value a verdict rests on, and where it was read."""

    name: str
    value: bool | float | str | None
    unit: Unit
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One want: a sysctl key, or an nginx directive at a place, stands in a relation to a value.

    ``target`` is a sysctl key with its part (``net.ipv4.ip_local_port_range.low``) where ``place`` is None,
    else a directive, or a parameter of one (``listen.backlog``).
    """

    target: str
    relation: Relation
    value: float | str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a finding asks for; ``skipped`` says why it can't be planned, where that is so."""

    safety: Safety
    text: str
    needs: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """Who answers for a finding that is to be left: a comment beside it, the configuration, or the baseline.

    ``where`` is the file and line that says so, ``until`` the last day on which it holds (ISO 8601).
    """

    kind: Literal["comment", "configuration", "baseline"]
    reason: str
    where: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that failed at a place; with a ``suppression`` its state is ``suppressed``.

    ``lasting`` is what `place` tells, None where that is the item's own name. ``also`` is what the same place is called
    where its file is included once more, or by another target.
    """

    rule: str
    title: str
    item: str
    state: State
    severity: Severity
    confidence: Confidence
    doubt: str | None
    message: str
    why: str
    unless: str
    location: Location
    evidence: tuple[Evidence, ...] = ()
    steps: tuple[Step, ...] = ()
    expected: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    maturity: str = "stable"
    lasting: str | None = None
    also: tuple[str, ...] = ()
    suppression: Suppression | None = None

    @property
    def place(self) -> str:
        """The logical place: what failed, less its number among others of that name, and less the file it stands in."""
        return self.item if self.lasting is None else self.lasting

    @property
    def fingerprint(self) -> str:
        """Of the rule and the logical place: no line, no file, no measured value; not unique."""
        from hashlib import sha256  # noqa: PLC0415 (3 ms, which only JSON needs)

        return sha256(f"{self.rule}\0{self.place}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Missing:
    """Why something is unknown: the source, and the reason."""

    source: str
    why: str


class Verdict(NamedTuple):
    """One rule on one item (``item`` is empty for a rule without ``each``).

    ``place`` is the logical place of an item that could not be judged.
    """

    rule: str
    item: str
    state: State
    finding: Finding | None = None
    missing: tuple[Missing, ...] = ()
    place: str | None = None
