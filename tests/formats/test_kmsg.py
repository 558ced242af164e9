"""The kernel's own log: records as /dev/kmsg gives them, those of others, and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.kmsg import KINDS, parse

SYN = b"6,1187,20858406018,-;TCP: request_sock_TCP: Possible SYN flooding on port 127.0.0.1:8080. Sending cookies.\n"


@pytest.mark.parametrize(
    ("text", "kind", "subject"),
    [
        ("nf_conntrack: nf_conntrack: table full, dropping packet", "conntrack_full", None),
        ("nf_conntrack: nf_conntrack: table full in netns 40265, dropping packet", "conntrack_full", "40265"),
        ("TCP: request_sock_TCPv6: Possible SYN flooding on port [::]:80. Sending cookies.", "syn_flooding", "[::]:80"),
        ("TCP: request_sock_TCP: Possible SYN flooding on port 80. Dropping request.  Check SNMP counters.",
         "syn_flooding", "80"),
        ("Out of memory: Killed process 1234 (nginx) total-vm:1kB, anon-rss:1kB", "out_of_memory", "nginx"),
        ("Memory cgroup out of memory: Killed process 7 (java) total-vm:1kB", "out_of_memory", "java"),
        ("TCP: out of memory -- consider tuning tcp_mem", "tcp_memory", None),
        ("TCP: too many orphaned sockets", "orphans", None),
        ("neighbour: ndisc_cache: neighbor table overflow!", "neighbours_full", "ndisc_cache"),
        ("VFS: file-max limit 1048576 reached", "file_max", None),
        ("nginx[77]: segfault at 0 ip 000055 sp 00007f error 4 in nginx[55+1]", "crashed", "nginx"),
        ("traps: nginx[77] general protection fault ip:55 sp:7f error:0 in nginx[55+1]", "crashed", "nginx"),
    ],
)  # fmt: skip
def test_each_kind_and_what_it_names(text: str, kind: str, subject: str | None) -> None:
    assert parse([f"4,5,2500000,-;{text}\n SUBSYSTEM=net\n".encode()]) == {(kind, subject): [(2.5, 1)]}


def test_messages_that_were_kept_back_are_counted() -> None:
    found = parse([b"4,5,1000000,-;net_ratelimit: 23807 callbacks suppressed\n"])
    assert found == {("suppressed", None): [(1.0, 23807)]}


def test_newer_kernels_name_the_caller_of_a_record() -> None:
    assert parse([SYN.replace(b",-;", b",-,caller=T77;")]) == parse([SYN]) != {}


@pytest.mark.parametrize(
    "line",
    [
        SYN.replace(b"6,", b"14,", 1),
        b" " + SYN,
        SYN.replace(b";", b" "),
        b"6,1,1,-;somebody said: TCP: too many orphaned sockets\n",
        b"6,1,1,-;nginxx[77]: segfault at 0\n",
        b"6,1,1,-;audit: Out of memory: Killed process 1 (nginx)\n",
        b"\n",
    ],
)
def test_what_the_kernel_did_not_say_is_passed_over(line: bytes) -> None:
    """A process may write to the log, too, but not with the kernel's facility."""
    assert parse([line]) == {}


def test_different_things_are_told_apart_up_to_a_bound() -> None:
    lines = [
        b"6,1,1,-;TCP: request_sock_TCP: Possible SYN flooding on port %d. Sending\n" % port for port in range(900)
    ]
    found = parse([b"".join(lines)])
    assert len(found) == 201
    assert len(found["syn_flooding", None]) == 700


@given(st.lists(st.one_of(st.binary(max_size=200), st.just(SYN), st.just(SYN[:60])), max_size=5))
def test_garbage_is_no_message(parts: list[bytes]) -> None:
    assert {kind for kind, _ in parse(parts)} <= set(KINDS)
