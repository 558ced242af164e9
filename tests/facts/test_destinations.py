"""Ports in use towards a destination: which of them may be taken over, how fast they go, and when none is left."""

from __future__ import annotations

from typing import Any

import pytest
from support.snapshots import ages_of, snapshot_with

from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.destinations import Destination
from advisor.snapshot import model
from advisor.snapshot.model import Sockets, Sysctls

DELAY = "net.ipv4.tcp_tw_reuse_delay"


def towards(
    ages: dict[float, int] | None = None,
    *,
    reuse: str = "2",
    timestamps: str = "1",
    delay: str | None = "1000",
    others: int = 0,
    text: str = "40000 40999",
    kernel: str | None = "6.1.0",
    **more: Any,
) -> Destination:
    """One destination: TIME_WAIT by age in seconds, and ``others`` in ESTABLISHED."""
    values = {
        "net.ipv4.ip_local_port_range": text,
        "net.ipv4.ip_local_reserved_ports": "",
        "net.ipv4.tcp_tw_reuse": reuse,
        "net.ipv4.tcp_timestamps": timestamps,
    }
    values |= {DELAY: delay} if delay is not None else {}
    waiting = sum((ages or {}).values())
    row = {
        "local": "10.9.0.1",
        "remote": "10.9.0.2",
        "port": 8080,
        "ports": waiting + others,
        "states": {"TIME_WAIT": waiting, "ESTABLISHED": others},
        "time_wait": ages_of(ages) if ages is not None else None,
        **more,
    }
    sockets = Sockets(method="SOCK_DIAG", states={}, destinations=[model.Destination(**row)])
    sysctls = Sysctls(values=values, absent=[DELAY] if delay is None else [])
    host = {"host": {"name": "h", "kernel": kernel}} if kernel else {}
    (found,) = Facts(snapshot_with(sysctls=sysctls, sockets=sockets, **host)).sockets.destinations
    return found


@pytest.mark.parametrize(
    ("more", "reusable"),
    [
        ({"reuse": "0"}, 0),
        ({"reuse": "2"}, 0),
        ({"reuse": "1"}, 70),
        ({"reuse": "1", "delay": "5000"}, 50),
        ({"reuse": "1", "delay": None}, 70),
        ({"reuse": "1", "timestamps": "0"}, 0),
        ({"reuse": "2", "remote": "127.0.0.1", "local": "127.0.0.1"}, 70),
        ({"reuse": "2", "remote": "::1", "local": "::1"}, 70),
        ({"reuse": "2", "remote": "10.9.0.1"}, 0),
    ],
)
def test_what_a_new_connection_may_take_over(more: dict[str, Any], reusable: int) -> None:
    """30 up to 1 s old, 20 up to 5 s, 50 older; 8 in ESTABLISHED. The host's own address over lo is no loopback."""
    found = towards({1: 30, 5: 20, 30: 50}, others=8, **more)
    assert (found.ports, found.time_wait, found.reusable, found.held) == (108, 100, reusable, 108 - reusable)


def test_without_reuse_no_age_is_needed() -> None:
    assert towards(None, others=5, ports=9, states={"TIME_WAIT": 4}).reusable == 0
    with pytest.raises(Unread, match="for how long they are in TIME_WAIT"):
        _ = towards(None, reuse="1", ports=9, states={"TIME_WAIT": 4}).reusable


@pytest.mark.parametrize(
    ("more", "rate", "most"),
    [
        ({}, 10.0, 1000 / 60),
        ({"reuse": "1"}, 30.0, 1000.0),
        ({"reuse": "1", "delay": "5000"}, 10.0, 200.0),
    ],
)
def test_the_rate_seen_and_the_rate_the_ports_suffice_for(more: dict[str, Any], rate: float, most: float) -> None:
    """Where TIME_WAIT is taken over after a second, only that second's ages show every connection."""
    found = towards({1: 30, 5: 20, 10: 50, 60: 200}, **more)
    assert found.rate == pytest.approx(rate)
    assert found.most_rate == pytest.approx(most)


def test_where_the_other_side_closes_first_ports_limit_no_rate() -> None:
    found = towards({}, others=400)
    assert (found.rate, found.most_rate, found.time_left) == (0.0, None, None)


@pytest.mark.parametrize(
    ("ages", "others", "left"),
    [
        ({10: 200, 15: 100}, 0, 35),
        ({10: 200, 15: 100}, 300, 20),
        ({10: 150, 60: 750}, 0, None),
        ({10: 500}, 500, 0),
    ],
)
def test_ports_run_out_only_where_they_come_back_too_slowly(
    ages: dict[float, int], others: int, left: float | None
) -> None:
    """20 a second: 300 in use and none coming back for 45 s, 1,000 are taken after 35 s. 15 a second go on for ever."""
    assert towards(ages, others=others).time_left == left


def test_ports_that_come_back_put_it_off() -> None:
    """18 a second, and 400 that end in the next seconds: they make room for longer than a straight line would say."""
    found = towards({10: 180, 60: 400})
    straight = (1000 - 580) / 18
    assert found.time_left is not None
    assert found.time_left > straight + 10


@pytest.mark.parametrize(("text", "other"), [("40000 40999", 90), ("40001 41000", 10)])
def test_the_parity_that_connect_takes_last(text: str, other: int) -> None:
    assert towards({}, others=100, odd=90, text=text).other_parity == other


@pytest.mark.parametrize("kernel", ["5.10.0", "6.0.19", "what", None])
def test_of_kernels_nobody_looked_at_the_order_is_unknown(kernel: str | None) -> None:
    with pytest.raises(Unread, match=r"in which order|host was left out"):
        _ = towards({}, others=100, odd=90, kernel=kernel).other_parity


def test_parities_that_were_not_counted_are_unknown() -> None:
    with pytest.raises(Unread, match="parity of local ports was not counted"):
        _ = towards({}, others=100).other_parity
