"""What the gate tells: targets, findings with their marks, what could not be judged, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from advisor import __version__
from advisor.findings import State
from advisor.records import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.findings import Finding, Missing, Severity, Waypoint
    from advisor.report.result import Head


@dataclass(frozen=True, slots=True)
class Target:
    """What was judged as one host: an nginx configuration, sysctl files, both, a snapshot, or the host itself.

    ``files`` are those that were read, as the report names them.
    """

    name: str
    kind: Literal["nginx", "sysctl", "nginx and sysctl", "snapshot", "host"]
    files: tuple[str, ...]
    head: Head


@dataclass(frozen=True, slots=True)
class Replacement:
    """Bytes of a file that give way to others: from ``start`` up to ``end``, counted from 0.

    Lines and columns count from 1, columns in characters (code points); the end column is that behind the last one.
    """

    path: str
    start: int
    end: int
    start_line: int
    start_column: int
    end_line: int
    end_column: int
    new: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding as the gate sees it.

    ``path`` is its file relative to the top of the repository, with slashes; None where it stands in none, or outside.
    ``fingerprint`` is unique in the report: `Finding.fingerprint`, told apart by the order among equals. ``counts``: it
    makes the gate fail. ``why_not`` says why it does not.
    """

    finding: Finding
    target: str
    fingerprint: str
    counts: bool
    why_not: str | None = None
    path: str | None = None
    flow: tuple[Waypoint, ...] = ()
    fix: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be read, understood or judged: the gate never passes with one."""

    message: str
    kind: Literal["target", "configuration", "rule"] = "target"
    path: str | None = None
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as reports describe it; severity is the gravest it can have."""

    id: str
    title: str
    severity: Severity
    maturity: str
    why: str
    unless: str
    steps: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A rule that could not be judged in some targets, what it lacks, and in how many."""

    rule: str
    missing: Missing
    targets: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Findings that the baseline holds and that are there no more: so many of a rule at a place."""

    rule: str
    place: str
    path: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Gated:
    """All that any format tells.

    ``findings`` stand worst first, marked ones included; ``rules`` are those that judged; ``quiet`` holds the ids of
    those that neither found nor lacked anything; ``problems`` are things wrong with what was read that did not keep it
    from being judged: source to reason. ``policy`` says in words what counts. ``exit_code`` is the verdict. ``looked``
    counts the files whose names a search looked at, ``passed`` what it passed over though it might be meant: by the
    reason.
    """

    targets: list[Target]
    findings: list[Judged]
    faults: list[Fault]
    unknown: list[Unknown]
    problems: list[tuple[str, str]]
    rules: list[Rule]
    quiet: tuple[str, ...]
    policy: str
    exit_code: int
    fixed: list[Gone] = field(default_factory=list)
    baseline: str | None = None
    looked: int = 0
    passed: Mapping[str, int] = field(default_factory=dict)
    advisor: str = __version__

    @property
    def counting(self) -> list[Judged]:
        """The findings that make the gate fail."""
        return [one for one in self.findings if one.counts]

    @property
    def suppressed(self) -> list[Judged]:
        """The findings that somebody answered for."""
        return [one for one in self.findings if one.finding.state is State.SUPPRESSED]

    @property
    def failed(self) -> bool:
        """Whether the gate is red, for whatever reason."""
        return self.exit_code != 0
