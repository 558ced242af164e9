"""Network namespaces by name and by pid: entered as root, looked at from outside as nobody."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import threading
from typing import Any

import pytest
from support.netns import Netns

from advisor.collect.netns import entered, process_of
from advisor.errors import InputError

ROOT = pathlib.Path(__file__).parent.parent.parent
CROWD = str(ROOT / "tests/collect/crowd.py")
NOBODY = """
import ctypes, fcntl, json, os
from pydantic_core import to_jsonable_python
from advisor.collect import cgroup, counters, gauges, host, modules, netns, readers, sockets
from advisor.collect.run import Request, collect
to_jsonable_python(None)
os.setgid(65534); os.setuid(65534)
for name in {names}:
    try:
        print(json.dumps(to_jsonable_python(collect(Request(netns=name, sample=0)), fallback=vars)))
    except Exception as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""
INTO = """
import contextlib, json, os
from pydantic_core import to_jsonable_python
from advisor.collect.netns import entered
from advisor.collect.run import Request, collect
def inode(): return os.stat("/proc/self/ns/net").st_ino
for name in {names}:
    request = Request(netns=name, sample=0, only=("host", "sockets", "sysctls", "held"))
    found = to_jsonable_python(collect(request), fallback=vars)
    with contextlib.suppress(RuntimeError), entered(name):
        there = inode()
        raise RuntimeError
    print(json.dumps([found, there, inode()]))
print(inode())
"""


def said(program: str, names: list[str]) -> list[Any]:
    """What a process of its own, which has one thread, prints: JSON, line by line."""
    argv = [sys.executable, "-c", program.format(names=names)]
    run = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT, timeout=60)
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture
def crowded(netns: Netns) -> tuple[str, str]:
    """A namespace with sockets: its name, and the pid of a process in it."""
    process = netns.start(sys.executable, CROWD, "leak", stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return netns.name, str(process.pid)


@pytest.mark.real
def test_by_name_and_by_pid_it_is_that_namespace_and_we_come_back(crowded: tuple[str, str], netns: Netns) -> None:
    netns.sysctl(net__core__somaxconn="77")
    *entries, home = said(INTO, [*crowded])
    for name, (found, inode, back) in zip([crowded[0], f"of pid {crowded[1]}"], entries, strict=True):
        assert inode == os.stat(f"/proc/{crowded[1]}/ns/net").st_ino != home
        assert back == home
        assert found["host"]["netns"] == name
        assert found["sockets"]["states"] == {"LISTEN": 4, "ESTABLISHED": 260, "CLOSE_WAIT": 19, "FIN_WAIT2": 19}
        assert found["sysctls"]["values"]["net.core.somaxconn"] == "77"
        assert {row["pid"] for row in found["held"]} == {int(crowded[1])}


@pytest.mark.real
def test_without_root_a_process_shows_sockets_and_counters(crowded: tuple[str, str]) -> None:
    name, pid = crowded
    outside, named, gone = said(NOBODY, [pid, name, "gone"])
    assert outside["host"]["netns"] == f"of pid {pid}"
    assert outside["sockets"]["method"] == "/proc/net/tcp"
    assert outside["sockets"]["states"]["CLOSE_WAIT"] == 19
    assert outside["counters"]["sockstat.TCP.inuse"]["first"] == 283
    for source in ("sysctls", "processes", "held"):
        assert outside["unread"][source] == f"only root may look into the network namespace of pid {pid}"
    assert outside["problems"][0][1].endswith(f"read from /proc/{pid}/net, and no more")
    assert named[1] == (
        f"--netns: only root (CAP_SYS_ADMIN) may enter the network namespace {name}; "
        "the pid of a process in it would show its sockets and counters"
    )
    assert gone[1].startswith("--netns gone: no such network namespace")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no-such", "no such network namespace; 'ip netns' lists names, or give a pid"),
        ("4194305", "no such network namespace"),
        ("../self", "neither the name of a network namespace nor a pid"),
        ("..", "neither the name"),
        ("", "neither the name"),
        ("a\0b", "neither the name"),
    ],
)
def test_what_is_none_is_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message), entered(name):
        pytest.fail("entered")


def test_a_file_that_is_no_namespace_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "other").symlink_to("/proc/self/ns/uts")
    (tmp_path / "7").touch()
    monkeypatch.setattr("advisor.collect.netns._NAMED", (str(tmp_path),))
    for name in ("file", "other", "7"):
        with pytest.raises(InputError, match="is no network namespace"), entered(name):
            pytest.fail("entered")
    assert (process_of("7"), process_of("8")) == (None, 8)


def test_with_threads_nothing_is_entered() -> None:
    waits = threading.Event()
    thread = threading.Thread(target=waits.wait, args=(10,))
    thread.start()
    try:
        with pytest.raises(InputError, match="several threads"), entered(str(os.getpid())):
            pytest.fail("entered")
    finally:
        waits.set()
        thread.join()
