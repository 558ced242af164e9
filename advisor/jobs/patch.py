"""Plan the cure of a snapshot, prove it, and write the folder."""

from __future__ import annotations

import os
import textwrap

from advisor.collect.crosscheck import difference
from advisor.engine.judging import Judging
from advisor.errors import InputError, PlanError
from advisor.facts.derive import Facts
from advisor.findings import Verdict
from advisor.formats.text import encodable
from advisor.remedy.folder import folder
from advisor.remedy.modules import MODULES_LOAD
from advisor.remedy.plan import Allowed, Outcome, Plan, make_plan
from advisor.remedy.sysctl import DROPIN, FOR_THE_HOST
from advisor.snapshot.model import Snapshot
from advisor.system import write_whole


def plan(
    snapshot: Snapshot, judging: Judging, allowed: Allowed, left: frozenset[tuple[str, str]] = frozenset()
) -> Plan:
    """What the findings ask for, proved; edited files have faced crossplane again.

    Args:
        snapshot: what was read.
        judging: the rules.
        allowed: what a person permits.
        left: the rule and the item of findings that somebody answers for; nothing is planned for them.

    Raises:
        PlanError: when it can't be proved.
    """

    def judge(facts: Facts) -> list[Verdict]:
        return [one for one in judging(facts) if (one.rule, one.item) not in left]

    return proved(make_plan(snapshot, judge, judging.causes, allowed))


def proved(made: Plan) -> Plan:
    """The plan, once crossplane reads what it makes of nginx's files as we do.

    Raises:
        PlanError: when it does not.
    """
    for path, content in made.prediction.files.items():
        differs = difference(content, path)
        if differs is not None:
            raise PlanError(f"{path}: after the edit crossplane and we would read it differently: {differs}")
    return made


def write(made: Plan, out: str) -> list[str]:
    """Write the patch folder; returns the paths written, in order.

    Raises:
        InputError: when the folder is there and holds other things, or can't be written.
    """
    files = folder(made)
    try:
        if os.path.lexists(out) and (os.path.islink(out) or not os.path.isdir(out)):
            raise InputError(f"{out} is there and is no folder; name a new one")
        foreign = _foreign(out)
        if foreign:
            raise InputError(f"{out} holds {foreign[0]}, which no patch wrote; name a new or empty folder")
        _clear(out)
        for path, content in files.items():
            target = os.path.join(out, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            write_whole(target, content)
    except OSError as error:
        raise InputError(f"{error.filename or out} can't be written: {error.strerror}") from None
    return [os.path.join(out, path) for path in files]


_OURS = ("README.md", "plan.json", "nginx.diff", DROPIN.lstrip("/"), MODULES_LOAD.lstrip("/"), FOR_THE_HOST)


def _foreign(out: str) -> list[str]:
    found = (os.path.relpath(os.path.join(base, name), out) for base, _, names in os.walk(out) for name in names)
    return sorted(path for path in found if path not in _OURS)


def _clear(out: str) -> None:
    """Take away an earlier patch, so that none of its files is taken for part of this one."""
    for path in _OURS:
        target = os.path.join(out, path)
        if os.path.lexists(target):
            os.unlink(target)


def summary(made: Plan, paths: list[str], width: int) -> str:
    """What the patch holds, for the person who asked for it."""
    lines = [f"{one.key} = {one.after}    (was {one.before or 'empty'})" for one in made.prediction.sysctls]
    lines += [
        f"{one.place.file}: {one.after};    ({f'was {one.before};' if one.before else 'new'})"
        for one in made.prediction.directives
    ]
    lines += [f"for the host: {one.key} = {one.after}    (was {one.before or 'empty'})" for one in made.host]
    if not lines:
        lines.append("nothing is to be changed")
    for one in made.findings:
        if one.outcome is Outcome.NOT_ADDRESSED and one.finding.steps:
            lines.append(f"left to you: {one.finding.rule} ({one.finding.item or 'host'}): {one.why}")
    tail = [f"wrote {', '.join(paths)}", "nothing was applied; the README.md there says how, and how to undo it"]
    return encodable("\n".join([*_wrap(lines, width), *tail, ""]))


def _wrap(lines: list[str], width: int) -> list[str]:
    """Long lines broken at blanks, continued two columns in."""
    return [
        piece
        for line in lines
        for piece in textwrap.wrap(
            line,
            width,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
    ]
