"""What ``--plan`` says: from the table that the collector runs down, and without touching what it speaks of."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from advisor.collect.forecast import forecast
from advisor.collect.netns import FROM_OUTSIDE
from advisor.collect.run import Request, collect
from advisor.errors import InputError
from advisor.snapshot.model import SOURCES

ROOT = pathlib.Path(__file__).parents[2]
FORBIDDEN = re.compile(
    r'"(/etc/(nginx|sysctl|systemd|modules)|(/run|/usr/local/lib|/usr/lib|/lib)/(sysctl|modules|systemd)|/proc/\d'
    r"|/proc/(net/(tcp|udp|snmp|netstat|stat|softnet)|modules|sys/net|pressure)|/dev/kmsg|/var/log)"
)


def why(request: Request) -> dict[str, str | None]:
    return {one.source: one.skipped for one in forecast(request).planned}


def test_every_source_is_told() -> None:
    assert sorted(why(Request())) == sorted(SOURCES)
    assert {name for name, skipped in why(Request()).items() if skipped} == {"stub_status", "capture"}
    assert why(Request())["stub_status"] == "not asked for (--stub-status)"
    assert why(Request(stub_status=True))["stub_status"] is None


def test_without_a_host_only_files_are_read(tmp_path: pathlib.Path) -> None:
    found = why(Request(host=False, nginx_conf="/a/nginx.conf", sysctl_files=("/b/90-web.conf",)))
    assert {name for name, skipped in found.items() if skipped is None} == {"nginx", "sysctl_files"}
    assert set(found.values()) == {None, "only files are judged (--no-host)"}
    told = forecast(Request(host=False, nginx_conf="/a/nginx.conf"))
    assert told.planned[1].touches == ("/a/nginx.conf", "all that it includes")
    assert told.wait == 0
    assert not tmp_path.joinpath("x").exists()


def test_of_a_tree_what_lives_is_not_read(tmp_path: pathlib.Path) -> None:
    told = forecast(Request(root=str(tmp_path)))
    skipped = {one.source for one in told.planned if one.skipped}
    assert {"processes", "held"} <= skipped
    [sockets] = [one for one in told.planned if one.source == "sockets"]
    assert sockets.touches == ("/proc/net/tcp and tcp6",)
    assert told.wait == 0
    assert any(str(tmp_path) in note for note in told.notes)
    assert not any("tcp_diag" in note for note in told.notes)


def test_a_namespace_that_has_only_a_name_has_no_size_yet(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.collect.netns._NAMED", (str(tmp_path),))
    with pytest.raises(InputError, match=r"^--netns web: no such network namespace"):
        forecast(Request(netns="web"))
    with pytest.raises(InputError, match=r"^--netns 4194304: no such network namespace"):
        forecast(Request(netns="4194304"))
    (tmp_path / "web").touch()
    [named] = [one for one in forecast(Request(netns="web")).planned if one.source == "sockets"]
    [ours] = [one for one in forecast(Request(netns=str(os.getpid()))).planned if one.source == "sockets"]
    assert named.reckoned is None
    assert ours.reckoned is not None
    assert ours.reckoned.startswith("sockets: ")


def test_a_namespace_that_may_not_be_entered_is_told_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    told = forecast(Request(netns="1"))
    assert {one.source for one in told.planned if one.skipped is None} == set(FROM_OUTSIDE)
    [sockets] = [one for one in told.planned if one.source == "sockets"]
    assert sockets.touches == ("tcp and tcp6 in /proc/PID/net",)
    assert told.wait == 0
    assert not any("tcp_diag" in note or "/proc/sys/net" in note for note in told.notes)


def test_what_it_reckons_is_near_what_it_takes() -> None:
    """Of this host, where fixed costs are nearly all; that of owners is the most it could be, and depends on others."""
    told = forecast(Request(sample=0))
    spent = min(collect(Request(sample=0)).cpu or 0 for _ in range(3))
    assert spent < 4 * told.seconds
    assert sum(one.seconds for one in told.planned if one.source != "held") < 20 * spent


@pytest.mark.real("strace")
@pytest.mark.parametrize("arguments", [["--plan"], ["--sample", "0"]])
def test_a_plan_opens_nothing_that_it_tells_of(tmp_path: pathlib.Path, arguments: list[str]) -> None:
    """The second command line, which does read, shows that the check can fail."""
    out = tmp_path / "calls"
    calls = ["strace", "-f", "-qq", "-e", "trace=open,openat,openat2,socket,execve", "-o", str(out)]
    done = subprocess.run([*calls, sys.executable, "-m", "advisor", "audit", *arguments], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
    said = out.read_text().splitlines()
    found = [line for line in said if FORBIDDEN.search(line) or "AF_NETLINK" in line]
    assert sum("execve(" in line for line in said) == 1
    assert bool(found) is (arguments != ["--plan"]), found[:5]
