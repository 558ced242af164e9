"""Wants of sysctls into values, and values into the drop-in file."""

from __future__ import annotations

from advisor.catalog.sysctl import KEYS, lookup
from advisor.errors import PlanError, Unread
from advisor.facts.derive import Facts
from advisor.facts.scope import cannot_set, for_the_host
from advisor.facts.values import Ports
from advisor.formats.sysctl import parse
from advisor.records import dataclass
from advisor.remedy.lattice import Subject, Target, Wants

DROPIN = "/etc/sysctl.d/90-advisor.conf"
"""Where the patch puts its settings: 60 to 90 are the administrator's numbers (sysctl.d(5))."""

FOR_THE_HOST = "host" + DROPIN
"""Where in the patch folder the file stands that the host must take."""

KEPT = "kept from the patch that was here before"
"""Why a line without a rule stands in the file."""


@dataclass(frozen=True, slots=True)
class SysctlChange:
    """One key: its whole value before and after, the rules that want it, and what must follow.

    ``subjects`` are the findings that want it. Without a rule it is a line of an earlier patch that is not in force
    now, and will be once the file is applied.
    """

    key: str
    before: str
    after: str
    rules: tuple[str, ...]
    needs: tuple[str, ...]
    subjects: tuple[Subject, ...] = ()


def current(facts: Facts, target: str) -> float | str:
    """The value of a key or of a part of it, to be changed.

    Raises:
        Unread: when it could not be read: what was not read is never written.
    """
    found = lookup(target)
    if found is None:
        raise PlanError(f"{target} is no sysctl of the catalogue")
    value = facts.sysctl.value(found[0].name, found[1])
    return str(value) if isinstance(value, Ports) else value


def sysctl_changes(facts: Facts, wants: dict[Target, Wants]) -> list[SysctlChange]:
    """The keys whose value changes, sorted; vectors whole.

    A line of an earlier patch is not changed only where it says the same: it is applied again with the rest.
    """
    earlier = {} if made_with(facts) else _earlier(facts)
    asked = wanted(facts, wants)
    changes = [change for change in asked if {change.before, earlier.get(change.key, change.before)} != {change.after}]
    if changes:
        others = earlier.keys() - {change.key for change in asked}
        changes += [change for key in others if (change := _again(facts, key, earlier[key]))]
    return sorted(changes, key=lambda change: change.key)


def host_changes(facts: Facts, wants: dict[Target, Wants]) -> list[SysctlChange]:
    """The keys that the host must change, sorted, of what is wanted; nothing is known of its earlier patches."""
    asked = wanted(facts, wants)
    return [one for one in asked if one.before != one.after and for_the_host(facts.snapshot, one.key) is not None]


def made_with(facts: Facts) -> bool:
    """Whether sysctls are given where the container is made: no file here would be read.

    Files that the user gave are judged as if they were applied all the same.
    """
    given = any(file.given for file in facts.snapshot.sysctl_files or ())
    return cannot_set(facts.snapshot) and not given


def wanted(facts: Facts, wants: dict[Target, Wants]) -> list[SysctlChange]:
    """Every key that is wanted something of, be it so already, sorted; vectors whole."""
    parts: dict[str, dict[str | None, Wants]] = {}
    for (place, target), want in wants.items():
        if place is None and (found := lookup(target)) is not None:
            parts.setdefault(found[0].name, {})[found[1]] = want
    changes = []
    for key in sorted(parts):
        subjects = tuple(dict.fromkeys(one for want in parts[key].values() for one in want.subjects))
        rules = tuple(dict.fromkeys(rule for rule, _ in subjects))
        after = _whole(facts, key, parts[key])
        changes.append(SysctlChange(key, facts.sysctl.text(key), after, rules, KEYS[key].needs, subjects))
    return changes


def _again(facts: Facts, key: str, text: str) -> SysctlChange | None:
    """What a line of an earlier patch changes when its file is applied again; None where it is in force."""
    try:
        before = facts.sysctl.text(key)
    except Unread:
        return None
    return SysctlChange(key, before, text, (), KEYS[key].needs) if key in KEYS and text != before else None


def _whole(facts: Facts, key: str, wants: dict[str | None, Wants]) -> str:
    entry = KEYS[key]
    if entry.kind != "vector":
        value = wants[None].value(current(facts, key))
        return _checked(key, _kernel(key, value))
    words = [facts.sysctl.value(key, part) for part in entry.parts]
    for index, part in enumerate(entry.parts):
        if part in wants:
            words[index] = wants[part].value(float(words[index]))  # type: ignore[arg-type]  # parts are numbers
    return _checked(key, " ".join(_kernel(key, word) for word in words if not isinstance(word, Ports)))


def _kernel(key: str, value: float | str) -> str:
    """In the kernel's own unit."""
    return value if isinstance(value, str) else str(round(value / KEYS[key].scale))


def _checked(key: str, text: str) -> str:
    entry = KEYS[key]
    if not entry.writable:
        raise PlanError(f"{key} is not among the keys a patch may write")
    if entry.kind in {"int", "vector"}:
        for number in map(int, text.split()):
            if (entry.low is not None and number < entry.low) or (entry.high is not None and number > entry.high):
                raise PlanError(f"{key} = {text} is outside of {entry.low} to {entry.high}")
    return text


def drop_in(facts: Facts, changes: list[SysctlChange], reasons: dict[str, str]) -> bytes:
    """The drop-in file: what an earlier patch set stays, what changes stands under its reason and previous value."""
    changed = {change.key for change in changes}
    kept = [(key, text) for key, text in _earlier(facts).items() if key not in changed]
    return drop_in_of([line for key, text in kept for line in ("", f"# {KEPT}", f"{key} = {text}")], changes, reasons)


def drop_in_of(kept: list[str], changes: list[SysctlChange], reasons: dict[str, str]) -> bytes:
    """A drop-in file that begins with these lines: what changes stands under its reason and previous value."""
    lines = ["# Written by advisor. One key a line; delete a line, or this file, to take it back at the next boot."]
    lines += kept
    for change in changes:
        lines.append("")
        lines += [f"# {rule}: {reasons[rule]}" for rule in change.rules] or [f"# {KEPT}"]
        lines += [f"# before: {change.before or '(empty)'}", f"{change.key} = {change.after}"]
    return "\n".join([*lines, ""]).encode()


def _earlier(facts: Facts) -> dict[str, str]:
    """What an earlier patch set, sorted by key, blanks made single."""
    for file in facts.snapshot.sysctl_files or ():
        if file.path == DROPIN:
            last = {setting.key: " ".join(setting.value.split()) for setting in parse(file.content, DROPIN).settings}
            return dict(sorted(last.items()))
    return {}


def readable(facts: Facts, target: str) -> str | None:
    """Why a key can't be changed: it, or another part of it, could not be read; None when it can."""
    found = lookup(target)
    others = [(found[0].name, part) for part in found[0].parts] if found is not None else []
    try:
        current(facts, target)
        for key, part in others:
            facts.sysctl.value(key, part)
    except Unread as unread:
        return unread.why
    return None
