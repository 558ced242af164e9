"""What a report tells: the host, the findings in order, what is unknown, and what was quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor import __version__
from advisor.findings import Finding, Missing, State, Verdict
from advisor.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from advisor.snapshot.model import Snapshot


_NAMED = 3
"""Files that are named of those of which the same is wrong."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the numbers come from; None is what was not read. Memory in bytes, times in seconds.

    ``cpu`` is the CPU time that reading took; ``profile`` the workload that the user named; ``share`` the part of the
    sockets that was looked at, None where it was all of them.
    """

    name: str | None = None
    kernel: str | None = None
    cpus: int | None = None
    memory: int | None = None
    nginx: str | None = None
    workers: int | None = None
    netns: str | None = None
    took: float | None = None
    sample: float | None = None
    root: bool | None = None
    cpu: float | None = None
    profile: str | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """All that any format tells.

    ``findings`` includes suppressed ones (see `Finding.state`); ``unknown`` holds each rule once for each reason;
    ``quiet`` counts the rules that neither found anything nor lacked anything; ``problems`` are things wrong with
    what was read, source to reason; ``advisor`` is the version that judged.
    """

    head: Head
    findings: list[Finding]
    unknown: list[tuple[str, Missing]]
    quiet: int
    problems: list[tuple[str, str]]
    advisor: str = __version__

    @property
    def failing(self) -> list[Finding]:
        """The findings that nobody suppressed."""
        return [finding for finding in self.findings if finding.state is State.FAIL]

    @property
    def unknown_rules(self) -> int:
        """How many rules could not be judged everywhere."""
        return len({rule for rule, _ in self.unknown})

    @property
    def judged(self) -> bool:
        """Whether any rule could be judged at all."""
        return bool(self.findings or self.quiet)


def result_of(snapshot: Snapshot, verdicts: Iterable[Verdict]) -> Result:
    """Join what was read and how it was judged; the gravest and surest finding first."""
    findings: list[Finding] = []
    unknown: dict[tuple[str, Missing], None] = {}
    rules: set[str] = set()
    loud: set[str] = set()
    for verdict in verdicts:
        rules.add(verdict.rule)
        if verdict.finding is not None:
            findings.append(verdict.finding)
        if verdict.state is State.UNKNOWN:
            unknown |= dict.fromkeys((verdict.rule, missing) for missing in verdict.missing)
        if verdict.state not in {State.PASS, State.NOT_APPLICABLE}:
            loud.add(verdict.rule)
    return Result(
        head=head_of(snapshot),
        findings=sorted(findings, key=order),
        unknown=sorted(unknown, key=lambda pair: (pair[0], pair[1].source, pair[1].why)),
        quiet=len(rules - loud),
        problems=problems_of(snapshot),
    )


def problems_of(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Things wrong with what was read: source to reason."""
    return [*snapshot.problems, *_never_edited(snapshot)]


def _never_edited(snapshot: Snapshot) -> list[tuple[str, str]]:
    """The nginx files that crossplane and our scanner read differently."""
    files = snapshot.nginx.files if snapshot.nginx else {}
    by_reason: dict[str, list[str]] = {}
    for path, file in sorted(files.items()):
        if file.differs is not None:
            by_reason.setdefault(file.differs, []).append(path)
    return [("nginx", f"{_all_of(paths)} judged, but never edited: {why}") for why, paths in by_reason.items()]


def _all_of(paths: list[str]) -> str:
    if len(paths) == 1:
        return f"{paths[0]} is"
    rest = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return f"{', '.join(paths[:_NAMED])}{rest} are"


def order(finding: Finding) -> tuple[int, int, str, str, int, int, str]:
    """What findings are sorted by: the gravest and surest first, then by rule and place."""
    place = finding.location
    return (
        -finding.severity,
        -finding.confidence,
        finding.rule,
        place.file or "",
        place.line or 0,
        place.column or 0,
        finding.item,
    )


def head_of(snapshot: Snapshot) -> Head:
    """Where the numbers of a snapshot come from."""
    host, nginx, processes = snapshot.host, snapshot.nginx, snapshot.processes
    return Head(
        name=host.name if host else None,
        kernel=host.kernel if host else None,
        cpus=host.cpus if host else None,
        memory=host.memory if host else None,
        nginx=nginx.version if nginx else None,
        workers=len(processes.workers) if processes else None,
        netns=host.netns if host else None,
        took=snapshot.took,
        sample=snapshot.sample or None,
        root=host.root if host else None,
        cpu=snapshot.cpu,
        profile=snapshot.profile,
        share=snapshot.sockets.share if snapshot.sockets is not None and snapshot.sockets.share < 1 else None,
    )
