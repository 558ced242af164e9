"""The kernel's log: this machine's, which others write to as well, and those of trees."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any

import pytest

from advisor.collect import kmsg
from advisor.collect.kmsg import read_kernel_log
from advisor.errors import InputError
from advisor.system import System

ORPHANS = "6,1,{},-;TCP: too many orphaned sockets\n SUBSYSTEM=net\n"


def tree(root: pathlib.Path, log: str, uptime: str = "1000.00 1.00\n") -> System:
    for name, text in {"dev/kmsg": log, "proc/uptime": uptime}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return System(str(root))


def test_messages_have_the_age_that_the_machine_s_uptime_gives_them(tmp_path: pathlib.Path) -> None:
    log = ORPHANS.format(400_000_000) + ORPHANS.format(940_000_000) + "6,1,1,-;something else\n"
    [row] = read_kernel_log(tree(tmp_path, log))
    assert (row.kind, row.subject, row.count, row.newest) == ("orphans", None, 2, 60.0)
    assert row.ages is not None
    assert (row.ages.oldest, sum(row.ages.counts)) == (600.0, 2)


def test_kept_back_messages_weigh_as_many_as_they_are(tmp_path: pathlib.Path) -> None:
    [row] = read_kernel_log(tree(tmp_path, "6,1,990000000,-;net_ratelimit: 500 callbacks suppressed\n"))
    assert row.ages is not None
    assert (row.count, sum(row.ages.counts)) == (500, 500)


def test_nothing_to_say_and_nothing_there(tmp_path: pathlib.Path) -> None:
    assert read_kernel_log(tree(tmp_path, "", uptime="")) == []
    with pytest.raises(OSError, match="No such file"):
        read_kernel_log(System(str(tmp_path / "proc")))


def test_a_tree_that_does_not_say_the_time(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match=r"^/proc/uptime: line 1: no uptime$"):
        read_kernel_log(tree(tmp_path, ORPHANS.format(1), uptime="soon\n"))


def test_no_other_thing_in_its_place_is_opened(tmp_path: pathlib.Path) -> None:
    system = tree(tmp_path, "")
    (tmp_path / "dev/kmsg").unlink()
    os.mkfifo(tmp_path / "dev/kmsg")
    with pytest.raises(OSError, match="not the kernel's log"):
        read_kernel_log(system)


@pytest.mark.real
def test_a_listener_whose_syn_queue_is_full_is_named_with_the_time(inside: Any) -> None:
    """TCP_DEFER_ACCEPT keeps clients that send nothing half-open: more of them than the backlog look like a flood."""
    port = 20000 + os.getpid() % 20000
    found = dict(
        inside.ask(
            "import socket\nfrom advisor.collect.kmsg import read_kernel_log\n"
            f"server = socket.create_server(('127.0.0.2', {port}), backlog=16)\n"
            "server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 10)\n"
            "held = [socket.socket() for _ in range(60)]\n"
            "for one in held:\n"
            "    one.setblocking(False)\n"
            f"    one.connect_ex(('127.0.0.2', {port}))\n"
            "rows = read_kernel_log(System())\n"
            "answer = [(one.subject, one.newest) for one in rows if one.kind == 'syn_flooding']"
        )
    )
    assert found[f"127.0.0.2:{port}"] < 30


@pytest.mark.real
def test_who_may_not_read_it_is_told_who_may(inside: Any) -> None:
    restricted = pathlib.Path("/proc/sys/kernel/dmesg_restrict").read_text() == "1\n"
    if not restricted:
        pytest.skip("everybody may read the kernel's log here (kernel.dmesg_restrict is 0)")
    said = inside.ask(
        "import os\nfrom advisor.collect.kmsg import read_kernel_log\nfrom advisor.errors import InputError\n"
        "os.setgid(65534)\nos.setuid(65534)\n"
        "try: answer = str(read_kernel_log(System()))\nexcept InputError as error: answer = str(error)"
    )
    assert said == "/dev/kmsg can't be read: root can, or who has CAP_SYSLOG (kernel.dmesg_restrict)"


def test_a_log_that_grows_faster_than_it_is_read_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is in time and in bytes; records that were overwritten (EPIPE) are passed over."""
    reads = iter([BrokenPipeError(), b"6,1,1,-;a\n", BrokenPipeError()])

    def read(_: int, __: int) -> bytes:
        answer = next(reads, b"6,2,2,-;b\n")
        if isinstance(answer, BrokenPipeError):
            raise answer
        return answer

    monkeypatch.setattr(kmsg, "_LONGEST", 0.05)
    monkeypatch.setattr("advisor.collect.kmsg.os.read", read)
    begun = time.monotonic()
    records = list(kmsg._drain(System(), 0))
    assert time.monotonic() - begun < 5
    assert records[0] == b"6,1,1,-;a\n"
