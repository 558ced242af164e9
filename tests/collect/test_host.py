"""This machine, and trees that stand for one."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import psutil
import pytest

from advisor.collect.host import read_host
from advisor.errors import InputError
from advisor.system import System


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/hostname").write_text("web-7\n")
    (tmp_path / "proc/sys/kernel/osrelease").write_text("6.1.0-18-amd64\n")
    return tmp_path


def test_this_machine() -> None:
    host = read_host(System())
    assert (host.name, host.kernel) == (os.uname().nodename, os.uname().release)
    assert (host.cpus, host.memory) == (psutil.cpu_count(), psutil.virtual_memory().total)
    assert host.netns == "host" or host.netns.isdigit()
    assert host.root is (os.geteuid() == 0)


@pytest.mark.real
def test_a_namespace_is_named_by_its_inode(inside: Any) -> None:
    host, ours = inside.ask(
        "import os\nfrom advisor.collect.host import read_host\n"
        "answer = [read_host(System()), os.stat('/proc/self/ns/net').st_ino]"
    )
    assert host["netns"] == str(ours)


@pytest.mark.real
def test_who_shares_a_namespace_is_seen_without_root(inside: Any) -> None:
    pid = inside.crowd("states").pid
    as_nobody = "import os\nfrom advisor.collect.host import shares_network\nos.setgid(65534); os.setuid(65534)\n"
    assert inside.ask(f"{as_nobody}answer = [shares_network({pid}), shares_network({os.getpid()})]") == [True, False]


def test_a_tree(root: pathlib.Path) -> None:
    (root / "proc/stat").write_text("cpu  1\ncpu0 1\ncpu1 1\n")
    (root / "proc/meminfo").write_text("MemTotal: 4 kB\n")
    host = read_host(System(str(root)))
    assert (host.name, host.kernel, host.cpus, host.memory) == ("web-7", "6.1.0-18-amd64", 2, 4096)
    assert (host.netns, host.container, host.root) == ("host", None, False)


def test_what_a_tree_lacks_is_none(root: pathlib.Path) -> None:
    host = read_host(System(str(root)))
    assert (host.cpus, host.memory) == (None, None)


def test_a_broken_tree_is_named(root: pathlib.Path) -> None:
    (root / "proc/meminfo").write_text("MemTotal: much\n")
    with pytest.raises(InputError, match="/proc/meminfo: line 1: 'MemTotal: much' is no size in kB"):
        read_host(System(str(root)))


@pytest.mark.parametrize(
    ("path", "text", "engine"),
    [
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        (".dockerenv", "", "docker"),
        ("run/.containerenv", "", "podman"),
        ("proc/1/cgroup", "0::/kubepods.slice/x\n", "kubepods"),
        ("proc/1/cgroup", "0::/init.scope\n", None),
    ],
)
def test_the_marks_of_engines(root: pathlib.Path, path: str, text: str, engine: str | None) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    assert read_host(System(str(root))).container == engine
