"""What becomes of ports in use when a patch widens the range, reserves ports, or lets TIME_WAIT be taken over."""

from __future__ import annotations

import pytest
from support.snapshots import ages_of, snapshot_with

from advisor.facts.derive import Facts
from advisor.findings import Change, Relation
from advisor.remedy.lattice import Target, Wants, join
from advisor.remedy.predict import Prediction, predict
from advisor.snapshot.model import Destination, Sockets, Sysctls

FULL, HALF, HERE = "10.9.0.1 to 10.9.0.2:8080", "10.9.0.1 to 10.9.0.3:8080", "127.0.0.1 to 127.0.0.1:8080"
WIDER = Change("net.ipv4.ip_local_port_range.high", Relation.AT_LEAST, 50000)
SAME = Change("net.ipv4.ip_local_port_range.high", Relation.AT_LEAST, 40000)
RESERVED = Change("net.ipv4.ip_local_reserved_ports", Relation.INCLUDES, "60000")
REUSE = Change("net.ipv4.tcp_tw_reuse", Relation.EXACTLY, 1)


def after(change: Change, timestamps: str = "1") -> Prediction:
    """Three destinations: one that used up its 1,000 ports, one that used half, one on this host that used up its."""
    values = {
        "net.ipv4.ip_local_port_range": "40000 40999",
        "net.ipv4.ip_local_reserved_ports": "",
        "net.ipv4.tcp_tw_reuse": "2",
        "net.ipv4.tcp_timestamps": timestamps,
        "net.ipv4.tcp_tw_reuse_delay": "1000",
    }
    rows = []
    for name, ports in ((FULL, 1000), (HALF, 500), (HERE, 1000)):
        local, _, remote = name.partition(" to ")
        ages = ages_of({0.5: 100, 30: ports - 100})
        host = remote.partition(":")[0]
        found = Destination(
            local=local, remote=host, port=8080, ports=ports, states={"TIME_WAIT": ports}, time_wait=ages
        )
        rows.append(found)
    sockets = Sockets(method="SOCK_DIAG", states={}, destinations=rows)
    wants: dict[Target, Wants] = {}
    join(wants, change, "r")
    return predict(Facts(snapshot_with(sysctls=Sysctls(values=values), sockets=sockets)), wants, {"r": ""})


@pytest.mark.parametrize(
    ("change", "timestamps", "void"),
    [
        (WIDER, "1", {FULL, HERE}),
        (REUSE, "1", {FULL}),
        (REUSE, "0", set()),
        (RESERVED, "1", set()),
        (SAME, "1", set()),
    ],
)
def test_who_stood_at_a_limit_that_moves_must_be_measured_again(
    change: Change, timestamps: str, void: set[str]
) -> None:
    """tcp_tw_reuse was 2: on this host itself TIME_WAIT could be taken over before. Without timestamps it never can."""
    found = after(change, timestamps)
    assert {name for name in found.snapshot.moved if name.startswith("destination")} == {
        f"destination.full@{name}" for name in void
    }
    assert {one.name for one in found.effects} == {f"local ports towards {name.partition(' to ')[2]}" for name in void}


def test_who_did_not_keeps_its_ports_and_may_take_those_over_that_wait() -> None:
    (half,) = [one for one in Facts(after(REUSE).snapshot).sockets.destinations if one.id == HALF]
    assert (half.ports, half.reusable, half.held) == (500, 400, 100)
