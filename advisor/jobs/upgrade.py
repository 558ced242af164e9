"""What a move from one version of nginx to another means for a configuration, as text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

from advisor.catalog.behaviours import BEHAVIOURS
from advisor.catalog.changes import APPEARED, NEWEST, OLDER_DEFAULTS, OLDEST, PARAMETERS, REMOVED
from advisor.catalog.directives import DIRECTIVES
from advisor.errors import InputError, Unread, UsageError
from advisor.facts.derive import Facts
from advisor.facts.upgrade import BEHAVIOUR, DEFAULT, INERT, REFUSED, WARNED, Effect, Move, numbers
from advisor.facts.values import Version
from advisor.formats.text import encodable
from advisor.records import replace
from advisor.snapshot.model import Snapshot

_SHOWN = 3
"""Places that a person is shown of one change; ``-f json`` has all of them."""
_SOURCE = "https://nginx.org/en/CHANGES"
_HEADS = {
    REFUSED: "refused: nginx {to} would not start with it",
    DEFAULT: "defaults that change, where nothing is set",
    INERT: "directives that nginx heeds in one of the two versions only",
    BEHAVIOUR: "what nginx does otherwise",
    WARNED: "deprecated: it works, with a warning",
}


class Report(NamedTuple):
    """What was found; ``notes`` say what could not be compared; ``compared`` what was."""

    was: str
    now: str
    entry: str
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]
    compared: str
    source: str = _SOURCE

    @property
    def refused(self) -> bool:
        """Whether the version that is moved to would not start."""
        return any(one.kind == REFUSED for one in self.effects)


def check(snapshot: Snapshot, was: str, now: str) -> Report:
    """Compare two versions for a configuration.

    Raises:
        UsageError: when a version is none, or both are the same.
        InputError: when the configuration holds what nginx would refuse, and the answer rests on it.
    """
    first, last = _version(was), _version(now)
    if first == last:
        raise UsageError(f"{was} and {now} are one version; name the one that runs and the one to come")
    nginx = Facts(replace(snapshot, nginx=replace(snapshot.nginx, version=was))).nginx
    try:
        effects = Move(nginx.config, nginx.servers, first, last).effects()
    except Unread as unread:
        raise InputError(f"{unread.why}; correct it first") from None
    return Report(was, now, nginx.config.tree.nginx.entry, tuple(effects), tuple(_notes(first, last)), _compared())


def _version(text: str) -> tuple[int, ...]:
    try:
        return Version.parse(text).parts
    except ValueError:
        raise UsageError(f"{text}: write a version as nginx -v does, for example 1.22.1") from None


def _notes(*versions: tuple[int, ...]) -> Iterator[str]:
    if min(versions) < numbers(OLDEST):
        yield f"what changed before {OLDEST} is not compared"
    if max(versions) > numbers(NEWEST):
        yield f"what changed after {NEWEST} is not known here"


def _compared() -> str:
    defaults = len(OLDER_DEFAULTS) + sum(bool(entry.later) for entry in DIRECTIVES.values())
    gone = sum(entry.gone is not None for entry in DIRECTIVES.values())
    return (
        f"{len(APPEARED)} directives that came, {len(REMOVED)} that went and {gone} that do nothing any more,"
        f" {len(PARAMETERS)} parameters, {defaults} defaults and {len(BEHAVIOURS)} changes of behaviour,"
        f" of nginx.org's releases from {OLDEST} to {NEWEST}; a distribution may have added to its own, and modules of"
        " others are not among them"
    )


def as_json(report: Report, _: int) -> str:
    """The whole report; ``schema`` names its shape."""
    effects = [{**one._asdict(), "places": [place._asdict() for place in one.places]} for one in report.effects]
    found = {"schema": "advisor.upgrade/v1", **report._asdict(), "refused": report.refused, "effects": effects}
    return encodable(json.dumps(found, indent=2)) + "\n"


def as_text(report: Report, width: int) -> str:
    """For people: each line at most ``width`` characters wide where words allow it."""
    lines = [piece for text, indent in _lines(report) for piece in _wrapped(text, indent, width)]
    return encodable("\n".join(lines) + "\n")


def _lines(report: Report) -> Iterator[tuple[str, int]]:
    yield f"nginx {report.was} to {report.now} · {report.entry}", 0
    for note in report.notes:
        yield f"note: {note}", 0
    older, newer = sorted((report.was, report.now), key=numbers)
    for kind, effects in groupby(report.effects, key=lambda one: one.kind):
        yield "", 0
        yield _HEADS[kind].format(to=report.now), 0
        for one in effects:
            yield one.title, 2
            yield f"{f'in {older}' if kind == DEFAULT else f'before {one.since}'}: {one.before}", 4
            yield f"{f'in {newer}' if kind == DEFAULT else f'from {one.since} on'}: {one.after}", 4
            yield from _where(one)
    yield "", 0
    if not report.effects:
        yield "nothing of this configuration changes its meaning", 0
    yield f"compared: {report.compared}", 0
    yield f"source: {report.source}", 0


def _where(one: Effect) -> Iterator[tuple[str, int]]:
    rest = len(one.places) - _SHOWN
    places = [f"{place.file}:{place.line} ({place.block})" for place in one.places[:_SHOWN]]
    yield f"at {', '.join(places)}{f' and {rest} more' if rest > 0 else ''}", 4
    if one.keep:
        yield f"{'instead' if one.kind == REFUSED else 'to keep it as it was'}: {one.keep}", 4


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    first, later = " " * indent, " " * (indent + 4 if indent else 2)
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    ) or [""]


FORMATS: dict[str, Callable[[Report, int], str]] = {"text": as_text, "json": as_json}
"""By name: the report and the width in characters."""
