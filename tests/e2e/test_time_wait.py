"""TIME_WAIT: how long it lasts whatever tcp_fin_timeout says, and what happens when its table is full."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from support.command import audit, evidence, found, kept, plan, sampling
from support.incident_audit import audited
from support.netns import Netns, pair
from support.port_driver import by_hand, client, looking, server

from advisor.facts.derive import Facts

if TYPE_CHECKING:
    import pathlib

HERE, THERE, PORT = "10.9.0.1", "10.9.0.2", 8080
RULE = "time-wait-overflowing"
LIMIT = 500


def timer(ns: Netns, state: str) -> float:
    """The seconds that ss shows for the one socket in a state, once the other side's ACK has brought it there."""
    for _ in range(100):
        text = ns.run("ss", "-Htno", "state", state).stdout
        if text.strip():
            break
        time.sleep(0.02)
    shown = re.search(r"timer:\(timewait,(?:(\d+)min)?(?:(\d+)sec|(?:(\d+)\.)?(\d+)ms)?,", text)
    assert shown is not None, text
    minutes, seconds, whole, thousandths = (int(part or 0) for part in shown.groups())
    return 60 * minutes + seconds + whole + thousandths / 1000


def overflows(ns: Netns) -> int:
    """TCPTimeWaitOverflow, as nstat counts it."""
    return int(ns.run("nstat", "-asz", "TcpExtTCPTimeWaitOverflow").stdout.split()[-2])


@pytest.mark.real("ss", "sysctl")
def test_fin_timeout_ends_fin_wait2_and_leaves_time_wait_alone() -> None:
    with pair() as (ns, there), server(there, THERE, PORT), client(ns) as ours, looking(ns) as look:
        ns.sysctl(net__ipv4__tcp_fin_timeout="5")
        there.sysctl(net__ipv4__tcp_fin_timeout="5")
        assert ours.churn(THERE, PORT, 5, most=1) == 1
        assert timer(ns, "time-wait") > 55, "not the 5 s of tcp_fin_timeout"
        (row,) = look().sockets.destinations
        assert row.row.time_wait is not None
        assert row.row.time_wait.counts[0] + row.row.time_wait.counts[1] == 1, "and its age is known"
        with server(there, THERE, PORT + 1, deaf=True):
            ours.churn(THERE, PORT + 1, 5, most=1)
            assert timer(ns, "fin-wait-2") <= 5.1, "that is what it bounds"
        incident = audited(ns, "--sample", "0", entered=True)
        assert "does not shorten TIME_WAIT" in incident.only("fin-timeout-lowered", "")["message"]
        assert incident.serious() == set()


@pytest.mark.real("ss")
def test_a_pile_of_fin_wait2_is_told_from_what_processes_hold() -> None:
    many = 1100
    with pair() as (ns, there), server(there, THERE, PORT, deaf=True), client(ns) as ours:
        assert ours.churn(THERE, PORT, 20, most=many) == many
        for _ in range(100):
            if (states := by_hand(ns)[f"{THERE}:{PORT}"]) == {"FIN-WAIT-2": many}:
                break
            time.sleep(0.02)
        assert states == {"FIN-WAIT-2": many}
        report = audit(ns, "--sample", "0")
        (finding,) = found(report, "fin-wait2-piling").values()
        assert (finding["severity"], finding["confidence"]) == ("medium", "observed")
        assert evidence(finding)["sockets.fin_wait2"] == many
        assert [one["rule"] for one in report["findings"] if one["severity"] in {"high", "critical"}] == []


@pytest.mark.real("ss", "sysctl", "nstat")
def test_a_full_table_is_seen_and_the_patch_makes_room(tmp_path: pathlib.Path) -> None:
    with pair() as (ns, there), server(there, THERE, PORT), client(ns) as ours:
        ns.sysctl(net__ipv4__tcp_max_tw_buckets=str(LIMIT))
        before = overflows(ns)
        with sampling(ns, tmp_path / "full.json", 2):
            got = ours.churn(THERE, PORT, 1.9, most=2000)
        lost = overflows(ns) - before
        assert got == 2000
        assert LIMIT <= got - lost <= LIMIT * 1.1, "as many as the table holds ended in TIME_WAIT"
        facts = Facts(kept(tmp_path / "full.json"))
        assert facts.counters.value("TcpExt.TCPTimeWaitOverflow", "delta") == lost

        report = audit(ns, "--snapshot", str(tmp_path / "full.json"))
        (finding,) = found(report, RULE).values()
        assert (finding["severity"], finding["confidence"]) == ("high", "observed")
        assert evidence(finding)["counters.TcpExt.TCPTimeWaitOverflow.delta"] == lost
        assert [one["rule"] for one in report["findings"] if one["severity"] in {"high", "critical"}] == [RULE]

        made = plan(ns, tmp_path / "patch", "--snapshot", str(tmp_path / "full.json"), "--select", RULE)
        (change,) = made["sysctl"]
        assert change["key"] == "net.ipv4.tcp_max_tw_buckets"
        ns.run("sysctl", "-p", str(tmp_path / "patch/etc/sysctl.d/90-advisor.conf"))
        before = overflows(ns)
        assert ours.churn(THERE, PORT, 1.0, most=200) == 200
        assert overflows(ns) == before
        after = audit(ns, "--sample", "0")
        assert [one["confidence"] for one in found(after, RULE).values()] in ([], ["potential"])
