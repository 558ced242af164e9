"""Gate a repository, a snapshot or a host: judge every target, mark what somebody answers for, give the verdict."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from advisor.collect.nginx_includes import printable
from advisor.collect.run import Request, Say
from advisor.collect.tops import below, top_of
from advisor.errors import InputError
from advisor.facts.derive import Facts
from advisor.findings import Verdict
from advisor.gate.policy import Policy
from advisor.jobs import load
from advisor.jobs.configure import Settings
from advisor.jobs.marks import held, marked
from advisor.jobs.seen import Judge, Seen
from advisor.jobs.targets import Found, Kind, discover, fault_of, snapshots
from advisor.jobs.verdict import Fixes, Telling, gated
from advisor.records import dataclass, replace
from advisor.report.gated import Fault, Gated, Target
from advisor.report.result import head_of
from advisor.snapshot.model import SOURCES

if TYPE_CHECKING:
    from advisor.gate.baseline import Baseline
    from advisor.jobs.fix import Fixed
    from advisor.remedy.plan import Allowed
    from advisor.snapshot.model import Snapshot


_EMPTY = "no nginx configuration, no sysctl file and nothing of a host was read there; name another place"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be gated, and how.

    ``paths`` are files and folders; empty, where ``request``, or ``kept`` (a snapshot's file), says what is read.
    ``held`` is the baseline's file, and what it holds.
    """

    settings: Settings
    policy: Policy
    today: dt.date
    request: Request
    paths: Sequence[str] = ()
    kept: str | None = None
    exclude: Sequence[str] = ()
    held: tuple[str, Baseline] | None = None

    @property
    def whole(self) -> bool:
        """Whether all is looked at that the configuration is about."""
        file = self.settings.file
        homes = {os.path.realpath(os.curdir), *([] if file is None else [os.path.dirname(os.path.realpath(file))])}
        return any(os.path.realpath(path) in homes for path in self.paths)


class Gate:
    """A gate that has looked: its targets, what rules say of them, and what somebody answers for.

    Args:
        asked: what to look at.
        say: told how far it is, for a person who waits.

    Raises:
        AdvisorError: when something that the user named can't be used.
    """

    def __init__(self, asked: Asked, say: Say) -> None:
        self.asked = asked
        self.top = top_of(os.curdir) or os.path.realpath(os.curdir)
        self.targets: list[Target] = []
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.found = Found([], [], 0, {})
        if asked.paths:
            self._look(discover(asked.paths, self._excluded, self._hosts, say), say)
        else:
            self._single(load.snapshot(asked.request, asked.kept, say))
        self.marked = marked(self.seen, asked.settings, asked.today, whole=asked.whole, named=self.called)
        if asked.held is not None:
            self.hold(*asked.held)

    def hold(self, file: str, baseline: Baseline) -> None:
        """Mark what a baseline holds as well."""
        self.marked = held(self.marked, baseline, file, self.seen, self.named_by(file), self._there)

    def told(self, *, detailed: bool = False, fixed: Fixed | None = None) -> Gated:
        """What the reports tell.

        Args:
            detailed: with the rules, and how values came about.
            fixed: what `cure` came to, where reports tell it.
        """
        fixes = {} if fixed is None else self._replacements(fixed)
        rules = self.asked.settings.judging.rules if detailed else ()
        telling = Telling(self.path, rules, flows=detailed, fixes=fixes)
        told = gated(self.targets, self.seen, self.marked, self.faults, self.asked.policy, telling)
        problems = [*self._unmet_hosts, *told.problems]
        return replace(told, problems=problems, looked=self.found.looked, passed=self.found.passed)

    def cure(self, allowed: Allowed) -> Fixed:
        """What cures the findings that nobody answers for, in the files themselves; nothing is written.

        Raises:
            AdvisorError: when it can't be proved.
        """
        from advisor.jobs.fix import fix  # noqa: PLC0415 (likewise)

        judges = [_less(self.seen[at], self._answered(at)) for at in self._files]
        return fix([self.seen[at].snapshot for at in self._files], judges, self.asked.settings.judging.causes, allowed)

    def _replacements(self, fixed: Fixed) -> Fixes:
        from advisor.jobs.fix import replacements  # noqa: PLC0415 (planning, for runs that fix)

        found = replacements(fixed, self.path)
        return {(self._files[at], rule, item): edits for (at, rule, item), edits in found.items()}

    def _answered(self, target: int) -> frozenset[tuple[str, str]]:
        return frozenset((rule, item) for at, rule, item in self.marked.answered if at == target)

    @property
    def _files(self) -> list[int]:
        """The targets whose files can be changed."""
        return [at for at, one in enumerate(self.targets) if one.kind not in {"snapshot", "host"}]

    def path(self, name: str) -> str | None:
        """A file's path from the top of the repository on; None where it lies outside."""
        return _from(self.top, name)

    def called(self, name: str) -> str:
        """The same; outside of the repository its own name."""
        return self.path(name) or name

    def named_by(self, baseline: str) -> Callable[[str], str]:
        """What a baseline calls files: their paths from its `_anchor` on, so that the current folder makes no odds."""
        anchor = _anchor(baseline)
        return lambda name: _from(anchor, name) or self.called(name)

    def _there(self, path: str) -> bool:
        """Whether something is there that the baseline names."""
        tops = {self.top, *([] if self.asked.held is None else [_anchor(self.asked.held[0])])}
        return any(os.path.lexists(os.path.join(top, path)) for top in tops)

    @property
    def _excluded(self) -> list[str]:
        return [*self.asked.settings.config.exclude, *self.asked.exclude]

    @property
    def _hosts(self) -> dict[str, list[str]]:
        return {name: host.paths for name, host in self.asked.settings.config.hosts.items()}

    @property
    def _unmet_hosts(self) -> list[tuple[str, str]]:
        """Hosts of the configuration that own no file, though all was looked at; what holds for them holds nowhere."""
        why = "none of the files that were found belongs to it; correct its paths"
        return [("configuration", f"hosts: {name}: {why}") for name in self.found.empty_hosts if self.asked.whole]

    def _look(self, found: Found, say: Say) -> None:
        self.found = found
        self.faults += found.faults
        for target, read in snapshots(found, self.asked.request, say):
            if isinstance(read, Fault):
                self.faults.append(read)
                continue
            judging = self.asked.settings.judging
            judge = judging if target.host is None else self.asked.settings.judging_of(target.host)
            try:
                self._add(target.name, target.kind, self.asked.settings.described(read, target.host), judge)
            except InputError as error:
                self.faults.append(fault_of(error))

    def _single(self, read: Snapshot) -> None:
        asked = self.asked
        snapshot = asked.settings.described(read)
        name = asked.kept or asked.request.nginx_conf or (snapshot.host.name if snapshot.host else _root(asked.request))
        self._add(name, _kind(asked, snapshot), snapshot, asked.settings.judging)

    def _add(self, name: str, kind: Kind, snapshot: Snapshot, judge: Judge) -> None:
        if not any(getattr(snapshot, source) for source in SOURCES):
            # Rules are content with no files at all; a wrong --root would stay green.
            self.faults.append(Fault(f"{printable(name)}: {_EMPTY}"))
            return
        seen = Seen(name, snapshot, judge)
        self.targets.append(Target(name, kind, tuple(seen.files), head_of(snapshot)))
        self.seen.append(seen)


def _root(request: Request) -> str:
    return "files" if request.root == "/" else request.root


def _anchor(baseline: str) -> str:
    """The top of the repository that a baseline lies in, else of the one that we are in, else its own folder."""
    folder = os.path.dirname(os.path.realpath(baseline))
    return top_of(folder) or top_of(os.curdir) or folder


def _from(top: str, name: str) -> str | None:
    """A file's path from a folder on; None where it does not lie below."""
    whole = os.path.normpath(os.path.join(os.path.realpath(os.curdir), name))
    return os.path.relpath(whole, top) if below(whole, top) else None


def _kind(asked: Asked, snapshot: Snapshot) -> Kind:
    if asked.kept is not None:
        return "snapshot"
    if asked.request.host or (snapshot.nginx is None and not snapshot.sysctl_files):
        return "host"
    if snapshot.nginx is None:
        return "sysctl"
    return "nginx and sysctl" if snapshot.sysctl_files else "nginx"


def _less(one: Seen, answered: frozenset[tuple[str, str]]) -> Judge:
    """A judge that leaves out what somebody answers for."""

    def judge(facts: Facts) -> list[Verdict]:
        return [verdict for verdict in one.judge(facts) if (verdict.rule, verdict.item) not in answered]

    return judge if answered else one.judge
