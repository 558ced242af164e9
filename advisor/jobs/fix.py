"""Cure what was found in the files themselves: plan target after target over the same bytes, until nothing is asked.

Targets share files: an include, a set of sysctl files. What one target's plan changes, the next one is planned on, and
whoever reads a changed file is planned again. In the end nothing fails anywhere that did not fail before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from advisor.collect.nginx_includes import printable
from advisor.errors import InputError, PlanError
from advisor.facts.derive import Facts
from advisor.formats.splice import Owned, composed
from advisor.jobs.fixed import Edits, Fixed, Owner, asked, replacements
from advisor.jobs.patch import proved
from advisor.remedy.in_place import by_line
from advisor.remedy.lattice import Subject
from advisor.remedy.plan import Allowed, Judge, Plan, make_plan
from advisor.remedy.predict import with_bytes
from advisor.snapshot.model import Snapshot

__all__ = ["Fixed", "Owner", "fix", "replacements"]

PASSES = 8
"""More than any chain of shared files needs; past it two targets want the opposite of one file."""

First = Mapping[str, tuple[str, ...]]
"""For each rule, the rules whose cure goes first."""


def fix(snapshots: Sequence[Snapshot], judges: Sequence[Judge], rules_first: First, allowed: Allowed) -> Fixed:
    """Plan the cure of all targets in place, and prove it.

    Args:
        snapshots: of files alone, under their names; what several of them read under one name is one file.
        judges: one for each; what it leaves out is not cured. It meets each snapshot as it is given here first.
        rules_first: for each rule, the rules whose cure goes first (``consequence_of``).
        allowed: what a person permits.

    Raises:
        PlanError: when targets want the opposite of one file, or do harm to each other. A target whose own cure can't
            be proved is given up, and the others are cured.
        InputError: when a file was read twice with other bytes.
    """
    harm: dict[Owner, str] = {}
    given_up: dict[int, str] = {}
    for _ in range(PASSES):
        less = [_without(judge, at, harm) for at, judge in enumerate(judges)]
        attempt = _Attempt(snapshots, less, rules_first, allowed, given_up)
        try:
            attempt.run()
            found = attempt.harmful()
        except _GivenUpError:
            continue
        if not found:
            return attempt.fixed(harm)
        harm |= found
    rules = ", ".join(dict.fromkeys(rule for _, rule, _ in harm))
    raise PlanError(f"what cures {rules} in one target does harm in another; fix one target at a time")


class _GivenUpError(Exception):
    """A target is given up that has changed files already: all begins again without it."""


class _Attempt:
    """One way to the fixpoint; ``failing`` is what fails in each target as it was given, ``last`` its last plan."""

    def __init__(
        self,
        snapshots: Sequence[Snapshot],
        judges: Sequence[Judge],
        rules_first: First,
        allowed: Allowed,
        given_up: dict[int, str],
    ) -> None:
        self.snapshots = snapshots
        self.judges = judges
        self.rules_first = dict(rules_first)
        self.allowed = allowed._replace(in_place=True)
        self.old, self.readers = _contents(snapshots)
        self.new: dict[str, bytes] = {}
        self.edits: Edits = {}
        self.failing: dict[int, set[Subject]] = {}
        self.last: dict[int, Plan] = {}
        self.given_up = given_up

    def run(self) -> None:
        """Plan every target, and again those that read what was changed since.

        Raises:
            PlanError: when that finds no end.
        """
        todo = [at for at in range(len(self.snapshots)) if at not in self.given_up]
        for _ in range(PASSES):
            stale: set[int] = set()
            for at in todo:
                stale.discard(at)
                stale |= {reader for path in self._plan(at) for reader in self.readers[path]} - self.given_up.keys()
            if not stale:
                return
            todo = sorted(stale)
        wanted = [one for at in todo for one in _changes(self.last[at])]
        rules = dict.fromkeys(rule for _, by in wanted for rule in by)
        files = dict.fromkeys(printable(path) for path, _ in wanted)
        way = "leave one of them out (--ignore), or fix one target at a time"
        raise PlanError(f"{', '.join(files)}: {', '.join(rules)} still ask for changes after {PASSES} passes; {way}")

    def _plan(self, at: int) -> Iterable[str]:
        """Plan a target on the bytes as they are now; returns the files that change."""
        snapshot, judge = self.snapshots[at], self.judges[at]
        # What a plan moved is void from then on, so that it is not asked for again.
        then = self.last[at].prediction.snapshot if at in self.last else snapshot
        now = with_bytes(then, self.new, self.new)
        try:
            plan = proved(make_plan(now, judge, self.rules_first, self.allowed))
        except (PlanError, InputError) as error:
            self._give_up(at, str(error))
            return []
        if at not in self.failing:
            self.failing[at] = _subjects(plan) if now is snapshot else _failing(judge, snapshot)
        self.last[at] = plan
        for path, splices in asked(plan).items():
            owned = [Owned(*splice, self._owners(at, plan, subjects)) for splice, subjects in splices]
            between = self.new.get(path, self.old[path])
            in_order = sorted(owned, key=lambda one: one[:2])
            self.edits[path] = composed(between, self.edits.get(path, []), in_order)
        self.new |= plan.prediction.files | plan.prediction.sysctl_files
        return [*plan.prediction.files, *plan.prediction.sysctl_files]

    def _give_up(self, at: int, why: str) -> None:
        """Change nothing for a target.

        Raises:
            _GivenUpError: when something was changed for it already.
        """
        self.given_up[at] = why
        if at in self.last:
            raise _GivenUpError

    def _owners(self, at: int, plan: Plan, subjects: Iterable[Subject]) -> tuple[Owner, ...]:
        """The first findings that a change belongs to: what fails since a shared file changed is that change's."""
        owners: list[Owner] = []
        for root in (root for subject in subjects for root in plan.brought_by[subject]):
            owners += [(at, *root)] if root in self.failing[at] else self._before(at)
        return tuple(dict.fromkeys(owners))

    def _before(self, at: int) -> Iterator[Owner]:
        """Whose edits changed the files of a target so far."""
        mine = (path for path, readers in self.readers.items() if at in readers)
        return (owner for path in mine for edit in self.edits.get(path, ()) for owner in edit.owners)

    def harmful(self) -> dict[Owner, str]:
        """Other targets' findings whose cure makes something fail that did not before, and what."""
        found: dict[Owner, str] = {}
        for at in range(len(self.snapshots)):
            for rule, item in sorted(self._new(at)):
                where = f"make {rule} fail ({item or 'host'}) in {_name(self.snapshots[at])}"
                others = {owner for owner in self._before(at) if owner[0] != at}
                if not others:
                    self._give_up(at, f"what cures it would {where}")
                step = "its step" if len(others) == 1 else "its step, or one beside it,"
                found |= dict.fromkeys(others, f"{step} would {where}")
        return found

    def _new(self, at: int) -> set[Subject]:
        """What fails in a target in the end, and did not before."""
        if at in self.last:
            return _subjects(self.last[at]) - self.failing[at]
        snapshot, judge = self.snapshots[at], self.judges[at]
        now = with_bytes(snapshot, self.new, self.new)
        return set() if now is snapshot else _failing(judge, now) - _failing(judge, snapshot)

    def fixed(self, harm: Mapping[Owner, str]) -> Fixed:
        """What came of it."""
        files = {path: (self.old[path], new) for path, new in sorted(self.new.items()) if new != self.old[path]}
        edits = {
            path: [one for one in self.edits[path] if old[one.start : one.end] != one.new]
            for path, (old, _) in files.items()
        }
        left = {
            (at, one.finding.rule, one.finding.item): one.why
            for at, plan in sorted(self.last.items())
            for one in plan.findings
            if one.finding.steps
        }
        for at, why in self.given_up.items():
            left |= {(at, *subject): why for subject in _failing(self.judges[at], self.snapshots[at])}
        return Fixed(files, edits, {**left, **harm}, dict(sorted(self.given_up.items())))


def _without(judge: Judge, at: int, harm: Mapping[Owner, str]) -> Judge:
    less = {(rule, item) for target, rule, item in harm if target == at}
    return (lambda facts: [one for one in judge(facts) if (one.rule, one.item) not in less]) if less else judge


def _contents(snapshots: Sequence[Snapshot]) -> tuple[dict[str, bytes], dict[str, set[int]]]:
    """The bytes of every file that may be edited, and the targets that read it, by its name."""
    contents: dict[str, bytes] = {}
    readers: dict[str, set[int]] = {}
    for at, snapshot in enumerate(snapshots):
        files = {path: file.content for path, file in snapshot.nginx.files.items()} if snapshot.nginx else {}
        files |= {file.path: file.content for file in snapshot.sysctl_files or () if file.given}
        for path, content in files.items():
            if contents.setdefault(path, content) != content:
                raise InputError(f"{printable(path)} changed while it was read; run it again")
            readers.setdefault(path, set()).add(at)
    return contents, readers


def _changes(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The file of each change, and the rules that want it."""
    for path, lines in by_line(Facts(plan.snapshot), plan.prediction.sysctls).items():
        yield from ((path, one.rules) for one in lines.values())
    yield from ((one.place.file, one.rules) for one in plan.prediction.directives)


def _subjects(plan: Plan) -> set[Subject]:
    return {(one.finding.rule, one.finding.item) for one in plan.findings}


def _failing(judge: Judge, snapshot: Snapshot) -> set[Subject]:
    return {(one.rule, one.item) for one in judge(Facts(snapshot)) if one.finding is not None}


def _name(snapshot: Snapshot) -> str:
    """What messages call a target."""
    if snapshot.nginx is not None:
        return printable(snapshot.nginx.entry)
    return next((printable(file.path) for file in snapshot.sysctl_files or () if file.given), "the target")
