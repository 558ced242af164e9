"""Real repositories that no one here wrote: what is nginx's or sysctl's in them is found, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from advisor.collect.run import Request
from advisor.jobs.targets import discover, snapshots
from advisor.report.gated import Fault

if TYPE_CHECKING:
    import pathlib

    import pytest

LEAST = 0.97
"""The share of the ``*.conf`` files that must be found; the rest is of php-fpm, or holds nothing that nginx knows."""


def test_its_files_are_found_and_each_fault_has_its_place(
    corpus: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus)
    found = discover(["nginx", "sysctl"])
    seen = {name for target in found.targets for name in target.files} | {one.path for one in found.faults}
    there = [
        os.path.relpath(path, corpus)
        for path in (corpus / "nginx").rglob("*.conf")
        if path.is_file() and not path.name.startswith(".")
    ]
    assert sum(name in seen for name in there) >= LEAST * len(there)
    assert all(one.line is not None and one.column is not None for one in found.faults)
    assert not any(isinstance(made, Fault) for _, made in snapshots(found, Request(host=False)))
    assert {one.kind for one in found.targets} >= {"nginx", "sysctl"}
    assert not any(name.endswith("tuned.conf") for name in seen if name)
