"""Wrong cures: a queue that overflows because nobody has the CPU to accept is left as short as it is, and told why."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from support.command import PEERS
from support.cured import findings, rules
from support.inside import connect, inside
from support.nginx import Nginx, running

from advisor.collect.run import Request, collect
from advisor.engine.judging import Judging
from advisor.facts.derive import Facts
from advisor.findings import Confidence, Safety, Severity
from advisor.jobs import patch
from advisor.remedy.plan import Allowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Netns

    from advisor.findings import Step
    from advisor.snapshot.model import Snapshot

RULE = "accept-queue-overflowing"
ADDRESS = "127.0.0.1:8080"
BACKLOG = 8
CLIENTS = 150
SAMPLE = 2.5
"""Seconds; a burst takes 2."""
ONE = {0}
"""The CPU that is kept busy; others are left to those who look."""
ZEROS = 64 * 1024 * 1024
"""Bytes that a worker compresses for one request."""
CPU = pathlib.Path("/sys/fs/cgroup/cpu")


def http(folder: pathlib.Path) -> str:
    return f"""
    gzip on;
    gzip_comp_level 9;
    gzip_types *;
    sendfile off;
    server {{
        listen {ADDRESS} backlog={BACKLOG};
        root {folder};
    }}
"""


@contextlib.contextmanager
def compressing(nginx: Nginx, folder: pathlib.Path) -> Iterator[None]:
    """A client asks again and again for a file of zeros: much to compress, and so little to send that none waits."""
    with (folder / "zeros").open("wb") as file:
        file.truncate(ZEROS)
    for worker in nginx.serving():
        os.sched_setaffinity(worker, ONE)
    with connect(nginx.ns, 8080) as client:
        client.sendall(b"GET /zeros HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n" * 40)
        time.sleep(0.3)
        yield


def look(nginx: Nginx) -> Snapshot:
    """What is read while many clients come at once; not by the command, which lets everybody else go first."""
    crowds: list[subprocess.Popen[str]] = []

    def come(said: str) -> None:
        if "between two readings" in said:
            arguments = ["crowd", "burst", str(CLIENTS), ADDRESS]
            options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            crowds.append(nginx.ns.start(*PEERS, *arguments, **options))

    with inside(nginx.ns):
        snapshot = collect(Request(sample=SAMPLE), come)
    for crowd in crowds:
        crowd.communicate("\n", 30)
    return snapshot


def steps(snapshot: Snapshot) -> tuple[tuple[Step, ...], list[str | None]]:
    """What the finding asks for, and what the plan makes of it."""
    finding = findings(snapshot)[RULE][ADDRESS]
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.OBSERVED)
    made = patch.plan(snapshot, Judging([one for one in rules() if one.id == RULE]), Allowed(unsafe=True)).prediction
    assert made.sysctls == []
    return finding.steps, [one.after for one in made.directives]


@pytest.mark.real("nginx")
def test_a_worker_that_compresses_all_the_time_gets_no_longer_queue(netns: Netns, tmp_path: pathlib.Path) -> None:
    with running(netns, tmp_path / "nginx", http(tmp_path)) as nginx, compressing(nginx, tmp_path):
        snapshot = look(nginx)
    assert Facts(snapshot).cpu.needed > 0.9
    asked, changes = steps(snapshot)
    assert [one.safety for one in asked] == [Safety.MANUAL]
    assert "nobody accepts in time" in asked[0].text
    assert changes == []


@pytest.mark.real("nginx")
def test_a_worker_that_waits_for_something_else_does(netns: Netns, tmp_path: pathlib.Path) -> None:
    """It is stopped, and so uses and waits for no CPU: a queue for the time that this takes is the cure."""
    with running(netns, tmp_path / "nginx", http(tmp_path)) as nginx:
        [worker] = nginx.serving()
        os.kill(worker, signal.SIGSTOP)
        try:
            snapshot = look(nginx)
        finally:
            os.kill(worker, signal.SIGCONT)
    assert Facts(snapshot).cpu.needed < 0.1
    asked, changes = steps(snapshot)
    assert [one.safety for one in asked] == [Safety.SAFE]
    assert changes == [f"listen {ADDRESS} backlog=511"]


@contextlib.contextmanager
def quota(nginx: Nginx, share: float) -> Iterator[None]:
    """All of nginx in a control group that may use a part of one CPU."""
    group = CPU / f"adv-{secrets.token_hex(4)}"
    group.mkdir()
    pids = [nginx.master.pid, *nginx.serving()]
    try:
        (group / "cpu.cfs_quota_us").write_text(str(int(share * 100_000)))
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for pid in pids:
            (CPU / "cgroup.procs").write_text(str(pid))
        group.rmdir()


@pytest.mark.real("nginx")
@pytest.mark.skipif(not (CPU / "cpu.cfs_quota_us").exists(), reason="needs the cpu controller of cgroup v1")
def test_a_quota_that_is_used_up_gets_no_longer_queue(netns: Netns, tmp_path: pathlib.Path) -> None:
    with (
        running(netns, tmp_path / "nginx", http(tmp_path)) as nginx,
        quota(nginx, 0.1),
        compressing(nginx, tmp_path),
    ):
        snapshot = look(nginx)
    facts = Facts(snapshot)
    assert facts.cpu.throttled > 0.5
    assert facts.cpu.busiest < 0.5
    asked, changes = steps(snapshot)
    assert [one.safety for one in asked] == [Safety.MANUAL]
    assert changes == []
    assert [one.severity for one in findings(snapshot)["cgroup-cpu-throttled"].values()] == [Severity.HIGH]


@pytest.mark.real("nginx")
def test_cookies_for_real_clients_are_told_from_a_flood(netns: Netns, tmp_path: pathlib.Path) -> None:
    """Silent clients stay half-open under ``deferred``: those past the backlog get cookies, and return them."""
    deferred = f"server {{ listen {ADDRESS} backlog={BACKLOG} deferred; return 200; }}\n"
    with running(netns, tmp_path / "nginx", deferred) as nginx:
        snapshot = look(nginx)
    facts = Facts(snapshot).counters
    sent, back = (facts.value(f"TcpExt.Syncookies{name}", "delta") for name in ("Sent", "Recv"))
    assert sent > CLIENTS / 2
    assert back >= 0.9 * sent
    [finding] = findings(snapshot)["syn-cookies-sent"].values()
    assert finding.confidence is Confidence.OBSERVED
    assert "the clients are real" in finding.steps[0].text
