"""Which steps are taken: what a person permits, what can be edited, and what can be set where we stand."""

from __future__ import annotations

from typing import NamedTuple

from advisor.catalog.sysctl import lookup
from advisor.facts.derive import Facts
from advisor.facts.managed import certbot_line, managed
from advisor.facts.scope import for_the_host
from advisor.findings import Finding, Place, Safety, Step
from advisor.records import replace
from advisor.remedy.in_place import no_line
from advisor.remedy.sysctl import made_with, readable

ADVICE = "advice, to be done by a person"


class Allowed(NamedTuple):
    """What a person permits: steps that may change traffic, edits of files and lines that other programs write.

    ``in_place``: nothing but files that are there is changed; a sysctl in the given file that sets it, and wherever
    that will be applied.
    """

    unsafe: bool = False
    managed: bool = False
    in_place: bool = False


def refused(step: Step, before: Facts, allowed: Allowed) -> str | None:
    """Why a step is not taken; None when it is."""
    return _unfit(step, before, allowed) or (None if allowed.in_place else waits(step, before))


def waits(step: Step, before: Facts) -> str | None:
    """Why a step waits for the host; None when it can be taken here."""
    keys = (lookup(change.target) for change in step.changes if change.place is None)
    reasons = (for_the_host(before.snapshot, found[0].name) for found in keys if found is not None)
    return next((why for why in reasons if why is not None), None)


def placed(step: Step, before: Facts) -> Step:
    """The step, with ``host`` or ``container`` among what it needs where it can't be taken here."""
    if all(change.place is not None for change in step.changes):
        return step
    needs = "host" if waits(step, before) else "container" if made_with(before) else None
    return step if needs is None else replace(step, needs=(*step.needs, needs))


def host_step(finding: Finding, before: Facts, allowed: Allowed) -> Step | None:
    """The first step that would be taken if this were the host; None where there is none."""
    return next((step for step in finding.steps if _unfit(step, before, allowed) is None), None)


def _unfit(step: Step, before: Facts, allowed: Allowed) -> str | None:
    """Why a step would not even be taken on the host; None when it would."""
    if step.safety is Safety.MANUAL:
        return ADVICE
    if step.skipped is not None:
        return step.skipped
    if step.safety is Safety.UNSAFE and not allowed.unsafe:
        return "its step is unsafe; --unsafe takes it"
    for change in step.changes:
        place = change.place
        why = _unset(before, change.target, allowed) if place is None else _uneditable(before, place, allowed)
        if why is not None:
            return why
    return None


def _unset(before: Facts, target: str, allowed: Allowed) -> str | None:
    """Why a sysctl can't be set; None when it can."""
    if (why := readable(before, target)) is not None:
        return f"{target} could not be read: {why}"
    return no_line(before, target, allowed.managed) if allowed.in_place else None


def _uneditable(before: Facts, place: Place, allowed: Allowed) -> str | None:
    file = before.snapshot.nginx.files.get(place.file) if before.snapshot.nginx else None
    if file is None:
        return f"{place.file} was not read"
    if file.differs is not None:
        return f"{place.file} is judged, never edited: {file.differs}"
    if allowed.managed:
        return None
    node = before.nginx.config.tree.find(place)
    why = managed(place.file, file.content)
    if why is None and node is not None:
        why = certbot_line(place.file, file.content, node.statement.end)
    return None if why is None else f"{why}; --managed edits it all the same"
