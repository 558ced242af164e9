"""Accept queues: one of two listeners overflows while nginx is busy; the patch, applied, ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.command import (
    PEERS,
    audit,
    collect,
    evidence,
    found,
    kept,
    plan,
    predicted,
    sampling,
)
from support.configured import differences
from support.nginx import Nginx, running

from advisor.facts.derive import Facts

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

    from support.netns import Netns

    from advisor.snapshot.model import Snapshot

RULE = "accept-queue-overflowing"
CAP = "listen-backlog-capped"
ASKED = ("--select", RULE, "--select", CAP)
"""A backlog this small is a finding of its own, too; asked are those that look at the queue."""
SHORT, OTHER = "127.0.0.1:8080", "127.0.0.1:8081"
BACKLOG = 8
SAMPLE = 4
"""Seconds, or as long as a burst takes; in fewer its rate would ask for a longer queue than nginx's own 511."""

DROPIN = "etc/sysctl.d/90-advisor.conf"


def http(other: int) -> str:
    """Two listeners, one of them with a short queue; 511 is what nginx asks for by itself."""
    backlog = "" if other == 511 else f" backlog={other}"
    return f"""
    server {{
        listen {SHORT} backlog={BACKLOG};
        listen {OTHER}{backlog};
        return 200;
    }}
"""


def burst(nginx: Nginx, count: int) -> dict[str, int]:
    """Clients come to both listeners while the worker is stuck: who got through before it went on. All do after."""
    [worker] = nginx.serving()
    os.kill(worker, signal.SIGSTOP)
    try:
        arguments = ["crowd", "burst", str(count), SHORT, OTHER]
        crowd = nginx.ns.start(*PEERS, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        soon: dict[str, int] = json.loads(crowd.stdout.readline())
    finally:
        os.kill(worker, signal.SIGCONT)
    finally_all, _ = crowd.communicate("\n", 30)
    assert json.loads(finally_all) == {SHORT: count, OTHER: count}
    settle(nginx.ns)
    return soon


def settle(ns: Netns) -> None:
    """Wait until no connection is on its way, which a listener could still drop."""
    for _ in range(400):
        rows = ns.run("ss", "-Htan").stdout.splitlines()
        if all(row.startswith(("LISTEN", "TIME-WAIT")) for row in rows):
            return
        time.sleep(0.05)
    pytest.fail(f"after 20 s there is still: {rows[:10]}")


def kernel(ns: Netns) -> dict[str, tuple[int, int]]:
    """Limit and drops of each listener, as ss prints Send-Q and SKMEMINFO."""
    listing = ns.run("ss", "-Hltnm").stdout
    rows = re.findall(r"LISTEN\s+\d+\s+(\d+)\s+(\S+)\s+\S+\s+skmem:\(\S*,d(\d+)\)", listing)
    return {address: (int(limit), int(drops)) for limit, address, drops in rows}


def dropped(snapshot: Snapshot) -> dict[str, int]:
    """Drops of each listener during the sample."""
    return {one.id: one.drops for one in Facts(snapshot).sockets.listeners}


def apply(ns: Netns, folder: pathlib.Path) -> None:
    """What the patch's page says, with the drop-in where it lies."""
    if (folder / DROPIN).exists():
        ns.run("sysctl", "-p", str(folder / DROPIN))
    if (folder / "nginx.diff").exists():
        ns.run("patch", "-p1", "-d", "/", "-i", str(folder / "nginx.diff"))


def busy(nginx: Nginx, path: pathlib.Path, count: int) -> tuple[Snapshot, dict[str, int]]:
    """A snapshot with a burst in its sample, and who got through at once."""
    with sampling(nginx.ns, path, SAMPLE):
        soon = burst(nginx, count)
    return kept(path), soon


@dataclass(frozen=True)
class Case:
    """A namespace's cap, what the other listener asks for, how many come, and what has to follow the patch."""

    somaxconn: int
    other: int
    count: int
    follow: Callable[[Nginx], None]
    changes: dict[str, str]
    rounds: int


ALONE = Case(4096, 511, 200, Nginx.reload, {}, 2)
CAPPED = Case(128, 128, 100, Nginx.restart, {"net.core.somaxconn": "511"}, 3)
"""The larger backlog is cut by the cap that was large enough before: the plan takes one round more."""


@pytest.mark.real("nginx", "ss", "patch", "sysctl")
@pytest.mark.parametrize("case", [ALONE, CAPPED], ids=["the backlog alone", "and the cap on it"])
def test_the_listener_that_overflows_is_blamed_and_the_patch_ends_it(
    netns: Netns, tmp_path: pathlib.Path, case: Case
) -> None:
    netns.sysctl(net__core__somaxconn=str(case.somaxconn))
    with running(netns, tmp_path / "nginx", http(case.other)) as nginx:
        before, soon = busy(nginx, tmp_path / "before.json", case.count)
        assert soon == {SHORT: BACKLOG + 1, OTHER: case.count}
        drops = dropped(before)[SHORT]
        assert kernel(netns) == {SHORT: (BACKLOG, drops), OTHER: (case.other, 0)}
        assert drops >= case.count - (BACKLOG + 1)

        report = audit(netns, "--snapshot", str(tmp_path / "before.json"))
        [(item, finding)] = found(report, RULE).items()
        assert item == SHORT
        assert (finding["severity"], finding["confidence"]) == ("high", "observed")
        assert evidence(finding)["item.drops"] == drops

        made = plan(netns, tmp_path / "patch", *ASKED, "--snapshot", str(tmp_path / "before.json"))
        assert {one["key"]: one["after"] for one in made["sysctl"]} == case.changes
        assert [one["after"] for one in made["nginx"]] == [f"listen {SHORT} backlog=511"]
        assert (made["rounds"], made["needs"]) == (case.rounds, ["re-listen"])
        assert made["findings"][0]["outcome"] == "to be measured"
        assert made["findings"][0]["why"].count("anew") == 1, "said once, though queue and drops both have to be"

        uncoupled = plan(netns, tmp_path / "x", *ASKED, "--ignore", CAP, "--snapshot", str(tmp_path / "before.json"))
        assert [one["after"] for one in uncoupled["expected"]] == [min(511, case.somaxconn)], "the cap would cut it"

        apply(netns, tmp_path / "patch")
        assert nginx.test().returncode == 0
        case.follow(nginx)
        after, soon = busy(nginx, tmp_path / "after.json", case.count)
        assert soon == {SHORT: case.count, OTHER: case.count}
        assert dropped(after) == {SHORT: 0, OTHER: 0}
        assert differences(after, predicted(before, unsafe=False, only=(RULE, CAP))) == {}
        third = plan(netns, tmp_path / "third", *ASKED, "--snapshot", str(tmp_path / "after.json"))
        assert (third["sysctl"], third["nginx"]) == ([], [])


@pytest.mark.real("nginx", "ss", "sysctl")
def test_a_reload_keeps_a_limit_that_only_the_cap_cut(netns: Netns, tmp_path: pathlib.Path) -> None:
    netns.sysctl(net__core__somaxconn="128")
    with running(netns, tmp_path / "nginx", http(4096)) as nginx:
        before = collect(netns, tmp_path / "before.json", "--sample", "0")
        assert kernel(netns) == {SHORT: (BACKLOG, 0), OTHER: (128, 0)}
        made = plan(netns, tmp_path / "patch", *ASKED, "--snapshot", str(tmp_path / "before.json"))
        assert [(one["rule"], one["item"]) for one in made["findings"]] == [(CAP, OTHER)]
        assert (made["nginx"], made["needs"]) == ([], ["re-listen"])
        apply(netns, tmp_path / "patch")
        promised = predicted(before, unsafe=False, only=(RULE, CAP))

        nginx.reload()
        reloaded = collect(netns, tmp_path / "reloaded.json", "--sample", "0")
        assert differences(reloaded, promised) == {("listen", OTHER, "limit"): (128, 4096)}
        assert kernel(netns)[OTHER] == (128, 0)
        nginx.restart()
        assert differences(collect(netns, tmp_path / "restarted.json", "--sample", "0"), promised) == {}
        assert kernel(netns) == {SHORT: (BACKLOG, 0), OTHER: (4096, 0)}
        third = plan(netns, tmp_path / "third", *ASKED, "--sample", "0")
        assert (third["sysctl"], third["nginx"], third["findings"]) == ([], [], [])
