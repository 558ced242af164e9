"""Wants of sysctls into values, and values into the drop-in file."""

from __future__ import annotations

from advisor.catalog.sysctl import KEYS, lookup
from advisor.errors import PlanError, Unread
from advisor.facts.derive import Facts
from advisor.facts.values import Ports
from advisor.formats.sysctl import parse
from advisor.records import dataclass
from advisor.remedy.lattice import Target, Wants

DROPIN = "/etc/sysctl.d/90-advisor.conf"
"""Where the patch puts its settings: 60 to 90 are the administrator's numbers (sysctl.d(5))."""

KEPT = "kept from the patch that was here before"
"""Why a line without a rule stands in the file."""

_LONGEST = 4000
"""Bytes of a value that both readers pass on whole; a longer list of ports is cut short without a word."""


@dataclass(frozen=True, slots=True)
class SysctlChange:
    """One key: its whole value before and after, the rules that want it, and what must follow.

    Without a rule it is a line of an earlier patch that is not in force now, and will be once the file is applied.
    """

    key: str
    before: str
    after: str
    rules: tuple[str, ...]
    needs: tuple[str, ...]


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
    parts: dict[str, dict[str | None, Wants]] = {}
    for (place, target), want in wants.items():
        if place is None and (found := lookup(target)) is not None:
            parts.setdefault(found[0].name, {})[found[1]] = want
    earlier = _earlier(facts)
    changes = []
    for key in sorted(parts):
        before = facts.sysctl.text(key)
        after = _whole(facts, key, parts[key])
        rules = tuple(dict.fromkeys(rule for want in parts[key].values() for rule in want.rules))
        if {before, earlier.get(key, before)} != {after}:
            changes.append(SysctlChange(key, before, after, rules, KEYS[key].needs))
    if changes:
        changes += [change for key in earlier.keys() - parts.keys() if (change := _again(facts, key, earlier[key]))]
    return sorted(changes, key=lambda change: change.key)


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
    if len(text) > _LONGEST:
        raise PlanError(f"{key} would be {len(text)} bytes long; readers cut it at {_LONGEST}: reserve ranges instead")
    if entry.kind in {"int", "vector"}:
        for number in map(int, text.split()):
            if (entry.low is not None and number < entry.low) or (entry.high is not None and number > entry.high):
                raise PlanError(f"{key} = {text} is outside of {entry.low} to {entry.high}")
    return text


def drop_in(facts: Facts, changes: list[SysctlChange], reasons: dict[str, str]) -> bytes:
    """The drop-in file: what an earlier patch set stays, what changes stands under its reason and previous value."""
    lines = ["# Written by advisor. One key a line; delete a line, or this file, to take it back at the next boot."]
    changed = {change.key for change in changes}
    for key, text in _earlier(facts).items():
        if key not in changed:
            lines += ["", f"# {KEPT}", f"{key} = {text}"]
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
    """Why a key can't be changed: it could not be read; None when it can."""
    try:
        current(facts, target)
    except Unread as unread:
        return unread.why
    return None
