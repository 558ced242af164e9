"""Cures of real files, in memory: exact, proved, and nothing left to do after them."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator

import pytest
from support.fixing import cure, new, target
from support.snapshots import snapshot_with

from advisor.collect.nginx import read_nginx
from advisor.errors import InputError
from advisor.remedy.predict import with_bytes
from advisor.snapshot.model import Snapshot
from advisor.system import System

PARTS = 2
Kind = Callable[[pathlib.Path, int], Iterator[Snapshot]]


def nginx_targets(corpus: pathlib.Path, part: int) -> Iterator[Snapshot]:
    for path in sorted(path for path in (corpus / "nginx").rglob("*") if path.is_file())[part::PARTS]:
        try:
            nginx, _ = read_nginx(System("/"), str(path))
        except InputError:
            continue
        yield snapshot_with(nginx=nginx)


def sysctl_targets(corpus: pathlib.Path, part: int) -> Iterator[Snapshot]:
    for path in sorted(path for path in (corpus / "sysctl").rglob("*") if path.is_file())[part::PARTS]:
        yield target(sysctl={str(path): path.read_bytes()})


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", [nginx_targets, sysctl_targets])
def test_every_cure_is_exact_and_leaves_nothing_to_do(corpus: pathlib.Path, kind: Kind, part: int) -> None:
    changed = files = edits = 0
    given_up: list[str] = []
    for snapshot in kind(corpus, part):
        files += 1
        fixed = cure(snapshot)
        given_up += fixed.given_up.values()
        if fixed.files:
            changed += 1
            edits += sum(len(each) for each in fixed.edits.values())
            assert not cure(with_bytes(snapshot, new(fixed), new(fixed))).files
    print(f"{files} files, {changed} changed by {edits} edits, given up:", *given_up)  # noqa: T201 (what pytest -s is for)
    assert changed > files // 20
