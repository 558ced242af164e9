"""Values of sysctls: which one counts, in which unit, and what is no value."""

from __future__ import annotations

from typing import Any

import pytest
from support.snapshots import snapshot_with

from advisor.errors import Unread
from advisor.facts.sysctl import Sysctl
from advisor.facts.values import Ports
from advisor.snapshot.model import SysctlFile, Sysctls

SOMAXCONN = "net.core.somaxconn"
RANGE = "net.ipv4.ip_local_port_range"
FIN = "net.ipv4.tcp_fin_timeout"


def live(**more: Any) -> Sysctl:
    values = {key.replace("__", "."): text for key, text in more.items()}
    return Sysctl(snapshot_with(sysctls=Sysctls(values=values)))


def of(key: str, text: str, part: str | None = None) -> object:
    return Sysctl(snapshot_with(sysctls=Sysctls(values={key: text}))).value(key, part)


@pytest.mark.parametrize(
    ("key", "part", "text", "value"),
    [
        (SOMAXCONN, None, "4096", 4096),
        (SOMAXCONN, None, " 4096 \n", 4096),
        (SOMAXCONN, None, "0x1000", 4096),
        (SOMAXCONN, None, "010", 8),
        (SOMAXCONN, None, "0", 0),
        (FIN, None, "-5", -5),
        (RANGE, "low", "32768\t60999", 32768),
        (RANGE, "high", "32768\t60999", 60999),
        (RANGE, None, "32768\t60999", "32768 60999"),
        ("net.ipv4.tcp_mem", "pressure", "1 2 3", 2),
        ("net.ipv4.ip_local_reserved_ports", None, "8080,9000-9002", Ports([(8080, 8080), (9000, 9002)])),
        ("net.ipv4.ip_local_reserved_ports", None, "", Ports()),
        ("net.ipv4.tcp_tw_reuse_delay", None, "1500", 1.5),
        ("net.ipv4.tcp_ehash_entries", None, "-8192", 8192),
        ("net.ipv4.tcp_congestion_control", None, "cubic", "cubic"),
    ],
)
def test_a_value_is_read_as_the_kernel_means_it(key: str, part: str | None, text: str, value: object) -> None:
    assert of(key, text, part) == value


@pytest.mark.parametrize(
    ("key", "part", "text"),
    [
        (SOMAXCONN, None, ""),
        (SOMAXCONN, None, "many"),
        (SOMAXCONN, None, "4096 # more"),
        (SOMAXCONN, None, "1_000"),
        (SOMAXCONN, None, "\u0661"),
        (SOMAXCONN, None, "+5"),
        (SOMAXCONN, None, "089"),
        (SOMAXCONN, None, "4" * 5000),
        (RANGE, "high", "32768"),
        (RANGE, "low", "x 60999"),
        ("net.ipv4.ip_local_reserved_ports", None, "8080-"),
        ("net.ipv4.ip_local_reserved_ports", None, "70000"),
    ],
)
def test_garbage_is_unread_and_quoted_short(key: str, part: str | None, text: str) -> None:
    with pytest.raises(Unread, match="which is no value of") as caught:
        of(key, text, part)
    assert caught.value.source == "sysctls"
    assert len(caught.value.why) < 200


def test_a_file_that_is_given_wins_and_its_last_line_counts() -> None:
    text = f"{SOMAXCONN} = 1\nnet/core/somaxconn= 2\n{FIN}=30\n"
    files = [
        SysctlFile(path="/etc/sysctl.d/9.conf", content=f"{SOMAXCONN} = 9".encode()),
        SysctlFile(path="/g", content=text.encode(), given=True),
        SysctlFile(path="/h", content=f"{FIN} = 31".encode(), given=True),
    ]
    both = Sysctl(snapshot_with(sysctls=Sysctls(values={SOMAXCONN: "128", RANGE: "1 2"}), sysctl_files=files))
    assert (both.value(SOMAXCONN), both.value(FIN), both.value(RANGE, "low")) == (2, 31, 1)
    assert (both.origin(SOMAXCONN), both.origin(RANGE)) == ("/g:2", "/proc/sys/net/ipv4/ip_local_port_range")
    where = both.location(SOMAXCONN)
    assert (where.file, where.line, where.column, where.length) == ("/g", 2, 21, 1)
    assert where.excerpt == "net/core/somaxconn= 2"
    assert both.location(RANGE).file is None


def test_what_is_not_there_says_why() -> None:
    read = snapshot_with(sysctls=Sysctls(absent=[FIN], refused={RANGE: "Permission denied"}))
    given = snapshot_with(sysctl_files=[SysctlFile(path="/g", content=b"net.core.somaxconn=1", given=True)])
    for snapshot, key, why in (
        (read, FIN, "this kernel or namespace has no net.ipv4.tcp_fin_timeout"),
        (read, RANGE, "could not be read: Permission denied"),
        (read, SOMAXCONN, "could not be read: not collected"),
        (given, FIN, "no host was read and no file given sets net.ipv4.tcp_fin_timeout"),
        (snapshot_with(), FIN, "sysctls was left out"),
    ):
        with pytest.raises(Unread) as caught:
            Sysctl(snapshot).text(key)
        assert why in caught.value.why


def test_blanks_are_made_single() -> None:
    assert live(net__ipv4__ip_local_port_range="  1 \t 2 ").text(RANGE) == "1 2"


def test_of_a_file_counts_what_the_kernel_takes_of_it() -> None:
    text = f"{SOMAXCONN} = 4096 # more\n{RANGE} = 1024 65535 ; all\nnet.ipv4.tcp_congestion_control = cubic # fast\n"
    given = Sysctl(snapshot_with(sysctl_files=[SysctlFile(path="/g", content=text.encode(), given=True)]))
    assert (given.text(SOMAXCONN), given.text(RANGE)) == ("4096", "1024 65535")
    assert given.text("net.ipv4.tcp_congestion_control") == "cubic # fast"
