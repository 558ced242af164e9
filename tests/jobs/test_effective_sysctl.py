"""What `advisor effective` answers of a sysctl."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from support.snapshots import snapshot_with

from advisor.cli.main import run
from advisor.errors import UsageError
from advisor.jobs.effective_sysctl import effective, is_sysctl
from advisor.jobs.effective_text import as_json, as_text
from advisor.snapshot.model import Snapshot, SysctlFile, Sysctls

KEY = "net.core.somaxconn"
FILES = {
    "/etc/sysctl.d/60-web.conf": "# more\nnet/core/somaxconn = 8192\n",
    "/etc/sysctl.d/99-zz.conf": f"{KEY} = 99\n{KEY} = many\n",
    "/usr/lib/sysctl.d/60-web.conf": f"{KEY} = 5\n",
    "/etc/sysctl.conf": f"{KEY} = 11\nnet.ipv4.ip_local_port_range = 10240 65535\nnet.odd.key = x y\n",
}


def snapshot(live: str | None = "4096", more: tuple[SysctlFile, ...] = ()) -> Snapshot:
    files = [SysctlFile(path=path, content=text.encode()) for path, text in FILES.items()]
    values = {KEY: live, "net.ipv4.ip_local_port_range": "32768\t60999"} if live is not None else {}
    sysctls = Sysctls(values=values, absent=["net.ipv4.tcp_tw_recycle"])
    return snapshot_with(sysctl_files=[*files, *more], sysctls=sysctls if live is not None else None)


def told(name: str, found: Snapshot | None = None) -> str:
    return as_text(effective(found or snapshot(), name), 80)


def test_the_whole_answer() -> None:
    ufw = SysctlFile(path="/etc/ufw/sysctl.conf", content=b"net/core/somaxconn=7\n", writer="ufw")
    assert told(KEY, snapshot(more=(ufw,))) == (
        "net.core.somaxconn · a count · each network namespace has its own\n"
        "note: /usr/lib/sysctl.d/60-web.conf:1 sets it to 5, and is not read\n"
        "  in force: 4096\n"
        "  at boot (systemd-sysctl): what is written is refused, and the kernel's own\n"
        "      value stays\n"
        "    instead of 8192 at /etc/sysctl.d/60-web.conf:2, 99 at\n"
        "        /etc/sysctl.d/99-zz.conf:1\n"
        "    refused: many at /etc/sysctl.d/99-zz.conf:2: 'many' is no number\n"
        "  by hand (sysctl --system): 11 · /etc/sysctl.conf:1\n"
        "    instead of 8192 at /etc/sysctl.d/60-web.conf:2, 99 at\n"
        "        /etc/sysctl.d/99-zz.conf:1\n"
        "    refused: many at /etc/sysctl.d/99-zz.conf:2: 'many' is no number\n"
        "  later: ufw sets 7 · /etc/ufw/sysctl.conf:1\n"
        "  the kernel's default: 4096\n"
        "  a change takes effect when a socket listens anew: a restart of nginx, or a\n"
        "      changed backlog= and a reload\n"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("net/core/somaxconn", "net.core.somaxconn · a count"),
        ("net.ipv4.ip_local_port_range.low", "net.ipv4.ip_local_port_range (low)"),
        ("net.ipv4.ip_local_port_range.low", "in force: 32768\n"),
        ("net.ipv4.ip_local_port_range.high", "by hand (sysctl --system): 65535 · /etc/sysctl.conf:2"),
        ("net/ipv4/ip_local_port_range.high", "the kernel's default: 60999"),
        ("net.odd.key", "in force: not known: only the keys of the catalogue were read"),
        ("net.odd.key", "by hand (sysctl --system): x y · /etc/sysctl.conf:3"),
        ("net.odd.key", "it is not in the catalogue"),
        ("net.ipv4.tcp_tw_recycle", "note: removed in Linux 4.12"),
        ("net.ipv4.tcp_tw_recycle", "no such key"),
        ("net.ipv4.ip_forward", "at boot (systemd-sysctl): no file sets it"),
    ],
)
def test_names_and_parts(name: str, said: str) -> None:
    assert said in told(name)


def test_a_given_file_and_no_host() -> None:
    given = SysctlFile(path="mine.conf", content=b"net.core.somaxconn = 9\n", given=True)
    said = told(KEY, snapshot_with(sysctl_files=[given]))
    assert "given: 9 at mine.conf:1; judged as if it were applied" in said
    assert "in force: not known: sysctls was left out" in said
    assert "at boot (systemd-sysctl): not known: none but the files given were read" in said


def test_wildcards_without_a_host() -> None:
    file = SysctlFile(path="/etc/sysctl.d/1.conf", content=b"net.core.som* = 9\n")
    said = told(KEY, snapshot_with(sysctl_files=[file]))
    assert "at boot (systemd-sysctl): 9 · /etc/sysctl.d/1.conf:1" in said
    assert "note: /proc/sys was not read: wildcards" in said


def test_what_boot_gives_and_is_not_in_force() -> None:
    file = SysctlFile(path="/etc/sysctl.d/1.conf", content=b"net.core.somaxconn = 9\n")
    found = snapshot_with(sysctl_files=[file], sysctls=Sysctls(values={KEY: "4096"}))
    assert "note: the value in force is not the one that boot gives" in told(KEY, found)
    same = snapshot_with(sysctl_files=[file], sysctls=Sysctls(values={KEY: "9"}))
    assert "note:" not in told(KEY, same)


@pytest.mark.parametrize(("live", "noted"), [("4096", False), ("0x1000", False), ("65535", True)])
def test_a_value_that_no_file_says(live: str, noted: bool) -> None:  # noqa: FBT001 (a column)
    found = snapshot_with(sysctl_files=[], sysctls=Sysctls(values={KEY: live}))
    assert ("the next boot may lose it" in told(KEY, found).replace("\n    ", " ")) == noted


def test_files_that_were_not_read() -> None:
    said = told(KEY, snapshot_with(sysctls=Sysctls(values={KEY: "1"})))
    assert "at boot (systemd-sysctl): not known: sysctl_files was left out" in said


@pytest.mark.parametrize(
    ("name", "near"), [("net.core.somaxcon", KEY), ("net.odd.keys", "net.odd.key"), ("net/ipv4/tcp_sak", "tcp_sack")]
)
def test_a_key_that_nobody_knows(name: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '.*{near}'"):
        effective(snapshot(), name)


@pytest.mark.parametrize(
    ("name", "sysctl"),
    [
        (KEY, True),
        ("net/core/somaxconn", True),
        ("/net/core/somaxconn", True),
        ("keepalive_timeout", False),
        ("upstream/keepalive", False),
        ("net", False),
    ],
)
def test_what_is_taken_for_a_sysctl(name: str, sysctl: bool) -> None:  # noqa: FBT001 (a column)
    assert is_sysctl(name) == sysctl


def test_the_same_as_json() -> None:
    document: dict[str, Any] = json.loads(as_json(effective(snapshot(), KEY), 80))
    assert document["schema"] == "advisor.effective-sysctl/v1"
    report = document["report"]
    assert (report["live"], report["default"], report["scope"]) == ("4096", "4096", "netns")
    assert [one["value"] for one in report["readers"]] == [None, "11"]
    assert report["readers"][1]["wins"] == {"text": "11", "file": "/etc/sysctl.conf", "line": 1, "why": None}


def test_hostile_values_are_shown_plain_and_short() -> None:
    file = SysctlFile(path="/etc/sysctl.d/1.conf", content=f"net.odd.key = \x1b[31m{'x' * 1000}\n".encode())
    said = told("net.odd.key", snapshot_with(sysctl_files=[file]))
    assert "\x1b" not in said
    assert len(said) < 1500


def test_a_tree_by_the_command(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"proc/sys/net/odd": "7\n", "etc/sysctl.d/a.conf": "net.odd=9\n", "proc/stat": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert run(["effective", "net.odd", "--root", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "in force: 7\n" in said
    assert "at boot (systemd-sysctl): 9 · /etc/sysctl.d/a.conf:1" in said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["net.core.somaxconn", "--server", "a"], "leave out the options that are for directives"),
        (["net.core.somaxconn", "--nginx-conf", "x"], "leave out the options that are for directives"),
        (["keepalive_timeout", "--sysctl-file", "x"], "--sysctl-file and --netns are for sysctls"),
        (["net.core.somaxconn", "--snapshot", "x", "--sysctl-file", "y"], "--snapshot holds all that is read"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["effective", *arguments]) == 2
    assert why in capsys.readouterr().err
