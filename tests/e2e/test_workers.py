"""What workers of a real nginx run out of: connections, descriptors; and what they take and leave behind."""

from __future__ import annotations

import contextlib
import pathlib
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.backends import UPGRADING
from support.command import collect, play
from support.cured import findings, planned, write
from support.nginx import Nginx, running

from advisor.collect.run import Request
from advisor.collect.run import collect as gather
from advisor.facts.capacity import CONNECTION
from advisor.facts.derive import Facts
from advisor.findings import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Netns

    from advisor.snapshot.model import Snapshot

BACKENDS = [sys.executable, str(pathlib.Path(__file__).parents[1] / "support/backends.py")]
SERVER = "server { listen 127.0.0.1:8080; return 200; }"
ROOM = 64
"""worker_connections of the small nginx: one is its listening socket, one its channel from the master."""
BEFORE = 3.0
"""Seconds between what the log said and a reload after which the two are known to be in this order."""


def warnings(folder: pathlib.Path) -> str:
    return f"error_log {folder}/nginx/warnings.log warn;\n"


def lines(folder: pathlib.Path, text: str) -> int:
    return len(re.findall(text, (folder / "nginx/warnings.log").read_text(), re.MULTILINE))


def busy(ns: Netns, count: int) -> subprocess.Popen[str]:
    process = ns.start(*BACKENDS, "busy", "127.0.0.1", "8080", str(count), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


@contextlib.contextmanager
def small(ns: Netns, folder: pathlib.Path, binary: str, main: str = "", connections: int = ROOM) -> Iterator[Nginx]:
    main = warnings(folder) + main
    with running(ns, folder / "nginx", SERVER, connections=connections, main=main, binary=binary) as nginx:
        yield nginx


def look(ns: Netns, folder: pathlib.Path) -> Snapshot:
    return collect(ns, folder / "kept.json", "--sample", "0")


@pytest.mark.real("nginx")
def test_idle_connections_are_evicted_and_it_is_seen(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    with small(netns, tmp_path, binary):
        play(netns, "crowd", "pool", "127.0.0.1", "8080", "200")
        snapshot = look(netns, tmp_path)
    seen = lines(tmp_path, f"{ROOM} worker_connections are not enough, reusing connections$")
    assert seen > 0
    assert lines(tmp_path, f"{ROOM} worker_connections are not enough$") == 0
    (listener,) = Facts(snapshot).sockets.listeners
    held = listener.established
    assert 0.7 * ROOM < held < ROOM
    log = Facts(snapshot).nginx.log
    assert [one.count for one in log.connections_reused] == [seen]
    assert log.connections_exhausted == []
    (finding,) = findings(snapshot)["idle-connections-evicted"].values()
    assert finding.confidence is Confidence.OBSERVED
    # A worker's sockets, one of which is nginx's own channel and one the listener.
    assert Facts(snapshot).nginx.capacity.taken == held + 2


@pytest.mark.real("nginx")
def test_busy_connections_exhaust_it_and_the_patch_makes_room(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    with small(netns, tmp_path, binary) as nginx:
        clients = busy(netns, 100)
        snapshot = look(netns, tmp_path)
        made = planned(snapshot)
        refused = lines(tmp_path, f"{ROOM} worker_connections are not enough$")
        assert refused == 100 - (ROOM - 2)
        facts = Facts(snapshot).nginx
        assert [one.count for one in facts.log.connections_exhausted] == [refused]
        assert facts.capacity.taken == ROOM
        assert findings(snapshot).keys() >= {"worker-connections-exhausted", "worker-connections-nearly-used"}
        wanted = {one.target: str(one.after) for one in made.prediction.directives}
        assert wanted["worker_connections"] == f"worker_connections {2 * ROOM}"
        # Never fewer than workers may open now.
        assert int(wanted["worker_rlimit_nofile"].split()[1]) == facts.capacity.nofile

        clients.kill()
        clients.wait(5)
        time.sleep(BEFORE)
        write(made)
        nginx.reload()
        busy(netns, 100)
        after = look(netns, tmp_path)
    assert lines(tmp_path, f"^.*{2 * ROOM} worker_connections are not enough") == 0
    assert Facts(after).nginx.capacity.taken == 100 + 2
    assert Facts(after).nginx.capacity.nofile >= facts.capacity.nofile
    gone = {"worker-connections-exhausted", "worker-connections-nearly-used", "worker-limit-below-connections"}
    assert not gone & findings(after).keys()


@pytest.mark.real("nginx")
def test_too_few_descriptors(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    with small(netns, tmp_path, binary, "worker_rlimit_nofile 64;\n", 1024) as nginx:
        clients = play(netns, "crowd", "pool", "127.0.0.1", "8080", "100")
        nginx._wait(lambda: lines(tmp_path, r"\(24: ") > 0, "found descriptors enough")
        seen = lines(tmp_path, r"\(24: ")
        snapshot = look(netns, tmp_path)
        # nginx tries again every half a second. musl and glibc have different words for errno 24.
        (logged,) = Facts(snapshot).nginx.log.too_many_files
        assert seen <= logged.count <= lines(tmp_path, r"\(24: ")
        facts = Facts(snapshot).nginx
        assert (facts.capacity.nofile, facts.capacity.open) == (64, 64)
        found = findings(snapshot)
        for rule in ("descriptors-exhausted", "worker-limit-below-connections"):
            (finding,) = found[rule].values()
            assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.OBSERVED)
        clients.kill()
        clients.wait(5)
        time.sleep(BEFORE)
        write(planned(snapshot))
        nginx.reload()
        play(netns, "crowd", "pool", "127.0.0.1", "8080", "100")
        after = look(netns, tmp_path)
    capacity = Facts(after).nginx.capacity
    assert capacity.nofile >= capacity.descriptors > 1024
    gone = {"descriptors-exhausted", "worker-limit-below-connections", "worker-nofile-below-connections"}
    assert gone <= found.keys()
    assert not gone & findings(after).keys()


@pytest.mark.real("nginx")
def test_what_a_worker_takes_as_it_starts(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """Memory for each of worker_connections, and descriptors: fewer than a rule sets aside."""
    http = "server { listen 127.0.0.1:8080 reuseport; listen 127.0.0.1:8081; }"
    resident, count = [], (1024, 51_024)
    for connections in count:
        folder = tmp_path / str(connections)
        main = "worker_rlimit_nofile 60000;\n"
        with running(netns, folder, http, workers=2, connections=connections, main=main, binary=binary) as nginx:
            worker = psutil.Process(nginx.serving()[0])
            resident.append(worker.memory_info().rss)
            opened = worker.num_fds()
            if connections == count[-1]:
                snapshot = look(netns, tmp_path)
    each = (resident[1] - resident[0]) / (count[1] - count[0])
    assert each == pytest.approx(CONNECTION, rel=0.02)
    capacity = Facts(snapshot).nginx.capacity
    assert capacity.reserved == 2 * count[1] * CONNECTION
    assert capacity.open == opened
    # Those of an idle worker beside what is counted are within the spare 64.
    assert opened < capacity.descriptors - capacity.connections + 64
    assert capacity.running == 2


@pytest.mark.real("nginx")
def test_old_workers_stay_with_an_upgraded_connection(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = f"""
        map $http_upgrade $upgrading {{ default upgrade; '' close; }}
        server {{
            listen 127.0.0.1:8080;
            location / {{
                proxy_pass http://127.0.0.1:{UPGRADING};
                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $upgrading;
            }}
        }}
    """
    backends = netns.start(*BACKENDS, "serve", cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert backends.stdout is not None
    with backends.stdout:
        assert backends.stdout.readline() == "ready\n"
    with running(netns, tmp_path / "nginx", http, workers=2, binary=binary) as nginx:
        old = {*nginx.serving()}
        client = netns.start(
            sys.executable,
            "-c",
            "import socket, sys\nc = socket.create_connection(('127.0.0.1', 8080))\n"
            "c.sendall(b'GET / HTTP/1.1\\r\\nHost: a\\r\\nUpgrade: test\\r\\nConnection: Upgrade\\r\\n\\r\\n')\n"
            "print(c.recv(12).decode(), flush=True)\nsys.stdin.read()",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        assert client.stdout.readline() == "HTTP/1.1 101\n"
        nginx.reload()
        nginx._wait(lambda: len(old & {*psutil.pids()}) == 1, "kept both old workers")
        snapshot = look(netns, tmp_path)
        client.communicate("")
        nginx._wait(lambda: not old & {*psutil.pids()}, "kept an old worker")
        after = look(netns, tmp_path)
    assert snapshot.processes is not None
    assert {one.pid for one in snapshot.processes.leaving} < old
    now = {"old_workers_lingering__patience": "0 s"}
    assert findings(snapshot, **now)["old-workers-lingering"]["main"].message.startswith("1 workers")
    assert "old-workers-lingering" not in findings(snapshot)
    assert "old-workers-lingering" not in findings(after, **now)
    unlimited = [findings(one)["worker-shutdown-unlimited"]["main"].confidence for one in (snapshot, after)]
    assert unlimited == [Confidence.OBSERVED, Confidence.POTENTIAL]


REFUSED = [
    (
        "",
        "server { listen 127.0.0.1:80 reuseport; } server { listen 127.0.0.1:80 reuseport; }",
        "listen-options-repeated",
    ),
    ("", "server { listen 127.0.0.1:80 backlog=9; } server { listen 127.0.0.1:80 bind; }", "listen-options-repeated"),
]
WARNED = [
    ("", "server { listen 81; server_name a; } server { listen 81; server_name b a; }", "server-name-conflict"),
    ("worker_cpu_affinity 01 10;", "", "worker-cpu-affinity-short"),
]
FINE = [
    ("", "server { listen 127.0.0.1:80 reuseport; } server { listen 127.0.0.1:80; }", "listen-options-repeated"),
    ("", "server { listen 81; server_name a; } server { listen 82; server_name a; }", "server-name-conflict"),
    ("worker_cpu_affinity auto;", "", "worker-cpu-affinity-short"),
]
SAID = {
    "listen-options-repeated": "duplicate listen options for",
    "server-name-conflict": "conflicting server name",
    "worker-cpu-affinity-short": "worker_cpu_affinity",
}


@pytest.mark.real("nginx")
@pytest.mark.parametrize(("main", "http", "rule"), [*REFUSED, *WARNED, *FINE])
def test_nginx_says_the_same_of_a_configuration(
    netns: Netns, tmp_path: pathlib.Path, binary: str, main: str, http: str, rule: str
) -> None:
    nginx = Nginx(netns, tmp_path / "nginx", workers=4, binary=binary)
    nginx.write(http, main=main)
    verdict = nginx.test()
    snapshot = gather(Request(host=False, nginx_conf=str(nginx.conf)))
    assert (rule in findings(snapshot)) is (SAID[rule] in verdict.stderr), verdict.stderr
    assert (verdict.returncode != 0) is ((main, http, rule) in REFUSED)
