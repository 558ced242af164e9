"""Lines of files, and what is said of each; what a file of TuneD and the output of sysctl -a are taken for."""

from __future__ import annotations

import time

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.advice import Advice, Doubt
from advisor.facts.derive import Facts


def advice(text: str, **given: object) -> Advice:
    return Facts(snapshot_of({"sysctl_file": text, **given})).advice


def said(found: list[Doubt]) -> list[tuple[str, int, str]]:
    return [(one.line.key, one.location.line or 0, one.said) for one in found]


TUNED = """[main]
summary=net.ipv4.tcp_tw_recycle=1
[sysctl]
net.core.somaxconn=>2048
net.ipv4.tcp_rmem="4096 131072 16777216"
net.ipv4.tcp_tw_recycle=1
[vm]
net.ipv4.tcp_tw_reuse=9
"""


def test_of_a_file_of_tuned_only_its_sysctls_count() -> None:
    found = advice(TUNED)
    assert [line.key for line in found.lines] == ["net.core.somaxconn", "net.ipv4.tcp_rmem", "net.ipv4.tcp_tw_recycle"]
    assert said(found.dead) == [("net.ipv4.tcp_tw_recycle", 6, "removed in Linux 4.12")]
    assert found.refused == []


def test_the_same_lines_elsewhere_are_refused() -> None:
    found = advice(TUNED.replace("[sysctl]", "# sysctl"))
    assert [line for _, line, _ in said(found.refused)] == [4, 5, 8]


def test_what_sysctl_a_printed_is_no_advice() -> None:
    dump = "fs.dentry-state = 1 2 3 4 5 0\nnet.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_notsent_lowat = -1\n"
    found = advice(dump)
    assert found.lines == found.dead == found.refused == []
    assert said(advice(dump.partition("\n")[2]).refused)


@pytest.mark.parametrize(
    ("line", "release", "idle"),
    [
        ("net.ipv4.tcp_adv_win_scale = 2", "6.1.0-18-amd64", []),
        ("net.ipv4.tcp_adv_win_scale = 2", "6.6", [False]),
        ("net.ipv4.tcp_adv_win_scale = 2", "7.0.3", [False]),
        ("net.ipv4.tcp_adv_win_scale = 1", "7.0.3", [True]),
        ("net.ipv4.tcp_fack = 1", "6.1.0", [False]),
        ("net.ipv4.tcp_fack = 0", "6.1.0", [True]),
        ("net.ipv4.tcp_nodelay = 0", "6.1.0", [False]),
    ],
)
def test_dead_depends_on_the_kernel_and_on_what_is_asked(line: str, release: str, idle: list[bool]) -> None:
    assert [one.idle for one in advice(f"{line}\n", host={"kernel": release}).dead] == idle


def test_a_kernel_that_nobody_checked_is_unknown() -> None:
    old = advice("net.ipv4.tcp_syncookies = 256\n", host={"kernel": "5.10.0-28-amd64"})
    with pytest.raises(Unread, match=r"Linux 5\.10\.0: .* from 6\.1 on"):
        _ = old.refused
    with pytest.raises(Unread, match="calls itself 'weird'"):
        _ = advice("net.ipv4.tcp_syncookies = 256\n", host={"kernel": "weird"}).refused
    assert advice("net.core.somaxconn = 5\n", host={"kernel": "5.10.0"}).refused == []


def test_a_congestion_control_must_be_loaded() -> None:
    text = "net.ipv4.tcp_congestion_control = bbr\nnet/ipv4/tcp_congestion_control = htcp\n"
    found = advice(text, sysctl={"net.ipv4.tcp_available_congestion_control": "reno cubic bbr"})
    assert said(found.unavailable) == [("net.ipv4.tcp_congestion_control", 2, "htcp")]
    with pytest.raises(Unread):
        _ = advice(text).unavailable


def test_a_million_sections_and_lines_take_no_time() -> None:
    began = time.process_time()
    found = advice("[sysctl]\n" + "[a]\na=1\n" * 20_000 + "[sysctl]\n" + "net.core.somaxconn=1\n" * 5_000)
    assert len(found.lines) == 5_000
    assert time.process_time() - began < 5


def test_many_unknown_keys_take_no_time() -> None:
    began = time.process_time()
    found = advice("".join(f"net.ipv4.tcp_{'ab' * 12}_{index:x}=1\n" for index in range(20_000)))
    assert found.misspelt == []
    assert time.process_time() - began < 5


def test_who_asks_for_probes_and_for_fast_open() -> None:
    def asks(nginx: str) -> tuple[bool, bool]:
        found = advice("", nginx=nginx)
        return found.keepalive_asked, found.fastopen_asked

    assert asks("http { server { listen 80; } }") == (False, False)
    assert asks("http { server { listen 80 so_keepalive=30m::10 fastopen=16; } }") == (True, True)
    assert asks("http { server { listen 80 so_keepalive=off; } }") == (False, False)
    assert asks("http { server { listen 80; location / { proxy_socket_keepalive on; } } }") == (True, False)
    assert asks("http { proxy_socket_keepalive off; server { listen 80; } }") == (False, False)
