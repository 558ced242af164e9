"""A cure of files as exact replacements of bytes, each with the findings that it belongs to."""

from __future__ import annotations

from collections.abc import Callable

from advisor.facts.derive import Facts
from advisor.formats.nginx import column
from advisor.formats.nginx_edit import apply_each
from advisor.formats.splice import Owned, Splice
from advisor.formats.sysctl_edit import set_values
from advisor.records import dataclass
from advisor.remedy.in_place import by_line, values_of
from advisor.remedy.lattice import Subject
from advisor.remedy.nginx import by_file
from advisor.remedy.plan import Plan
from advisor.report.gated import Replacement

Owner = tuple[int, str, str]
"""A finding: its target's number in the order given, its rule, and its item."""
Edits = dict[str, list[Owned[Owner]]]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What cures the findings.

    ``files`` are those that change, by the name under which they were read: their bytes before and after. ``edits``
    are the same as exact replacements of bytes, sorted and disjoint in each file, each with the findings that it
    belongs to. ``left`` says of every finding that has steps, and is there afterwards, why none was taken.
    ``given_up`` are the targets, by their number, whose cure could not be proved, and why: nothing is changed for them.
    """

    files: dict[str, tuple[bytes, bytes]]
    edits: Edits
    left: dict[Owner, str]
    given_up: dict[int, str]


def asked(plan: Plan) -> dict[str, list[tuple[Splice, tuple[Subject, ...]]]]:
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
