"""Real files that no one here wrote: each is judged, or refused with file and line."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from advisor.collect.run import Request
from advisor.engine.judging import Judging
from advisor.errors import AdvisorError, PlanError
from advisor.jobs import audit, load, patch
from advisor.remedy.plan import Allowed
from advisor.report import FORMATS

if TYPE_CHECKING:
    import pathlib

    from advisor.report.result import Result
    from advisor.snapshot.model import Snapshot

PARTS = 4
"""Parts of the corpus that workers take one by one."""


def files(corpus: pathlib.Path, folder: str, part: int) -> list[pathlib.Path]:
    found = sorted(path for path in (corpus / folder).rglob("*") if path.is_file())
    assert found
    return found[part::PARTS]


RULES = load.rules()


def read(request: Request) -> tuple[Snapshot, Result] | AdvisorError:
    """What is read and found, or why nothing is."""
    try:
        snapshot = load.snapshot(request, None, lambda _: None)
        return snapshot, audit.audit(snapshot, Judging(RULES))
    except AdvisorError as error:
        return error


def judged(path: pathlib.Path, outcomes: Counter[str], request: Request) -> None:
    """Audit one file and plan its patch, as ``--no-host`` does."""
    found = read(request)
    if isinstance(found, AdvisorError):
        assert found.exit_code == 3
        assert re.match(r"/\S.*:\d+: \S", str(found)), (path, str(found))
        outcomes["refused"] += 1
        return
    snapshot, result = found
    for render in FORMATS.values():
        assert render(result, width=80, colour=False)
    outcomes["judged"] += 1
    outcomes["findings"] += len(result.findings)
    assert len({(one.rule, one.item) for one in result.findings}) == len(result.findings), path
    try:
        plan = patch.plan(snapshot, Judging(RULES), Allowed(unsafe=True))
    except PlanError as error:
        outcomes[f"no plan: {error}"] += 1
        return
    assert patch.plan(plan.prediction.snapshot, Judging(RULES), Allowed(unsafe=True)).empty, path


@pytest.mark.parametrize("part", range(PARTS))
def test_every_nginx_file_is_judged_or_refused_with_its_line(corpus: pathlib.Path, part: int) -> None:
    outcomes: Counter[str] = Counter()
    for path in files(corpus, "nginx", part):
        judged(path, outcomes, Request(host=False, nginx_conf=str(path)))
    print(dict(outcomes))  # noqa: T201 (what pytest -s is asked for)
    assert outcomes["judged"] > outcomes["refused"]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_sysctl_file_is_judged(corpus: pathlib.Path, part: int) -> None:
    outcomes: Counter[str] = Counter()
    for path in files(corpus, "sysctl", part):
        judged(path, outcomes, Request(host=False, sysctl_files=(str(path),)))
    print(dict(outcomes))  # noqa: T201 (likewise)
    assert outcomes["judged"]
    assert not outcomes["refused"]
