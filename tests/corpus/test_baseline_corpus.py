"""A baseline over real files: silent through edits that mean nothing to what it names, not through those that do."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.editing import Edit, harmless, removed, with_dead_key, without_key, worsened

from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.errors import AdvisorError
from advisor.facts.derive import Facts
from advisor.findings import Finding, State
from advisor.gate.baseline import Baseline, baseline_of, compare, dumps, loads
from advisor.jobs import load

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from advisor.snapshot.model import Snapshot

PARTS = 4
"""Parts that workers take one by one."""
EDITS = 250
"""Edits a part, of either kind."""
JUDGING = Judging(load.rules())
EACH = {rule.id: rule.written.each or "" for rule in JUDGING.rules}
POINTED = ("nginx.set.", "nginx.error_logs", "nginx.proxying.connect_timeouts", "nginx.requests.buffers")
"""Where these stand there is one finding a directive: without it, there is one less."""
KEYS = {rule.id: {name.key for name in rule.when.names.values()} for rule in JUDGING.rules}
"""The sysctls that a rule asks for: where it is one only, there is no finding without its lines."""


def judged(snapshot: Snapshot) -> list[Finding]:
    return [verdict.finding for verdict in JUDGING(Facts(snapshot)) if verdict.finding is not None]


class Held:
    """A file of the corpus, and the baseline that was written for it once."""

    def __init__(self, name: str, before: Snapshot) -> None:
        self.name = name
        self.before = before
        self.findings = judged(before)
        self.baseline: Baseline = loads(dumps(baseline_of(self.findings)).encode(), "baseline")

    def says(self, edit: Edit) -> list[str]:
        """What a run after an edit has to tell."""
        compared = compare(self.baseline, judged(edit.after), "baseline")
        new = [f"new: {one.rule} {one.place}" for one in compared.findings if one.state is State.FAIL]
        return new + [f"cured: {one.rule} {one.place} {one.count}" for one in compared.gone]


def held(corpus: pathlib.Path, part: int) -> list[Held]:
    """The files of a part in which anything is found."""
    found = []
    for path in sorted(path for path in corpus.glob("*/**/*") if path.is_file())[part::PARTS]:
        kind = path.relative_to(corpus).parts[0]
        options = {"nginx": {"nginx_conf": str(path)}, "sysctl": {"sysctl_files": (str(path),)}}
        try:
            one = Held(str(path), load.snapshot(Request(host=False, **options[kind]), None, lambda _: None))
        except (AdvisorError, KeyError):
            continue
        if one.findings:
            found.append(one)
    return found


def touching(one: Held, draw: random.Random) -> Edit | None:
    """An edit that changes how many findings there are at a place, whatever the rules are: see each kind of edit."""
    ways: list[Callable[[], Edit | None]] = [lambda: worsened(one.before, draw)]
    if one.before.nginx is None:
        ways = [lambda: with_dead_key(one.before, draw)]
    for finding in one.findings:
        if one.before.nginx is not None and EACH[finding.rule].startswith(POINTED):
            ways.append(lambda finding=finding: removed(one.before, finding))  # type: ignore[misc]  # (see above)
        if one.before.nginx is None and (
            KEYS[finding.rule] == {finding.location.key} or finding.rule == "dead-key-set"
        ):
            ways.append(lambda finding=finding: without_key(one.before, finding))  # type: ignore[misc]  # (see above)
    return draw.choice(ways)()


@pytest.mark.parametrize("part", range(PARTS))
def test_edits_that_touch_nothing_are_met_with_silence(corpus: pathlib.Path, part: int) -> None:
    draw = random.Random(part)  # noqa: S311 (the same edits each time)
    files = held(corpus, part)
    done: Counter[str] = Counter()
    for number in range(EDITS):
        one = files[number % len(files)]
        edit = harmless(one.before, draw)
        assert one.says(edit) == [], (one.name, edit.what)
        done.update(edit.what.split(", "))
    print(len(files), "files", dict(done))  # noqa: T201 (what pytest -s is asked for)


@pytest.mark.parametrize("part", range(PARTS))
def test_edits_that_touch_what_it_names_are_told(corpus: pathlib.Path, part: int) -> None:
    draw = random.Random(part)  # noqa: S311 (likewise)
    files = held(corpus, part)
    done: Counter[str] = Counter()
    while done.total() < EDITS:
        one = draw.choice(files)
        edit = touching(one, draw)
        if edit is not None:
            assert one.says(edit), (one.name, edit.what)
            done[edit.what.split(",")[0]] += 1
    print(len(files), "files", dict(done))  # noqa: T201 (likewise)
