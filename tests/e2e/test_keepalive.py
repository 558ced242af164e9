"""The field report: keepalive_timeout 300 under a mixed load, found, patched, and measured against the promise."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support import late
from support.command import audit, collect, evidence, found, plan, predicted
from support.configured import differences
from support.incident_audit import SHARED, Wanted, audited
from support.load import Mix
from support.netns import Netns, pair
from support.nginx import Nginx, running
from support.steady import Steady, steady

from advisor.facts.derive import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from advisor.snapshot.model import Snapshot

SERVER, CLIENTS, VIA = "10.9.0.1", "10.77.0.0/20", "10.9.0.2"
LISTEN = f"{SERVER}:80"
RULE = "keepalive-timeout-long"
WARM = 80
"""Seconds after which the idle tell who comes back after more than 60 s, and who never does."""
SETTLED = 62
"""Seconds after a reload: whoever was idle for the new timeout has been let go."""
HEADER, POLL = 75, 100
"""Seconds until nginx lets go who asks nothing, and until a poll is answered: so that many wait for over 60 s."""
OF_THE_HOST = ("it is the host's", "control group")
"""Reasons for which something can't be read in a namespace, where `ip netns exec` mounts a /sys without groups."""

MIX = Mix(
    host=SERVER,
    port=80,
    network=CLIENTS,
    seed=1,
    seconds=240,
    once=16,
    visits=2,
    downloads=0.5,
    silent=1,
    returning=[(300, 5), (300, 15), (200, 40), (500, 70)],
    pollers=30,
)


def http(folder: pathlib.Path) -> str:
    return f"""\
    keepalive_timeout 300;
    client_header_timeout {HEADER};
    server {{
        listen {LISTEN};
        root {folder};
        location = /poll {{
            proxy_pass http://unix:{folder}/late;
            proxy_read_timeout {POLL + 30};
        }}
        location = /download {{
            limit_rate 4k;
        }}
    }}
"""


@contextlib.contextmanager
def site(folder: pathlib.Path) -> Iterator[tuple[Netns, Netns, Nginx]]:
    """nginx in a namespace, with a page, a slow file and a question that is answered late; another for clients."""
    (folder / "index.html").write_text("hello\n")
    (folder / "download").write_bytes(bytes(120_000))
    with pair(SERVER, VIA) as (server, clients):
        server.run("ip", "route", "add", CLIENTS, "via", VIA)
        server.start(sys.executable, str(pathlib.Path(late.__file__)), f"{folder}/late", str(POLL))
        main = "worker_rlimit_nofile 16384;\n"
        with running(server, folder / "nginx", http(folder), workers=2, connections=8192, main=main) as nginx:
            yield server, clients, nginx


def counts_are_what_the_load_holds(report: dict[str, Any], moments: list[dict[str, Any]]) -> None:
    """At one of the moments in which the audit can have looked, all three numbers are true."""
    values = evidence(found(report, RULE)["http"])
    names = {"established": "item.established", "idle_over_60": "held", "clients": "item.clients"}
    seen = {name: values[theirs] for name, theirs in names.items()}
    true = [all(one[name] == pytest.approx(seen[name], rel=0.02) for name in seen) for one in moments]
    assert any(true), (seen, moments[:1], moments[-1:])


def all_are_there_and_served(moment: dict[str, Any]) -> None:
    assert set(moment["kinds"]) == {"once", "visit", "download", "silent", "returning", "poller"}
    assert moment["counts"].get("failed", 0) == moment["counts"].get("refused", 0) == 0


def look(server: Netns, nginx: Nginx, load: Steady) -> None:
    """Audit the incident while it lasts."""
    sample = 5
    load.moments()
    begun = time.monotonic()
    incident = audited(server, "--nginx-conf", str(nginx.conf), "--sample", str(sample), entered=True)
    report = incident.report
    moments = load.moments()
    assert [one[1:] for one in incident.rules()] == [(RULE, "http")]
    assert found(report, RULE)["http"]["confidence"] == "observed"
    unread = [one for one in report["unknown"] if not any(text in one["why"] for text in OF_THE_HOST)]
    assert {(one["source"], one["why"].partition(";")[0]) for one in unread} == {
        ("error_log", "its level hides warnings"),
        ("capture", "no capture of packets was given (--capture FILE)"),
    }
    assert found(report, RULE)["http"]["location"]["file"] == str(nginx.conf)
    incident.equal(evidence(found(report, RULE)["http"])["item.established"], Wanted("ESTAB", LISTEN))
    counts_are_what_the_load_holds(report, [one for one in moments if one["time"] > begun + sample])
    all_are_there_and_served(moments[-1])


def change(server: Netns, nginx: Nginx, folder: pathlib.Path) -> tuple[Snapshot, dict[str, Any]]:
    """Patch it: what there was, and the plan."""
    before = collect(server, folder / "before.json", "--sample", "5")
    made = plan(server, folder / "out", "--snapshot", str(folder / "before.json"), "--unsafe")
    assert [(one["before"], one["after"]) for one in made["nginx"]] == [
        ("keepalive_timeout 300", "keepalive_timeout 60")
    ]
    assert made["needs"] == ["reload"]
    subprocess.run(["patch", "-p1", "-d", "/", "-i", str(folder / "out" / "nginx.diff")], check=True, timeout=30)
    tested = nginx.test()
    assert tested.returncode == 0, tested.stderr
    nginx.reload()
    return before, made


def it_came_as_promised(made: dict[str, Any], after: Snapshot, load: Steady) -> None:
    promised = {one["name"]: one for one in made["expected"]}
    held, new = promised[f"ESTABLISHED on {LISTEN}"], promised["new connections per second"]
    listener = next(one for one in Facts(after).sockets.listeners if one.id == LISTEN)
    established, rate = listener.established, Facts(after).counters.value("Tcp.PassiveOpens", "per_second")
    moments = load.moments()
    recent = [one["established"] for one in moments if one["time"] > moments[-1]["time"] - 8]
    assert max(recent) < 1.03 * min(recent), "the load is not steady yet"
    assert established == pytest.approx(recent[-1], rel=0.02)
    all_are_there_and_served(moments[-1])
    assert established == pytest.approx(held["after"], rel=0.15)
    assert rate == pytest.approx(new["after"], rel=0.15)
    # Neither "nothing changes" nor "rate x T" would have done.
    assert held["before"] != pytest.approx(established, rel=0.15)
    assert new["before"] != pytest.approx(rate, rel=0.15)
    assert new["before"] * 60 != pytest.approx(established, rel=0.30)


def it_is_what_was_predicted(before: Snapshot, after: Snapshot, conf: str) -> None:
    expected = predicted(before, unsafe=True)
    assert differences(expected, after) == {}
    changed = {"/".join(name) for name in differences(before, expected)}
    assert {f"file/{conf}", "keepalive_timeout/http"} < changed
    rest = changed - {f"file/{conf}", "keepalive_timeout/http"}
    assert all(name.startswith("effective/") and name.endswith("/keepalive_timeout") for name in rest)


@pytest.mark.real("nginx", "patch")
def test_the_field_report_is_found_and_its_cure_does_what_was_promised(tmp_path: pathlib.Path) -> None:
    with site(tmp_path) as (server, clients, nginx), steady(clients, MIX) as load:
        load.until(WARM)
        look(server, nginx, load)
        before, made = change(server, nginx, tmp_path)
        time.sleep(SETTLED)
        after = collect(server, tmp_path / "after.json", "--sample", "10")
        it_came_as_promised(made, after, load)
        it_is_what_was_predicted(before, after, str(nginx.conf))
        third = plan(server, tmp_path / "third", "--snapshot", str(tmp_path / "after.json"), "--unsafe")
        assert third["sysctl"] == third["nginx"] == []
        assert [one["rule"] for one in third["findings"] if one["rule"] not in SHARED] == []


@pytest.mark.real("nginx")
def test_an_edit_that_nginx_has_not_loaded_is_said_until_it_has(netns: Netns, tmp_path: pathlib.Path) -> None:
    rule = "config-not-loaded"
    with running(netns, tmp_path, "    server {\n        listen 127.0.0.1:80;\n    }\n") as nginx:
        assert found(audit(netns, "--sample", "0"), rule) == {}
        # The rule leaves 2 s to an editor that is still writing.
        time.sleep(2.5)
        nginx.conf.write_text(nginx.conf.read_text().replace("access_log off", "access_log  off"))
        (finding,) = found(audit(netns, "--sample", "0"), rule).values()
        assert finding["item"] == finding["location"]["file"] == str(nginx.conf)
        assert 2 < evidence(finding)["item.newer_by"] < 60
        assert [step["safety"] for step in finding["steps"]] == ["manual"]
        nginx.reload()
        assert found(audit(netns, "--sample", "0"), rule) == {}
