"""What nginx writes to its error log when backends fail: each kind is caused so often, and counted exactly."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.backends import CLOSING, FULL, SILENT, WORDY
from support.command import audit, collect
from support.cured import findings
from support.nginx import running, version_of

from advisor.findings import Confidence

if TYPE_CHECKING:
    from support.netns import Netns

    from advisor.snapshot.model import Snapshot

BACKENDS = [sys.executable, str(pathlib.Path(__file__).parents[1] / "support/backends.py")]
DEAD, NOWHERE = "127.0.0.1:9009", "192.0.2.7:80"

HTTP = f"""
    proxy_connect_timeout 100ms; proxy_read_timeout 100ms;
    upstream both {{ server {DEAD} max_fails=1; server 127.0.0.1:9010; }}
    server {{
        listen 127.0.0.1:8080;
        location /refused/ {{ proxy_pass http://{DEAD}; }}
        location /both/ {{ proxy_pass http://both; }}
        location /closing/ {{ proxy_pass http://127.0.0.1:{CLOSING}; }}
        location /silent/ {{ proxy_pass http://127.0.0.1:{SILENT}; }}
        location /wordy/ {{ proxy_pass http://127.0.0.1:{WORDY}; }}
        location /nowhere/ {{ proxy_pass http://{NOWHERE}; }}
        location /full/ {{ proxy_pass http://unix:FOLDER/{FULL}; }}
        location /upload/ {{ client_body_buffer_size 8k; proxy_pass http://{DEAD}; }}
    }}
"""


def serve(ns: Netns, folder: pathlib.Path) -> None:
    """Start the backends, and a network that swallows what is sent to it."""
    ns.run("ip", "link", "add", "void", "type", "veth", "peer", "name", "nobody")
    ns.run("ip", "addr", "add", "192.0.2.1/24", "dev", "void")
    ns.run("ip", "link", "set", "nobody", "up")
    ns.run("ip", "link", "set", "void", "up")
    folder.mkdir()
    process = ns.start(*BACKENDS, "serve", cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"


def ask(ns: Netns, count: int, path: str, size: int = 0) -> dict[str, int]:
    """That many requests; the answers by status."""
    answers: dict[str, int] = json.loads(
        ns.run(*BACKENDS, "ask", "127.0.0.1", "8080", str(count), path, str(size)).stdout
    )
    return answers


def counts(snapshot: Snapshot) -> dict[tuple[str, str | None], int]:
    assert snapshot.error_log is not None
    assert [log.unread for log in snapshot.error_log] == [None] * len(snapshot.error_log)
    return {(row.kind, row.subject): row.count for log in snapshot.error_log for row in log.logged}


@pytest.mark.real("nginx")
def test_every_failure_is_counted_exactly(
    netns: Netns, tmp_path: pathlib.Path, binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "nginx"
    serve(netns, tmp_path / "backends")
    main = f"error_log {folder}/warnings.log warn;\n"
    # nginx's clock shows another time than ours, as in a container.
    monkeypatch.setenv("TZ", "XYZ-5:45")
    with running(netns, folder, HTTP.replace("FOLDER", str(tmp_path / "backends")), main=main, binary=binary) as nginx:
        monkeypatch.delenv("TZ")
        assert ask(netns, 12, "/refused/") == {"502": 12}
        assert ask(netns, 4, "/both/") == {"502": 4}
        assert ask(netns, 5, "/closing/") == {"502": 5}
        assert ask(netns, 3, "/silent/") == {"504": 3}
        assert ask(netns, 2, "/wordy/") == {"502": 2}
        assert ask(netns, 3, "/nowhere/") == {"504": 3}
        assert ask(netns, 2, "/full/") == {"502": 2}
        assert ask(netns, 2, "/upload/", 100_000) == {"502": 2}
        (worker,) = nginx.serving()
        os.kill(worker, signal.SIGKILL)
        nginx._wait(lambda: worker not in nginx.serving() and len(nginx.serving()) == 1, "started no other worker")
        snapshot = collect(netns, tmp_path / "kept.json", "--sample", "0")
    assert counts(snapshot) == {
        # Each of the two is tried once and then left out for 10 s; the others find none alive.
        ("refused", DEAD): 12 + 2 + 1,
        ("refused", "127.0.0.1:9010"): 1,
        ("none_live", "both"): 3,
        ("closed_early", f"127.0.0.1:{CLOSING}"): 5,
        ("timed_out_reading", f"127.0.0.1:{SILENT}"): 3,
        ("header_too_big", f"127.0.0.1:{WORDY}"): 2,
        ("timed_out_connecting", NOWHERE): 3,
        ("queue_full", f"unix:{tmp_path}/backends/{FULL}"): 2,
        ("requests_buffered", None): 2,
        ("crashed", "signal 9"): 1,
    }, version_of(binary)
    assert snapshot.error_log is not None
    ages = [row.ages for log in snapshot.error_log for row in log.logged]
    assert all(one is not None and one.oldest is not None and one.oldest < 60 for one in ages)
    found = findings(snapshot)
    assert {*found["upstream-refusing"]} == {DEAD}
    for rule in ("upstream-none-live", "upstream-queue-full", "upstream-header-too-big", "worker-crashing"):
        (finding,) = found[rule].values()
        assert finding.confidence is Confidence.OBSERVED
    assert "15 times" in found["upstream-refusing"][DEAD].message


@pytest.mark.real("nginx")
def test_off_is_the_name_of_a_file(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    server = "server { listen 127.0.0.1:8080; error_log off; location / { proxy_pass http://127.0.0.1:9009; } }"
    with running(netns, tmp_path / "nginx", server, binary=binary):
        ask(netns, 2, "/")
        snapshot = collect(netns, tmp_path / "kept.json", "--sample", "0")
    assert (tmp_path / "nginx/off").read_text().count("Connection refused") == 2
    assert counts(snapshot) == {("refused", DEAD): 2}
    assert [*findings(snapshot)["error-log-off"]] == ["server 127.0.0.1:8080"]


@pytest.mark.real("nginx")
def test_a_log_that_hides_warnings_is_no_proof_of_none(netns: Netns, tmp_path: pathlib.Path) -> None:
    with running(netns, tmp_path / "nginx", "server { listen 127.0.0.1:8080; }"):
        report = audit(netns, "--sample", "0")
    states = {one["rule"]: one for one in report["unknown"]}
    assert "its level hides warnings" in json.dumps(states["responses-on-disk"])
    assert "upstream-refusing" not in states
