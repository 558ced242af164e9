"""One whole audit of an incident while it lasts, beside what ``ss`` shows of it before and after, grouped by hand."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.command import ADVISOR, ROOT, evidence, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Netns

SERIOUS = {"high", "critical"}
SHARED = {path.stem for path in (ROOT / "rules/kernel").glob("*.yaml")} | {
    "orphans-many",
    "softirq-squeezed",
    "softnet-dropping",
    "tcp-aborts-on-memory",
    "tcp-memory-pressure",
}
"""What all namespaces of a machine share: its log, its CPUs' queues, its orphans. Other tests may have been at it."""
_AGE = re.compile(r" lastsnd:(\d+)")


@dataclass(frozen=True)
class Row:
    """One line of ss: the kernel's state, ends as ``address:port``, queues in bytes or, of a listener, connections."""

    state: str
    local: str
    remote: str
    queues: tuple[int, int]
    idle: int
    """Milliseconds since something was sent; 0 where ss does not say, as of TIME_WAIT or where it is no time ago."""

    @property
    def connection(self) -> tuple[str, str, str]:
        """What is the same in two looks at one connection that stayed as it was."""
        return self.state, self.local, self.remote


@dataclass(frozen=True)
class Wanted:
    """Which rows are meant; None and 0: whatever they are."""

    state: str
    local: str | None = None
    remote: str | None = None
    idle: int = 0
    """At least so many milliseconds."""

    def of(self, rows: list[Row]) -> Counter[tuple[str, str, str]]:
        """Those of the rows that are."""
        return Counter(row.connection for row in rows if self._is(row))

    def _is(self, row: Row) -> bool:
        return (
            row.state == self.state
            and self.local in {None, row.local}
            and self.remote in {None, row.remote}
            and row.idle >= self.idle
        )


def by_hand(ns: Netns) -> list[Row]:
    """What ``ss -HtanOi`` prints: one socket a line."""
    rows = []
    for line in ns.run("ss", "-HtanOi").stdout.splitlines():
        state, received, sent, local, remote, *_ = line.split()
        age = _AGE.search(line)
        rows.append(Row(state, local, remote, (int(received), int(sent)), int(age[1]) if age else 0))
    return rows


@dataclass(frozen=True)
class Incident:
    """A report, and the sockets just before and just after the audit."""

    report: dict[str, Any]
    before: list[Row]
    after: list[Row]

    def only(self, rule: str, item: str) -> dict[str, Any]:
        """The one finding of that rule, which is at that item."""
        findings = found(self.report, rule)
        assert list(findings) == [item], (rule, self.rules())
        return findings[item]

    def rules(self) -> list[tuple[str, str, str]]:
        """What was found of this namespace, from worst to least: severity, rule, item."""
        found = ((one["severity"], one["rule"], one["item"]) for one in self.report["findings"])
        return [one for one in found if one[1] not in SHARED]

    def serious(self) -> set[str]:
        """The rules that fail here with high or critical severity."""
        return {rule for severity, rule, _ in self.rules() if severity in SERIOUS}

    def equal(self, seen: int, wanted: Wanted) -> None:
        """A number of the report is that of ss, but for those that came or went meanwhile."""
        before, after = wanted.of(self.before), wanted.of(self.after)
        low, high = (before & after).total(), (before | after).total()
        assert low <= seen <= high, (wanted, seen, before.total(), after.total())
        assert high > 0, wanted


def audited(ns: Netns, *arguments: str, entered: bool = False) -> Incident:
    """Audit a namespace by name from outside, or ``entered`` first, as `ip netns exec` does."""
    before = by_hand(ns)
    argv = [*ADVISOR, "audit", "-f", "json", *arguments]
    argv = ns.argv(*argv) if entered else [*argv, "--netns", ns.name]
    ran = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, cwd=ROOT)
    return Incident(json.loads(ran.stdout), before, by_hand(ns))


class Auditing:
    """An audit that has begun; once it is over, what it says."""

    incident: Incident


@contextlib.contextmanager
def auditing(ns: Netns, seconds: float) -> Iterator[Auditing]:
    """The block runs between the two readings of an audit, however long it takes: ``seconds`` are the least.

    It says on a terminal when the first reading is done, and stands still until the block has ended.
    """
    auditing, before = Auditing(), by_hand(ns)
    screen, its_end = pty.openpty()
    try:
        argv = [*ADVISOR, "audit", "-f", "json", "--sample", str(seconds)]
        process = ns.start(*argv, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=its_end)
        os.close(its_end)
        said = b""
        while b"between two readings" not in said:
            said += os.read(screen, 1024)
        process.send_signal(signal.SIGSTOP)
        try:
            yield auditing
        finally:
            process.send_signal(signal.SIGCONT)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        auditing.incident = Incident(json.loads(printed), before, by_hand(ns))
    finally:
        os.close(screen)


def numbers(finding: dict[str, Any], *names: str) -> list[Any]:
    """Values that a finding rests on."""
    values = evidence(finding)
    return [values[name] for name in names]
