"""Sysctls changed in the given files that set them: the line that wins, and no other byte."""

from __future__ import annotations

from advisor.catalog.sysctl import lookup
from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.facts.managed import managed
from advisor.facts.sysctl import taken
from advisor.formats.sysctl_edit import Value, set_values
from advisor.remedy.lattice import Target, Wants
from advisor.remedy.sysctl import SysctlChange, wanted

_Lines = dict[str, dict[int, SysctlChange]]
"""The changes by file and line."""


def no_line(facts: Facts, target: str, whatever_writes_it: bool) -> str | None:  # noqa: FBT001 (what a person permits)
    """Why no given file can be changed to set a key, or a part of it; None when one can.

    Args:
        facts: of the snapshot as it is.
        target: the key with its part.
        whatever_writes_it: be the file written by another program.
    """
    found = lookup(target)
    line = facts.sysctl.setter(found[0].name) if found is not None else None
    if line is None:
        return f"no file here sets {target if found is None else found[0].name}"
    file, setting = line
    where = f"{file.path}:{setting.line}"
    if setting.only is not None:
        return f"{where} is read by {setting.only} alone: edit it by hand"
    if not any(one.file is file and one.setting == setting for one in facts.advice.lines):
        return f"{where} sets no sysctl: the file holds what 'sysctl -a' printed, or the line is of another section"
    why = None if whatever_writes_it else managed(file.path, file.content)
    return None if why is None else f"{why}; --managed edits it all the same"


def in_their_files(facts: Facts, wants: dict[Target, Wants]) -> list[SysctlChange]:
    """The keys whose value changes, sorted; vectors whole."""
    return [change for change in wanted(facts, wants) if change.before != change.after]


def rewritten(facts: Facts, changes: list[SysctlChange]) -> dict[str, bytes]:
    """The new bytes of every sysctl file that changes.

    Raises:
        PlanError: when no given file sets one of the keys.
        InputError: when an edit would change more than was planned.
    """
    contents = {file.path: file.content for file in facts.snapshot.sysctl_files or () if file.given}
    return {
        path: set_values(contents[path], path, values_of(lines))[0] for path, lines in by_line(facts, changes).items()
    }


def by_line(facts: Facts, changes: list[SysctlChange]) -> _Lines:
    """The changes by the file and the line that wins.

    Raises:
        PlanError: when no given file sets one of the keys.
    """
    found: _Lines = {}
    for change in changes:
        line = facts.sysctl.setter(change.key)
        if line is None:
            raise PlanError(f"no file here sets {change.key}; nothing is written")
        found.setdefault(line[0].path, {})[line[1].line] = change
    return dict(sorted(found.items()))


def values_of(lines: dict[int, SysctlChange]) -> dict[int, Value]:
    """What each line is to say."""
    return {line: Value(change.after, taken(change.key)) for line, change in lines.items()}
