"""Cure what was found in the files themselves: plan target after target over the same bytes, until nothing is asked.

Targets share files: an include, a set of sysctl files. What one target's plan changes, the next one is planned on, and
whoever reads a changed file is planned again. In the end nothing fails anywhere that did not fail before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from advisor.errors import InputError, PlanError
from advisor.facts.derive import Facts
from advisor.formats.nginx import column
from advisor.formats.nginx_edit import apply_each
from advisor.formats.splice import Owned, Splice, composed
from advisor.formats.sysctl_edit import set_values
from advisor.jobs.patch import proved
from advisor.records import dataclass
from advisor.remedy.in_place import by_line, values_of
from advisor.remedy.lattice import Subject
from advisor.remedy.nginx import by_file
from advisor.remedy.plan import Allowed, Judge, Plan, make_plan
from advisor.remedy.predict import with_bytes
from advisor.report.gated import Replacement
from advisor.snapshot.model import Snapshot

PASSES = 8
"""More than any chain of shared files needs; past it two targets want the opposite of one file."""

Owner = tuple[int, str, str]
"""A finding: its target's number in the order given, its rule, and its item."""
Edits = dict[str, list[Owned[Owner]]]
First = Mapping[str, tuple[str, ...]]
"""For each rule, the rules whose cure goes first."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What cures the findings.

    ``files`` are those that change, by the name under which they were read: their bytes before and after. ``edits``
    are the same as exact replacements of bytes, sorted and disjoint in each file, each with the findings that it
    belongs to. ``left`` says of every finding that has steps, and is there afterwards, why none was taken.
    """

    files: dict[str, tuple[bytes, bytes]]
    edits: Edits
    left: dict[Owner, str]


def fix(snapshots: Sequence[Snapshot], judges: Sequence[Judge], rules_first: First, allowed: Allowed) -> Fixed:
    """Plan the cure of all targets in place, and prove it.

    Args:
        snapshots: of files alone, under their names; what several of them read under one name is one file.
        judges: one for each; what it leaves out is not cured. It meets each snapshot as it is given here first.
        rules_first: for each rule, the rules whose cure goes first (``consequence_of``).
        allowed: what a person permits.

    Raises:
        PlanError: when it can't be proved, or targets want the opposite of one file.
        InputError: when a file was read twice with other bytes, or can't be edited as planned.
    """
    harm: dict[Owner, str] = {}
    for _ in range(PASSES):
        attempt = _Attempt(snapshots, [_without(one, at, harm) for at, one in enumerate(judges)], rules_first, allowed)
        attempt.run()
        found = attempt.harmful()
        if not found:
            return attempt.fixed(harm)
        harm |= found
    rules = ", ".join(dict.fromkeys(rule for _, rule, _ in found))
    raise PlanError(f"what cures {rules} in one target does harm in another; fix one target at a time")


class _Attempt:
    """One way to the fixpoint; ``failing`` is what fails in each target as it was given, ``last`` its last plan."""

    def __init__(
        self, snapshots: Sequence[Snapshot], judges: Sequence[Judge], rules_first: First, allowed: Allowed
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

    def run(self) -> None:
        """Plan every target, and again those that read what was changed since.

        Raises:
            PlanError: when that finds no end.
        """
        todo = [*range(len(self.snapshots))]
        for _ in range(PASSES):
            stale: set[int] = set()
            for at in todo:
                stale.discard(at)
                stale |= {reader for path in self._plan(at) for reader in self.readers[path]}
            if not stale:
                return
            todo = sorted(stale)
        wanted = [one for at in todo for one in _changes(self.last[at])]
        rules = dict.fromkeys(rule for _, by in wanted for rule in by)
        files = dict.fromkeys(path for path, _ in wanted)
        way = "leave one of them out (--ignore), or fix one target at a time"
        raise PlanError(f"{', '.join(files)}: {', '.join(rules)} still ask for changes after {PASSES} passes; {way}")

    def _plan(self, at: int) -> Iterable[str]:
        """Plan a target on the bytes as they are now; returns the files that change."""
        snapshot, judge = self.snapshots[at], self.judges[at]
        now = with_bytes(snapshot, self.new, self.new)
        try:
            plan = proved(make_plan(now, judge, self.rules_first, self.allowed))
        except PlanError as error:
            raise PlanError(f"{_name(snapshot)}: {error}") from None
        if at not in self.failing:
            self.failing[at] = _subjects(plan) if now is snapshot else _failing(judge, snapshot)
        self.last[at] = plan
        for path, splices in _asked(plan).items():
            owned = [Owned(*splice, self._owners(at, plan, subjects)) for splice, subjects in splices]
            between = self.new.get(path, self.old[path])
            in_order = sorted(owned, key=lambda one: one[:2])
            self.edits[path] = composed(between, self.edits.get(path, []), in_order)
        self.new |= plan.prediction.files | plan.prediction.sysctl_files
        return [*plan.prediction.files, *plan.prediction.sysctl_files]

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
        """Other targets' findings whose cure makes something fail that did not before, and what.

        Raises:
            PlanError: when it is nobody else's.
        """
        found: dict[Owner, str] = {}
        for at, plan in self.last.items():
            for rule, item in sorted(_subjects(plan) - self.failing[at]):
                where = f"{rule} fail ({item or 'host'}) in {_name(self.snapshots[at])}"
                others = [owner for owner in self._before(at) if owner[0] != at]
                if not others:
                    raise PlanError(f"the plan would make {where}; nothing is written")
                found |= dict.fromkeys(others, f"its step would make {where}")
        return found

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
        return Fixed(files, edits, {**left, **harm})


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
                raise InputError(f"{path} changed while it was read; run it again")
            readers.setdefault(path, set()).add(at)
    return contents, readers


def _asked(plan: Plan) -> dict[str, list[tuple[Splice, tuple[Subject, ...]]]]:
    """What a plan puts in the place of which bytes, by file, with the findings that asked for it."""
    before, prediction = Facts(plan.snapshot), plan.prediction
    found: dict[str, list[tuple[Splice, tuple[Subject, ...]]]] = {}
    for path, changes in by_file(prediction.directives).items():
        content = before.snapshot.need("nginx").files[path].content
        _, parts = apply_each(content, path, [change.edit for change in changes])
        found[path] = [(one, change.subjects) for change, part in zip(changes, parts, strict=True) for one in part]
    given = {file.path: file.content for file in before.snapshot.sysctl_files or () if file.given}
    for path, lines in by_line(before, prediction.sysctls).items():
        _, by_number = set_values(given[path], path, values_of(lines))
        found[path] = [(one, lines[number].subjects) for number, part in by_number.items() for one in part]
    return found


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
        return snapshot.nginx.entry
    return next((file.path for file in snapshot.sysctl_files or () if file.given), "the target")


def replacements(fixed: Fixed, named: Callable[[str], str | None] = str) -> dict[Owner, tuple[Replacement, ...]]:
    """What belongs to each finding, in the order of files and places.

    Args:
        fixed: see there.
        named: what a report calls a file, of the name under which it was read; None: as it was read.
    """
    found: dict[Owner, list[Replacement]] = {}
    for path, edits in fixed.edits.items():
        old = fixed.files[path][0]
        for edit in edits:
            one = _replacement(old, named(path) or path, edit)
            for owner in edit.owners:
                found.setdefault(owner, []).append(one)
    return {owner: tuple(parts) for owner, parts in found.items()}


def _replacement(old: bytes, path: str, edit: Owned[Owner]) -> Replacement:
    start_line = old.count(b"\n", 0, edit.start) + 1
    end_line = start_line + old.count(b"\n", edit.start, edit.end)
    begins, ends = column(old, edit.start), column(old, edit.end)
    return Replacement(path, edit.start, edit.end, start_line, begins, end_line, ends, edit.new)
