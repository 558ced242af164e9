"""The limits of a systemd service, in trees that stand for a machine."""

from __future__ import annotations

import os
import pathlib

import pytest

from advisor.collect.unit import read_unit, service_of
from advisor.snapshot.model import Unit
from advisor.system import System

ETC, LIB = "etc/systemd/system", "usr/lib/systemd/system"
NGINX = "0::/system.slice/nginx.service\n"


def tree(root: pathlib.Path, files: dict[str, str], groups: str = NGINX) -> System:
    for name, text in {"proc/7/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return System(str(root))


def read(root: pathlib.Path, files: dict[str, str], groups: str = NGINX) -> tuple[Unit | None, list[tuple[str, str]]]:
    problems: list[tuple[str, str]] = []
    return read_unit(tree(root, files, groups), 7, problems), problems


def told(unit: Unit | None) -> list[tuple[str, int, str, str]]:
    assert unit is not None
    return [(one.path, one.line, one.name, one.value) for one in unit.limits]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (NGINX, "nginx.service"),
        ("9:memory:/\n1:name=systemd:/system.slice/nginx.service\n0::/\n", "nginx.service"),
        ("0::/system.slice/web@a.service/worker\n", "web@a.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/web.service\n", None),
        ("0::/system.slice/docker-0a1b.scope\n", None),
        ("4:cpu:/system.slice/nginx.service\n", None),
        ("nonsense\n", None),
        ("", None),
    ],
)
def test_the_service_of_a_control_group(groups: str, expected: str | None) -> None:
    assert service_of(groups) == expected


def test_the_unit_its_drop_ins_and_the_manager_s_defaults(tmp_path: pathlib.Path) -> None:
    files = {
        "etc/systemd/system.conf": "[Manager]\n#DefaultLimitNOFILE=1:2\nDefaultLimitNOFILE=1024:524288\n",
        "usr/lib/systemd/system.conf.d/10-a.conf": "[Manager]\nDefaultTasksMax=50%\n",
        f"{LIB}/nginx.service": (
            "[Unit]\nLimitNOFILE=9\n[Service]\nEnvironment=SECRET=1\n"
            "LimitNOFILE = 2048\nExecStart=/x \\\n  MemoryMax=1\n"
        ),
        f"{LIB}/nginx.service.d/50-b.conf": "[Service]\nLimitNOFILE=4096\n",
        f"{ETC}/nginx.service.d/90-c.conf": "[Service]\r\nMemoryMax=1G\r\n; LimitNOFILE=7\r\nCPUQuota=150%\r\n",
        f"{ETC}/nginx.service.d/readme.txt": "[Service]\nLimitNOFILE=1\n",
        f"{ETC}/service.d/60-all.conf": "[Service]\nTasksMax=100\n",
    }
    unit, problems = read(tmp_path, files)
    assert (unit and unit.name, problems) == ("nginx.service", [])
    assert told(unit) == [
        ("/etc/systemd/system.conf", 3, "DefaultLimitNOFILE", "1024:524288"),
        ("/usr/lib/systemd/system.conf.d/10-a.conf", 2, "DefaultTasksMax", "50%"),
        (f"/{LIB}/nginx.service", 5, "LimitNOFILE", "2048"),
        (f"/{LIB}/nginx.service.d/50-b.conf", 2, "LimitNOFILE", "4096"),
        (f"/{ETC}/service.d/60-all.conf", 2, "TasksMax", "100"),
        (f"/{ETC}/nginx.service.d/90-c.conf", 2, "MemoryMax", "1G"),
        (f"/{ETC}/nginx.service.d/90-c.conf", 4, "CPUQuota", "150%"),
    ]


def test_a_file_in_etc_masks_those_of_its_name(tmp_path: pathlib.Path) -> None:
    files = {
        f"{LIB}/nginx.service": "[Service]\nLimitNOFILE=1\n",
        f"{ETC}/nginx.service": "[Service]\nLimitNOFILE=2\n",
        f"{LIB}/nginx.service.d/a.conf": "[Service]\nLimitNOFILE=3\n",
        f"{LIB}/nginx.service.d/b.conf": "[Service]\nLimitNOFILE=4\n",
    }
    tree(tmp_path, files)
    (tmp_path / f"{ETC}/nginx.service.d").mkdir()
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/null").touch()
    os.symlink("/dev/null", tmp_path / f"{ETC}/nginx.service.d/a.conf")
    unit, problems = read(tmp_path, {})
    assert [value for _, _, _, value in told(unit)] == ["2", "4"]
    assert problems == []


def test_a_template_lends_its_file(tmp_path: pathlib.Path) -> None:
    files = {
        f"{LIB}/web@.service": "[Service]\nLimitNOFILE=1\n",
        f"{ETC}/web@.service.d/a.conf": "[Service]\nLimitNOFILE=2\n",
        f"{ETC}/web@x.service.d/b.conf": "[Service]\nLimitNOFILE=3\n",
    }
    unit, _ = read(tmp_path, files, "0::/system.slice/web@x.service\n")
    assert [value for _, _, _, value in told(unit)] == ["1", "2", "3"]


def test_what_is_no_file_is_said_and_what_is_long_is_cut(tmp_path: pathlib.Path) -> None:
    tree(tmp_path, {f"{LIB}/nginx.service": "[Service]\nLimitNOFILE=" + "9" * 5000 + "\n"})
    (tmp_path / f"{ETC}/nginx.service.d/a.conf").mkdir(parents=True)
    unit, problems = read(tmp_path, {})
    assert [len(value) for _, _, _, value in told(unit)] == [200]
    assert problems == [("processes", f"/{ETC}/nginx.service.d/a.conf can't be read: not a regular file")]


def test_without_a_service(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, {}, "0::/\n") == (None, [])
    assert read_unit(System(str(tmp_path)), 8, []) is None
