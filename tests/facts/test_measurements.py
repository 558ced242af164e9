"""Counters, destinations, owners, the host and what the user says of the surroundings."""

from __future__ import annotations

import pytest
from support.snapshots import ages_of, snapshot_with

from advisor.errors import Unread, UsageError
from advisor.facts.derive import Facts
from advisor.facts.site import PARAMETERS, check
from advisor.records import replace
from advisor.snapshot.model import Destination, Held, Listener, Reading, Snapshot, Sockets


def counted(reading: Reading, sample: float = 2.0) -> Facts:
    return Facts(snapshot_with(counters={"Tcp.PassiveOpens": reading}, sample=sample))


def test_a_counter_since_boot_over_the_sample_and_per_second() -> None:
    counters = counted(Reading(first=100, last=140)).counters
    values = [counters.value("Tcp.PassiveOpens", aspect) for aspect in ("since_boot", "delta", "per_second")]
    assert values == [140, 40, 20]
    assert counted(Reading(first=100)).counters.value("Tcp.PassiveOpens", "since_boot") == 100


@pytest.mark.parametrize(
    ("facts", "name", "why"),
    [
        (counted(Reading(first=1)), "Tcp.PassiveOpens", "one reading gives no rate"),
        (counted(Reading(first=1, last=2), 0), "Tcp.PassiveOpens", "one reading gives no rate"),
        (counted(Reading(first=1, last=2)), "TcpExt.Nothing", "this kernel shows no TcpExt.Nothing"),
        (Facts(snapshot_with()), "Tcp.PassiveOpens", "counters was left out"),
    ],
)
def test_a_rate_that_cannot_be_known(facts: Facts, name: str, why: str) -> None:
    with pytest.raises(Unread, match=why):
        facts.counters.value(name, "per_second")


def test_a_counter_says_where_it_was_read() -> None:
    names = ["Tcp.InSegs", "TcpExt.TW", "sockstat.TCP.inuse", "softnet.dropped"]
    found = [Facts(snapshot_with()).counters.origin(name).rpartition("/")[2] for name in names]
    assert found == ["snmp", "netstat", "sockstat", "softnet_stat"]


def moved(snapshot: Snapshot, *names: str) -> Facts:
    return Facts(replace(snapshot, moved=dict.fromkeys(names, "the patch moves it")))


def test_what_a_patch_moved_is_unread_where_it_moved_it() -> None:
    rows = [Listener(address="::1", port=port, queue=1, limit=8, drops=Reading(first=0, last=4)) for port in (1, 2)]
    snapshot = snapshot_with(
        sockets=Sockets(method="SOCK_DIAG", states={"TIME_WAIT": 3}, listeners=rows),
        counters={"TcpExt.TW": Reading(first=1)},
    )
    one, other = moved(snapshot, "listener.drops@[::1]:1").sockets.listeners
    assert other.drops == 4
    with pytest.raises(Unread, match="the patch moves it"):
        assert one.drops
    for name, read in (
        ("listener.drops", lambda facts: facts.sockets.listeners[1].drops),
        ("listener.states", lambda facts: facts.sockets.time_wait),
        ("counter.TcpExt.TW", lambda facts: facts.counters.value("TcpExt.TW", "since_boot")),
    ):
        assert read(Facts(snapshot)) is not None
        with pytest.raises(Unread, match="the patch moves it"):
            read(moved(snapshot, name))


def test_a_destination_counts_its_ports() -> None:
    rows = [
        Destination(local="10.0.0.1", remote=remote, port=443, ports=9, states={"TIME_WAIT": 7, "ESTABLISHED": 2})
        for remote in ("10.0.0.2", "127.0.0.9", "::1", "1270::1")
    ]
    found = Facts(snapshot_with(sockets=Sockets(method="SOCK_DIAG", states={}, destinations=rows))).sockets.destinations
    assert [one.loopback for one in found] == [False, True, True, False]
    assert [found[0].id, found[2].remote] == ["10.0.0.1 to 10.0.0.2:443", "[::1]:443"]
    assert (found[0].ports, found[0].time_wait, found[0].established) == (9, 7, 2)


def test_an_owner_is_named_with_its_pid_where_it_was_seen() -> None:
    ages = ages_of({40: 4, 18000: 3000})
    rows = [
        Held(pid=8121, name="java", state="CLOSE_WAIT", remote="10.0.3.9:3306", count=3004, ages=ages, nofile=4096),
        Held(name="not visible", state="ESTABLISHED", remote="10.0.3.9:1", count=1, ages=ages_of({})),
    ]
    owners = Facts(snapshot_with(held=rows)).owners
    (java,), (hidden,) = owners.close_wait, owners.outbound
    assert (java.process, java.id, java.count, java.oldest) == ("java (pid 8121)", "java to 10.0.3.9:3306", 3004, 18000)
    assert (java.ages.above(60), java.nofile, java.descriptors) == (3000, 4096, None)
    assert (hidden.process, hidden.oldest, hidden.nofile) == ("not visible", 0, None)
    assert java.location.logical == java.id


def test_the_host_says_what_it_could_read() -> None:
    host = Facts(snapshot_with(host={"name": "a", "kernel": "6.1.0", "cpus": 4})).host
    assert (host.cpus, host.container) == (4, None)
    with pytest.raises(Unread, match="the memory could not be read"):
        assert host.memory


def test_site_facts_are_in_base_units_and_may_be_unset() -> None:
    assert Facts(snapshot_with(site={"load_balancer_idle": "10 min"})).site.value("load_balancer_idle") == 600
    assert Facts(snapshot_with()).site.value("load_balancer_idle") is None
    check("load_balancer_idle", "60 s")
    assert PARAMETERS


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("load_balancer", "60 s", "no such site fact; known: backend_capacity, backend_idle, load_balancer_idle"),
        ("load_balancer_idle", "60", "expected seconds"),
        ("load_balancer_idle", "-1 s", "a negative value"),
        ("load_balancer_idle", "", "is not a quantity"),
    ],
)
def test_a_site_fact_that_cannot_be_meant_is_refused(name: str, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check(name, text)
