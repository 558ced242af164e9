"""Sysctls are changed in the line that wins, of the files that are there, and in no other."""

from __future__ import annotations

import pytest
from support.fixing import SHIPPED, cure, new, target

from advisor.records import replace
from advisor.remedy.plan import Allowed, Outcome, Plan, make_plan
from advisor.snapshot.model import Host, Snapshot, SysctlFile, Sysctls

LOW = b"net.core.somaxconn = 64\n"


def planned(snapshot: Snapshot, **allowed: bool) -> Plan:
    return make_plan(snapshot, SHIPPED, SHIPPED.causes, Allowed(**{"unsafe": True, "in_place": True, **allowed}))


def left(snapshot: Snapshot, rule: str, **allowed: bool) -> str:
    plan = planned(snapshot, **allowed)
    assert not plan.prediction.sysctl_files
    (one,) = [one for one in plan.findings if one.finding.rule == rule]
    assert one.outcome is Outcome.NOT_ADDRESSED
    return one.why


def test_the_line_that_wins_is_changed() -> None:
    files = {
        "sysctl.d/10-a.conf": b"net.core.somaxconn = 100\n",
        "sysctl.d/90-b.conf": b"net.core.somaxconn = 128\nnet.core.somaxconn=64 \r\n# net.core.somaxconn = 1\n",
    }
    cured = new(cure(target(sysctl=files)))
    assert cured == {
        "sysctl.d/90-b.conf": b"net.core.somaxconn = 128\nnet.core.somaxconn=4096 \r\n# net.core.somaxconn = 1\n"
    }


def test_no_drop_in_and_no_list_of_modules_is_written() -> None:
    plan = planned(target(sysctl={"a.conf": LOW + b"net.netfilter.nf_conntrack_tcp_timeout_established = 60\n"}))
    assert (plan.prediction.dropin, plan.prediction.modules) == (None, [])
    assert set(plan.prediction.sysctl_files) == {"a.conf"}


def test_a_vector_keeps_its_blanks_and_the_parts_that_nobody_wants_changed() -> None:
    cured = cure(target(sysctl={"a.conf": b"net.ipv4.tcp_rmem =\t4096\t12582912\t 16777216\r\n"}))
    assert new(cured) == {"a.conf": b"net.ipv4.tcp_rmem =\t4096\t131072\t 16777216\r\n"}
    assert [one[:3] for one in cured.edits["a.conf"]] == [(25, 33, b"131072")]


def test_a_remark_behind_the_value_stays() -> None:
    assert new(cure(target(sysctl={"a.conf": b"net.core.somaxconn = 64 # few\n"}))) == {
        "a.conf": b"net.core.somaxconn = 4096 # few\n"
    }


def test_a_key_that_no_file_sets_is_not_written() -> None:
    """The host's own value is low; the files here do not speak of it."""
    snapshot = target(sysctl={"a.conf": b"vm.swappiness = 1\n"}, sysctls=Sysctls(values={"net.core.somaxconn": "64"}))
    assert left(snapshot, "somaxconn-lowered") == "no file here sets net.core.somaxconn"


def test_a_file_of_the_host_is_not_a_file_here() -> None:
    there = SysctlFile(path="/etc/sysctl.d/a.conf", content=LOW)
    snapshot = replace(target(sysctls=Sysctls(values={"net.core.somaxconn": "64"})), sysctl_files=[there])
    assert left(snapshot, "somaxconn-lowered") == "no file here sets net.core.somaxconn"


def test_an_earlier_patch_is_a_file_like_any_other() -> None:
    path = "/etc/sysctl.d/90-advisor.conf"
    content = b"# before: 128\nnet.core.somaxconn = 64\nnet.ipv4.tcp_fin_timeout = 60\n"
    assert new(cure(target(sysctl={path: content}))) == {path: content.replace(b"64", b"4096")}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"fs.file-nr = 1 0 9\n" + LOW, "a.conf:2 sets no sysctl: the file holds what 'sysctl -a' printed"),
        (b"[sysctl]\nvm.a = 1\n[bootloader]\n" + LOW, "a.conf:4 sets no sysctl"),
        (b"net.core.somaxconn = 64\rx\n", "a.conf:1 is read by "),
        (b"# Ansible managed\n" + LOW, "a.conf is written by another program (line 1: 'Ansible managed')"),
    ],
)
def test_what_is_no_line_to_change_is_left(content: bytes, why: str) -> None:
    assert left(target(sysctl={"a.conf": content}), "somaxconn-lowered").startswith(why)


def test_a_file_that_another_program_writes_is_changed_where_a_person_says_so() -> None:
    content = b"# Ansible managed\n" + LOW
    plan = planned(target(sysctl={"a.conf": content}), managed=True)
    assert plan.prediction.sysctl_files == {"a.conf": content.replace(b"64", b"4096")}


def test_half_a_vector_is_left_and_said() -> None:
    snapshot = target(sysctl={"a.conf": b"net.ipv4.tcp_rmem = 4096 12582912\n"})
    said = "net.ipv4.tcp_rmem.default could not be read: a.conf:1 holds '4096 12582912'"
    assert left(snapshot, "tcp-rmem-default-huge").startswith(said)
    assert left(snapshot, "tcp-rmem-default-huge", in_place=False).startswith(said)


def test_files_are_changed_from_within_a_container() -> None:
    """Where they will be applied is not where they are changed."""
    host = Host(name="ci", kernel="6.1.0", container="docker", netns="4026532000")
    files = {"a.conf": b"net.ipv4.tcp_max_orphans = 10\n"}
    inside = target(sysctl=files, host=host, sysctls=Sysctls(read_only=True))
    assert planned(inside, in_place=False).prediction.sysctls == []
    assert planned(inside).prediction.sysctl_files.keys() == {"a.conf"}


def test_a_coupled_change_belongs_to_the_finding_that_brought_it_about() -> None:
    """Of three findings cured at once, one asks for a larger backlog, and only then somaxconn is too small for it."""
    row = {"address": "0.0.0.0", "port": 80, "queue": 9, "limit": 8, "drops": {"first": 0, "last": 764}}  # noqa: S104 (a row)
    snapshot = target(
        {"nginx.conf": b"http { server { listen 80 backlog=8; } }"},
        {"a.conf": b"net.core.somaxconn = 4096\nnet.ipv4.tcp_timestamps = 0\nnet.ipv4.tcp_sack = 0\n"},
        sockets={"method": "SOCK_DIAG", "states": {"ESTABLISHED": 9}, "listeners": [row]},
        sysctls={"values": {"net.core.somaxconn": "4096"}},
        counters={"Tcp.PassiveOpens": {"first": 0, "last": 3000}},
        sample=1.0,
    )
    plan = planned(snapshot)
    assert plan.rounds == 3
    coupled = [subject for subject, roots in plan.brought_by.items() if roots != (subject,)]
    assert [rule for rule, _ in coupled] == ["listen-backlog-capped"]
    assert {rule for rule, _ in plan.brought_by[coupled[0]]} == {"accept-queue-overflowing"}
    fixed = cure(snapshot)
    assert "accept-queue-overflowing" not in {rule for _, rule, _ in fixed.left}
    owners = {rule for one in fixed.edits["a.conf"] if one.new == b"8192" for _, rule, _ in one.owners}
    assert owners == {"accept-queue-overflowing"}
