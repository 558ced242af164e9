"""Control groups of both versions, in trees that stand for a machine."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import TYPE_CHECKING

import pytest

from advisor.collect.cgroup import read_cgroup
from advisor.snapshot.model import Cgroup
from advisor.system import System

if TYPE_CHECKING:
    from support.netns import Netns


def tree(root: pathlib.Path, groups: str, files: dict[str, str], pid: str = "self") -> System:
    for name, text in {f"proc/{pid}/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return System(str(root))


V2 = "0::/system.slice/nginx.service\n"
V1 = "9:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n0::/\n"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (V2, {"sys/fs/cgroup/cgroup.controllers": "cpu memory\n"}, Cgroup()),
        (V2, {"sys/fs/cgroup/system.slice/nginx.service/cpu.max": "max 100000\n"}, Cgroup()),
        (V2, {"sys/fs/cgroup/system.slice/nginx.service/cpu.max": "150000 100000\n"}, Cgroup(cpus=1.5)),
        (
            V2,
            {
                "sys/fs/cgroup/system.slice/nginx.service/cpu.max": "150000 100000\n",
                "sys/fs/cgroup/system.slice/cpu.max": "50000 100000\n",
                "sys/fs/cgroup/system.slice/nginx.service/memory.max": "max\n",
                "sys/fs/cgroup/system.slice/memory.max": "1048576\n",
            },
            Cgroup(cpus=0.5, memory=1048576),
        ),
        (
            V2,
            {
                "sys/fs/cgroup/system.slice/nginx.service/memory.max": "8192\n",
                "sys/fs/cgroup/system.slice/nginx.service/memory.current": "8000\n",
                "sys/fs/cgroup/system.slice/nginx.service/memory.stat": "anon 10\nsock 4096\nshmem 0\n",
                "sys/fs/cgroup/system.slice/memory.max": "16384\n",
                "sys/fs/cgroup/system.slice/memory.current": "9000\n",
            },
            Cgroup(memory=8192, memory_used=8000, sockets=4096),
        ),
        (
            V1,
            {
                "sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "4096\n",
                "sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes": "4000\n",
                "sys/fs/cgroup/memory/docker/1/memory.stat": "cache 10\nrss 20\n",
                "sys/fs/cgroup/memory/docker/1/memory.kmem.tcp.usage_in_bytes": "512\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            Cgroup(cpus=2.0, memory=4096, memory_used=4000, sockets=512),
        ),
        (
            V1,
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            Cgroup(),
        ),
        # Inside a container the path is the host's, and the files stand at the top.
        (
            V1,
            {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            Cgroup(cpus=0.5),
        ),
    ],
)
def test_the_narrowest_limits(tmp_path: pathlib.Path, groups: str, files: dict[str, str], expected: Cgroup) -> None:
    assert read_cgroup(tree(tmp_path, groups, files), None) == expected


def test_it_is_the_group_of_that_process(tmp_path: pathlib.Path) -> None:
    files = {"sys/fs/cgroup/a/cpu.max": "100000 100000\n", "sys/fs/cgroup/b/cpu.max": "300000 100000\n"}
    system = tree(tmp_path, "0::/b\n", files, pid="77")
    tree(tmp_path, "0::/a\n", {})
    assert read_cgroup(system, 77) == Cgroup(cpus=3.0)
    assert read_cgroup(system, None) == Cgroup(cpus=1.0)


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/../other\n", {"sys/fs/cgroup/cgroup.controllers": "cpu\n"}),
        # No group is mounted where they should be.
        (V2, {}),
        (V2, {"sys/fs/somewhere": ""}),
        (V1, {"sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "200000\n"}),
        ("nonsense\n", {}),
        ("0::/a\n", {"sys/fs/cgroup/a/cpu.max": "many 100000\n"}),
        ("0::/a\n", {"sys/fs/cgroup/a/cpu.max": "100000 0\n"}),
    ],
)
def test_what_cannot_be_told_is_not_guessed(tmp_path: pathlib.Path, groups: str, files: dict[str, str]) -> None:
    assert read_cgroup(tree(tmp_path, groups, files), None) is None


def test_without_proc(tmp_path: pathlib.Path) -> None:
    assert read_cgroup(System(str(tmp_path)), None) is None


@pytest.mark.real("ip")
def test_a_sys_without_control_groups_is_not_one_without_limits(netns: Netns) -> None:
    """What ip-netns(8) runs gets a new /sys, on which none is mounted."""
    code = (
        "from advisor.collect.cgroup import *; from advisor.system import System; "
        "print(read_cgroup(System(), None), quota_folder(System(), 1))"
    )
    assert netns.run(sys.executable, "-c", code).stdout == "None None\n"
    assert read_cgroup(System(), None) is not None or not os.listdir("/sys/fs/cgroup")
