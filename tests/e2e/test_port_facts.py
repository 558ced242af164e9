"""Local ports: what the facts say of them, and what connect() then did: twenty over a veth, used in each way."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from support.command import audit, evidence, found, play
from support.netns import pair
from support.port_driver import by_hand, client, looking, server

if TYPE_CHECKING:
    from advisor.facts.derive import Facts
    from advisor.facts.destinations import Destination

HERE, THERE = "10.9.0.1", "10.9.0.2"
FIRST, LAST = 40000, 40019
SOME = (8080, 8081, 8082, 8083, 8084, 8085, 8086)
CLOSING = 8090
"""Here the other side closes first."""


def towards(facts: Facts, port: int, remote: str = THERE) -> Destination:
    """The destination of that port."""
    (one,) = [one for one in facts.sockets.destinations if (one.row.remote, one.row.port) == (remote, port)]
    return one


@pytest.mark.real("ss", "sysctl")
def test_as_many_connections_as_there_are_usable_ports() -> None:
    with pair() as (ns, there), server(there, THERE, *SOME), client(ns) as ports, looking(ns) as look:
        ns.sysctl(net__ipv4__ip_local_port_range=f"{FIRST} {LAST}")
        got = [ports.hold(THERE, port, 30) for port in SOME[:2]]
        facts = look()
        assert got == [facts.ports.usable, facts.ports.usable] == [20, 20], "each destination has all of them"
        for port in SOME[:2]:
            one = towards(facts, port)
            assert (one.ports, one.held, one.other_parity) == (20, 20, 10)
            assert by_hand(ns)[f"{THERE}:{port}"] == {"ESTAB": 20}
        ports.drop()

        ns.sysctl(net__ipv4__ip_local_reserved_ports="39999,40003-40008")
        assert ports.hold(THERE, SOME[2], 30) == look().ports.usable == 14
        ports.drop()
        ns.sysctl(net__ipv4__ip_local_reserved_ports="8080")
        play(ns, "inside", "hold", "127.0.0.1", str(FIRST + 5))
        facts = look()
        assert ports.hold(THERE, SOME[3], 30) == facts.ports.usable == 19, "whatever address it listens on"
        assert [(one.id, str(one.ports)) for one in facts.ports.exposed] == [("other listeners", str(FIRST + 5))]


@pytest.mark.real("ss", "sysctl")
def test_bind_before_connect_takes_the_other_half_and_takes_it_from_all() -> None:
    with pair() as (ns, there), server(there, THERE, *SOME), client(ns) as ports, looking(ns) as look:
        for first, port, odd in ((40000, SOME[0], 8), (40001, SOME[1], 0)):
            ns.sysctl(net__ipv4__ip_local_port_range=f"{first} {first + 19}")
            for way in ("plain", "no-port"):
                assert ports.hold(THERE, port, 8, way) == 8
                assert towards(look(), port).other_parity == 0
                ports.drop()
            assert ports.hold(THERE, port, 8, "bound") == 8
            one = towards(look(), port)
            assert (one.other_parity, one.row.odd) == (8, odd), "bind() begins with the other half"
            assert ports.hold(THERE, SOME[6], 30) == 12, "and has taken them from every destination"
            ports.drop()
        assert ports.hold(THERE, SOME[2], 30, "bound") == 20
        assert ports.hold(THERE, SOME[3], 30) == 0


@pytest.mark.real("ss", "sysctl")
def test_a_program_that_binds_first_is_told_from_others() -> None:
    with pair() as (ns, there), server(there, THERE, *SOME), client(ns) as ports:
        ns.sysctl(net__ipv4__ip_local_port_range="40000 40999")
        for port, way in zip(SOME, ("plain", "bound", "no-port"), strict=False):
            assert ports.hold(THERE, port, 120, way) == 120
        findings = found(audit(ns, "--sample", "0"), "bind-before-connect")
        assert list(findings) == [f"{HERE} to {THERE}:{SOME[1]}"]
        (finding,) = findings.values()
        assert (finding["severity"], finding["confidence"]) == ("medium", "observed")
        assert evidence(finding)["item.other_parity"] == 120


ROWS = (
    ("0", "1", THERE, None),
    ("2", "1", THERE, None),
    ("1", "0", THERE, None),
    ("2", "1", HERE, None),
    ("2", "1", "127.0.0.1", 1.0),
    ("1", "1", THERE, 1.0),
)
"""tcp_tw_reuse, tcp_timestamps, to where, and after how many seconds TIME_WAIT is taken over there."""


@pytest.mark.real("ss", "sysctl")
def test_the_rate_that_ports_suffice_for_is_the_rate_that_connect_got() -> None:
    """This side closes first. 20 ports give 20 connections in a minute, or 20 each second where they are taken over."""
    with contextlib.ExitStack() as stack:
        ns, there = stack.enter_context(pair())
        for host, address in ((there, THERE), (ns, HERE), (ns, "127.0.0.1")):
            stack.enter_context(server(host, address, *SOME))
        ports, look = stack.enter_context(client(ns)), stack.enter_context(looking(ns))
        ns.sysctl(net__ipv4__ip_local_port_range=f"{FIRST} {LAST}")
        for side in (ns, there):
            side.sysctl(net__ipv4__tcp_rfc1337="1")  # so that no late reset on a busy machine ends a TIME_WAIT
        for port, (reuse, timestamps, to, delay) in zip(SOME, ROWS, strict=False):
            ns.sysctl(net__ipv4__tcp_tw_reuse=reuse, net__ipv4__tcp_timestamps=timestamps)
            got = ports.churn(to, port, 2.2 if delay else 0.1)
            facts = look()
            one, usable = towards(facts, port, to), facts.ports.usable
            assert (one.ports, one.time_wait, usable) == (20, 20, 20)
            assert one.most_rate == pytest.approx(usable / (delay or 60))
            if delay is None:
                assert (got, one.reusable, one.held, one.time_left) == (usable, 0, usable, 0)
                assert one.rate == pytest.approx(usable / 10)
            else:
                assert usable * 2 <= got <= usable * 4, "at once, and then after each second"
                assert one.rate <= usable / delay * 1.05


@pytest.mark.real("ss", "sysctl")
def test_where_the_other_side_closes_first_no_port_is_held() -> None:
    with pair() as (ns, there), client(ns) as ports, looking(ns) as look, looking(there) as look_there:
        ns.sysctl(net__ipv4__ip_local_port_range=f"{FIRST} {LAST}")
        play(there, "closing", "hang-up", THERE, str(CLOSING))
        got = ports.churn(THERE, CLOSING, 1.0, most=500, last=True)
        here, away = look(), look_there()
        assert all(one.time_wait == 0 and one.most_rate is None for one in here.sockets.destinations)
        waiting = sum(states["TIME-WAIT"] for states in by_hand(there).values())
        assert away.sockets.time_wait_served == away.sockets.time_wait == waiting, "there they are, on a served port"
        assert 0 < waiting <= 20 < got, "and each is taken up again by a client that comes back"
