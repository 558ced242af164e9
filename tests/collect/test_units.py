"""The names of control groups, in a tree with folders like theirs."""

from __future__ import annotations

import pathlib

from advisor.collect.units import read_units, unit_of
from advisor.system import System


def test_units_are_named_by_the_inode_of_their_folder(tmp_path: pathlib.Path) -> None:
    top = tmp_path / "sys/fs/cgroup"
    paths = {
        "system.slice/nginx.service": "nginx.service",
        "user.slice/user-0.slice/user@0.service/app.slice/run-1.scope/deeper": "run-1.scope",
        "system.slice/docker-0123.scope": "docker-0123.scope",
        "docker/0123": "docker/0123",
    }
    numbers: dict[str, int] = {}
    for path in paths:
        (top / path).mkdir(parents=True)
        numbers[path] = (top / path).stat().st_ino
    (top / "cgroup.procs").touch()
    system = System(str(tmp_path))
    names = read_units(system, {*numbers.values(), None, 0, 1, 2**63})
    assert names == {numbers[path]: name for path, name in paths.items()}
    assert unit_of(names, [numbers["docker/0123"]]) == "docker/0123"
    assert unit_of(names, list(numbers.values())) is None
    assert unit_of(names, [None]) is None
    assert unit_of(names, []) is None
    assert read_units(System(str(tmp_path / "sys")), {5}) == {}
