"""Files of sysctl.d(5), inline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.sysctl import PROCPS, SYSTEMD, Exclusion, Setting, dotted, parse


def only(text: bytes) -> Setting:
    parsed = parse(text, "x.conf")
    assert not parsed.problems
    (setting,) = parsed.settings
    return setting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"net.core.somaxconn=4096\n", Setting("net.core.somaxconn", "4096", 1, 20)),
        (b"  net.core.somaxconn =  4096  \r\n", Setting("net.core.somaxconn", "4096", 1, 25)),
        (b"# c\n; c\n  # c\n\nnet/core/somaxconn = 1", Setting("net.core.somaxconn", "1", 5, 22)),
        (b"-net.core.somaxconn = 1", Setting("net.core.somaxconn", "1", 1, 23, ignore_errors=True)),
        (b"net.ipv4.tcp_rmem = 4096 131072\t6291456", Setting("net.ipv4.tcp_rmem", "4096 131072\t6291456", 1, 21)),
        (b"a.b = cubic # why", Setting("a.b", "cubic # why", 1, 7)),
        (b'a.b = "1"', Setting("a.b", '"1"', 1, 7)),
        (b"a.b = = 1", Setting("a.b", "= 1", 1, 7)),
        (b"net.ipv4.conf.*.rp_filter = 2", Setting("net.ipv4.conf.*.rp_filter", "2", 1, 29)),
        (b"a.b =\n", Setting("a.b", "", 1, 6)),
        (b"a.b = 1 # caf\xe9", Setting("a.b", "1 # caf\ufffd", 1, 7)),
        (b"a.b = 1\xc2\xa0", Setting("a.b", "1\u00a0", 1, 7)),
        (b"//a//b = 1", Setting("a.b", "1", 1, 10)),
        (b"a..b = 1", Setting("a.b", "1", 1, 8)),
    ],
)
def test_a_line_that_sets(text: bytes, expected: Setting) -> None:
    assert only(text) == expected


def test_the_column_points_at_the_value() -> None:
    text = b"net.core.somaxconn   =\t4096"
    assert text.decode()[only(text).column - 1 :] == "4096"


def test_duplicates_stay_in_order() -> None:
    assert [(one.value, one.line) for one in parse(b"a.b=1\na.b=2\n", "x").settings] == [("1", 1), ("2", 2)]


def test_an_exclusion_is_no_setting() -> None:
    parsed = parse(b"-net.ipv4.conf.all.rp_filter\n", "x")
    assert parsed.exclusions == [Exclusion("net.ipv4.conf.all.rp_filter", 1)]
    assert not parsed.settings
    assert not parsed.problems


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/conf/enp3s0.200/forwarding", "net.ipv4.conf.enp3s0/200.forwarding"),
        ("net.ipv4.conf.enp3s0/200.forwarding", "net.ipv4.conf.enp3s0/200.forwarding"),
    ],
)
def test_the_first_separator_decides(key: str, expected: str) -> None:
    assert dotted(key) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"net.core.somaxconn 4096", "f.conf:1: 'net.core.somaxconn 4096' sets nothing: write KEY = VALUE"),
        (b"= 4096", "f.conf:1: '' is no key"),
        (b"net.core somaxconn = 1", "is no key"),
        (b"\xef\xbb\xbfnet.core.somaxconn = 1", "is no key"),
        (b"net.core.\xff = 1", "is no key"),
        (b"-", "sets nothing"),
    ],
)
def test_a_line_that_sets_nothing_is_a_problem(text: bytes, why: str) -> None:
    parsed = parse(text, "f.conf")
    ((line, said),) = parsed.problems
    assert line == 1
    assert why in said
    assert not parsed.settings
    assert not parsed.exclusions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a.b=1\ra.b=2\n", [("1\ra.b=2", PROCPS), ("1", SYSTEMD), ("2", SYSTEMD)]),
        (b"a.b=1\0a.b=2\n", [("1", PROCPS), ("1", SYSTEMD), ("2", SYSTEMD)]),
        (b"# c\0a.b=2\n", [("2", SYSTEMD)]),
        (b"- a.b=2\n", [("2", SYSTEMD)]),
        (b"a.b=1\r\n", [("1", None)]),
    ],
)
def test_what_one_reader_alone_takes_so(text: bytes, expected: list[tuple[str, str | None]]) -> None:
    assert [(one.value, one.only) for one in parse(text, "x").settings] == expected


def test_blanks_behind_a_carriage_return_say_nothing() -> None:
    parsed = parse(b"net.core.somaxconn = 1\r \t\n\r  \nfs.file-max = 2 \r\n", "f.conf")
    assert [(one.key, one.value, one.line, one.only) for one in parsed.settings] == [
        ("net.core.somaxconn", "1", 1, None),
        ("fs.file-max", "2", 3, None),
    ]
    assert parsed.problems == []


def test_a_carriage_return_inside_a_line_is_a_problem() -> None:
    ((line, said),) = parse(b"\na.b=1\ra.b=2\n", "f.conf").problems
    assert line == 2
    assert "f.conf:2: systemd-sysctl ends the line" in said


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\r", b"").replace(b"\0", b"")))
def test_every_line_is_something_once(data: bytes) -> None:
    parsed = parse(data, "x")
    lines = [one.line for one in (*parsed.settings, *parsed.exclusions)] + [line for line, _ in parsed.problems]
    assert len(lines) == len(set(lines)) <= data.count(b"\n") + 1
    for one in parsed.settings:
        line = data.split(b"\n")[one.line - 1].decode("utf-8", "replace")
        assert line[one.column - 1 :].startswith(one.value)
