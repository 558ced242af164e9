"""A real nginx in a namespace: its master, its workers, a reload, a second one, a replaced binary."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import pytest
from support.netns import Netns

from advisor.collect.processes import master_arguments, read_processes
from advisor.errors import InputError
from advisor.system import System

READ = (
    "from advisor.collect.processes import read_processes, master_arguments\n"
    "found, problems = read_processes(System())\n"
    "answer = [found, problems, master_arguments(System(), found.master.pid)]"
)


AS_NOBODY = (
    "import os, psutil, pydantic_core, advisor.system, advisor.collect.processes\nos.setgid(65534); os.setuid(65534)\n"
)
READ_NOTHING = (
    "from advisor.collect.processes import read_processes\nfrom advisor.errors import InputError\n"
    "from advisor.system import System\n"
    "try: read_processes(System())\n"
    "except InputError as error: print(error)"
)
ROOT = pathlib.Path(__file__).parents[2]


def start(inside: Any, folder: pathlib.Path, port: int, workers: int = 2, binary: str = "nginx") -> Any:
    folder.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes {workers}; worker_rlimit_nofile 777; pid {folder}/pid; error_log stderr;\n"
        f"events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port};\n"
        "location = /status { stub_status; } } }\n"
    )
    argv = [binary, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = inside.ns.start(*argv, stderr=subprocess.DEVNULL)
    wait_for(inside, port)
    return process


def wait_for(inside: Any, port: int) -> None:
    there = f"socket.create_connection(('127.0.0.1', {port})).close() or 'there'"
    inside.ask(
        "import socket, time\nanswer = None\nend = time.monotonic() + 5\n"
        "while answer is None and time.monotonic() < end:\n"
        f"    try: answer = {there}\n"
        "    except ConnectionRefusedError: time.sleep(0.02)"
    )


def children(pid: int) -> set[int]:
    return {int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()}


@pytest.mark.real("nginx")
def test_the_master_its_workers_and_its_arguments(inside: Any, tmp_path: pathlib.Path) -> None:
    master = start(inside, tmp_path / "a", 8080)
    found, problems, arguments = inside.ask(READ)
    assert found["master"]["pid"] == master.pid
    assert {worker["pid"] for worker in found["workers"]} == children(master.pid)
    assert [worker["nofile"] for worker in found["workers"]] == [777, 777]
    limits = pathlib.Path(f"/proc/{master.pid}/limits").read_text("ascii")
    hard = next(line.split()[4] for line in limits.splitlines() if line.startswith("Max open files"))
    assert found["master"]["nofile_hard"] == int(hard)
    assert [worker["nofile_hard"] for worker in found["workers"]] == [777, 777]
    status = pathlib.Path(f"/proc/{master.pid}/status").read_text("ascii")
    assert found["sys_resource"] is bool(int(status.split("CapEff:")[1].split()[0], 16) & 1 << 24)
    assert all(worker["descriptors"] > 3 for worker in found["workers"])
    born = int(pathlib.Path("/proc/stat").read_text("ascii").split("btime ")[1].split()[0])
    ticks = int(pathlib.Path(f"/proc/{master.pid}/stat").read_text("ascii").rpartition(")")[2].split()[19])
    assert found["master"]["started"] == pytest.approx(born + ticks / os.sysconf("SC_CLK_TCK"), abs=2)
    assert (problems, found["binary_deleted"]) == ([], False)
    assert arguments == [str(tmp_path / "a/nginx.conf"), str(tmp_path / "a")]


@pytest.mark.real("nginx")
def test_a_worker_that_is_shutting_down_is_none(inside: Any, tmp_path: pathlib.Path) -> None:
    master = start(inside, tmp_path / "a", 8080, workers=1)
    (old,) = children(master.pid)
    code = (
        "import os, signal, socket, time\nheld = socket.create_connection(('127.0.0.1', 8080))\n"
        "held.sendall(b'GET / HTTP/1.1\\r\\n')\ntime.sleep(0.1)\n"
        f"os.kill({master.pid}, signal.SIGHUP)\nend = time.monotonic() + 5\n"
        f"while 'shutting down' not in open('/proc/{old}/cmdline').read() and time.monotonic() < end:\n"
        "    time.sleep(0.02)\n"
    )
    found, problems, _ = inside.ask(code + READ)
    assert {worker["pid"] for worker in found["workers"]} == children(master.pid) - {old}
    assert len(found["workers"]) == 1
    assert problems == []


@pytest.mark.real("nginx")
def test_of_two_the_one_with_most_workers_and_it_is_said(inside: Any, tmp_path: pathlib.Path) -> None:
    small = start(inside, tmp_path / "a", 8080, workers=1)
    large = start(inside, tmp_path / "b", 8081, workers=3)
    found, problems, _ = inside.ask(READ)
    assert (found["master"]["pid"], len(found["workers"])) == (large.pid, 3)
    assert problems == [["processes", f"nginx runs more than once: pid {large.pid} is judged, not {small.pid}"]]


@pytest.mark.real("nginx")
def test_a_binary_that_was_replaced(inside: Any, tmp_path: pathlib.Path) -> None:
    binary = shutil.copy(shutil.which("nginx") or "", tmp_path / "nginx")
    start(inside, tmp_path / "a", 8080, binary=str(binary))
    pathlib.Path(binary).unlink()
    assert inside.ask(READ)[0]["binary_deleted"] is True


@pytest.mark.real("nginx")
def test_without_root_it_is_said_what_cannot_be_told(inside: Any, tmp_path: pathlib.Path) -> None:
    master = start(inside, tmp_path / "a", 8080)
    found, problems, _ = inside.ask(AS_NOBODY + READ)
    assert found["master"]["pid"] == master.pid
    assert found["master"]["descriptors"] is None
    assert found["workers"][0]["nofile"] == 777
    assert problems == [
        ["processes", f"only root can tell whether the binary of nginx (pid {master.pid}) was replaced"],
    ]


@pytest.mark.real("nginx")
@pytest.mark.parametrize("user", ["", AS_NOBODY])
def test_nginx_of_another_namespace_is_not_ours(inside: Any, tmp_path: pathlib.Path, user: str) -> None:
    start(inside, tmp_path / "a", 8080)
    other = Netns()
    try:
        said = other.run(sys.executable, "-c", user + READ_NOTHING, cwd=ROOT).stdout
    finally:
        other.close()
    assert said == "no nginx is running in this network namespace\n"


def test_a_tree_has_no_processes(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="no processes"):
        read_processes(System(str(tmp_path)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"nginx: master process nginx\0", (None, None)),
        (b"nginx: master process /usr/sbin/nginx -g daemon on; master_process on;", (None, None)),
        (b"nginx: master process nginx -c /x/nginx.conf -p /y\0\0", ("/x/nginx.conf", "/y")),
        (b"nginx\0-c/x/nginx.conf\0-p\0y\0", ("/x/nginx.conf", "y")),
        (b"nginx\0-c\0", (None, None)),
    ],
)
def test_the_arguments_of_a_title(tmp_path: pathlib.Path, line: bytes, expected: tuple[str | None, str | None]) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cmdline").write_bytes(line)
    assert master_arguments(System(str(tmp_path)), 7) == expected


@pytest.mark.real("nginx")
def test_stub_status_of_a_real_nginx(inside: Any, tmp_path: pathlib.Path) -> None:
    start(inside, tmp_path / "a", 8080)
    first, second = inside.ask(
        "from advisor.collect.stub_status import read_stub_status\n"
        "answer = [read_stub_status('http://127.0.0.1:8080/status') for _ in range(2)]"
    )
    assert (first["active"], first["writing"], first["waiting"]) == (1, 1, 0)
    assert second["requests"] == first["requests"] + 1
    assert second["accepts"] == second["handled"] == first["accepts"] + 1
