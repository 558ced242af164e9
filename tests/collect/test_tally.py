"""The bounds and the lookups of the tally, on rows made by hand."""

from __future__ import annotations

import ipaddress

import pytest

from advisor.catalog.tcp import State
from advisor.collect import tally as module
from advisor.collect.tally import AgeCount, Tally, idle_age
from advisor.formats.sockdiag import AF_INET, AF_INET6, Info, Row, Socket
from advisor.snapshot.model import IDLE_EDGES, Reading


def raw(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def row(local: str, lport: int, remote: str, rport: int, state: int = State.ESTABLISHED) -> Row:
    family = AF_INET if "." in local and ":" not in local else AF_INET6
    ends = (raw(end).ljust(16, b"\0") for end in (local, remote))
    return family, int(state), lport.to_bytes(2, "big"), rport.to_bytes(2, "big") + b"".join(ends)


def listeners(tally: Tally) -> dict[str, dict[str, int]]:
    return {row.address: row.states for row in tally.done("SOCK_DIAG", frozenset()).listeners}


def test_ipv4_goes_to_its_own_wildcard_first() -> None:
    tally = Tally()
    for address in ("0.0.0.0", "::", "10.0.0.1"):  # noqa: S104 (rows, not sockets)
        tally.listen(raw(address), 80)
    tally.add(
        [
            row("10.0.0.1", 80, "10.0.0.9", 5),
            row("10.0.0.2", 80, "10.0.0.9", 5),
            row("::ffff:10.0.0.2", 80, "::ffff:10.0.0.9", 6),
            row("2001:db8::1", 80, "2001:db8::2", 5),
        ]
    )
    assert listeners(tally) == {
        "10.0.0.1": {"ESTABLISHED": 1},
        "0.0.0.0": {"ESTABLISHED": 2},  # noqa: S104 (a row)
        "::": {"ESTABLISHED": 1},
    }


@pytest.mark.parametrize(("v6only", "expected"), [(False, {"SYN_RECV": 1}), (True, {})])
def test_the_ipv6_wildcard_serves_ipv4_unless_it_is_ipv6_only(v6only: bool, expected: dict[str, int]) -> None:  # noqa: FBT001 (a case)
    tally = Tally()
    tally.listen(raw("::"), 80).v6only = v6only
    tally.add([row("::ffff:10.0.0.2", 80, "::ffff:10.0.0.9", 6, State.NEW_SYN_RECV)])
    assert listeners(tally) == {"::": expected}
    assert tally.done("SOCK_DIAG", frozenset()).destinations == []


def test_a_mapped_destination_is_the_ipv4_one() -> None:
    tally = Tally()
    tally.add([row("10.0.0.2", 5, "10.0.0.9", 80), row("::ffff:10.0.0.2", 6, "::ffff:10.0.0.9", 80, State.TIME_WAIT)])
    (only,) = tally.done("SOCK_DIAG", frozenset()).destinations
    assert (only.local, only.remote, only.port, only.ports) == ("10.0.0.2", "10.0.0.9", 80, 2)
    assert only.states == {"ESTABLISHED": 1, "TIME_WAIT": 1}


def test_destinations_are_bounded_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PEERS", 50)
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    tally = Tally()
    big = [row("10.0.0.1", port, "10.0.0.9", 80) for port in range(1000, 1100)]
    small = [row("10.0.0.1", 2000, "10.0.1.9", port) for port in range(3000, 3400)]
    tally.add(one for pair in zip(big * 4, small, strict=True) for one in pair)
    assert len(tally._peers) <= 50
    done = tally.done("SOCK_DIAG", frozenset())
    assert done.destinations[0].ports == 400
    assert len(done.destinations) == 3
    assert sum(one.ports for one in done.destinations) + done.rest == 800


def test_listeners_are_bounded_nginx_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    tally = Tally()
    for port in (1, 2, 3, 4):
        tally.listen(raw("::"), port)
    tally.add(row("::1", port, "::1", 9) for port in (1, 2, 2, 3, 3, 3))
    done = tally.done("SOCK_DIAG", frozenset([4]))
    assert [one.port for one in done.listeners] == [3, 4]
    assert done.rest == 3
    assert done.states == {"LISTEN": 4, "ESTABLISHED": 6}


def test_clients_are_bounded_and_the_most_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CLIENTS", 20)
    monkeypatch.setattr(module, "MOST_CLIENTS_IN_ALL", 30)
    tally = Tally()
    tally.listen(raw("::"), 1)
    tally.listen(raw("::"), 2)
    tally.add(
        row("::1", port, f"2001:db8::{client:x}", 9)
        for client in range(40)
        for port in (1, 2)
        for _ in range(40 - client)
    )
    one, two = tally.done("SOCK_DIAG", frozenset()).listeners
    assert (one.clients, two.clients) == (15, 15)
    assert list(one.top_clients.items())[:2] == [("2001:db8::", 40), ("2001:db8::1", 39)]
    assert len(one.top_clients) == 10
    assert one.states == {"ESTABLISHED": 820}


def test_reuseport_sockets_are_one_row_with_the_fullest_queue() -> None:
    tally = Tally()
    for queue, limit, first, last in ((5, 511, 1, 2), (6, 8, 10, 20), (0, 8, 0, 0)):
        tally.listen(raw("::"), 80).join(queue, limit, Reading(first=first, last=last))
    (only,) = tally.done("SOCK_DIAG", frozenset()).listeners
    assert (only.sockets, only.queue, only.limit, only.drops) == (3, 6, 8, Reading(first=11, last=22))


def test_the_upper_edge_of_a_bucket_is_in_it() -> None:
    ages = AgeCount()
    for age in (0, 1, 1.001, 3600, 3601):
        ages.add(age)
    done = ages.done()
    assert (done.counts[0], done.counts[1], done.counts[-2], done.counts[-1]) == (2, 1, 1, 1)
    assert (sum(done.counts), done.oldest) == (5, 3601)
    assert len(done.counts) == len(IDLE_EDGES) + 1


def aged(info: Info, rqueue: int = 0, wqueue: int = 0) -> float | None:
    return idle_age(Socket(1, 80, 9, b"", b"", 0, rqueue, wqueue, 0, 1, {}), info)


@pytest.mark.parametrize(
    ("info", "age"),
    [
        (Info(6000, 6000, 0, 1, 1), 6.0),
        (Info(6000, 6500, 0, 1, 1), 6.0),
        (Info(6010, 6000, 0, 1, 1), 6.01),
        (Info(6011, 6000, 0, 1, 1), None),  # a request came after the last answer
        (Info(6000, 6000, 0, 1, 0), None),  # no answer yet
        (Info(6000, 6000, 0, 0, 0), None),  # no request yet
        (Info(6000, 6000, 0, None, None), None),
    ],
)
def test_idle_is_answered_and_quiet(info: Info, age: float | None) -> None:
    assert aged(info) == age


def test_with_bytes_under_way_it_is_not_idle() -> None:
    info = Info(6000, 6000, 0, 1, 1)
    assert aged(info, rqueue=1) is None
    assert aged(info, wqueue=1) is None
