"""The bounds and the lookups of the tally, on rows made by hand."""

from __future__ import annotations

import ipaddress
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from advisor.catalog.tcp import State
from advisor.collect import direction, reached, served
from advisor.collect import tally as module
from advisor.collect.ages import BUCKETS, AgeCount, idle_age, time_wait_bucket
from advisor.collect.sampling import Part, stripe
from advisor.collect.served import Listeners, Served
from advisor.collect.tally import Tally
from advisor.formats.sockdiag import AF_INET, AF_INET6, Row
from advisor.formats.sockdiag_blocks import Cutter, Timed
from advisor.records import replace
from advisor.snapshot.counted import IDLE_EDGES, Reading, Sockets


def raw(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def row(local: str, lport: int, remote: str, rport: int, state: int = State.ESTABLISHED) -> Row:
    family = AF_INET if "." in local and ":" not in local else AF_INET6
    ends = (raw(end).ljust(16, b"\0") for end in (local, remote))
    return family, int(state), lport.to_bytes(2, "big"), rport.to_bytes(2, "big") + b"".join(ends)


def message(one: Row, expires: int = 0, attributes: bytes = b"") -> bytes:
    """As the kernel sends a row."""
    family, state, sport, peer = one
    body = struct.pack("=BBBB", family, state, 0, 0) + sport + peer + struct.pack("=IQIIIII", 0, 1, expires, 0, 0, 0, 1)
    return struct.pack("=IHHII", 16 + len(body) + len(attributes), 20, 2, 1, 0) + body + attributes


def tallied(rows: list[Row], *addresses: tuple[str, int], way: str = "blocks", **bounds: Any) -> Sockets:
    """Rows counted after listeners: one by one, or from blocks as they would come by netlink."""
    found = Listeners()
    for address, port in addresses:
        found.add(raw(address), port)
    tally = Tally(found, timed=way == "blocks", **bounds)
    if way == "rows":
        tally.add_rows(rows)
    else:
        cutter = Cutter()
        for start in range(0, len(rows), 100):
            tally.add(cutter.cut(b"".join(map(message, rows[start : start + 100]))))
    return tally.done("SOCK_DIAG", frozenset())


@given(st.integers(0, len(BUCKETS) - 1))
@example(59_001)
@example(59_000)
@example(58_999)
@example(60_000)
def test_the_table_of_buckets_is_what_is_computed(left: int) -> None:
    assert BUCKETS[left] == time_wait_bucket(left)


WAYS = pytest.mark.parametrize("way", ["blocks", "rows"])


def by_address(done: Sockets) -> dict[str, dict[str, int]]:
    return {row.address: row.states for row in done.listeners}


@WAYS
def test_ipv4_goes_to_its_own_wildcard_first(way: str) -> None:
    rows = [
        row("10.0.0.1", 80, "10.0.0.9", 5),
        row("10.0.0.2", 80, "10.0.0.9", 5),
        row("::ffff:10.0.0.2", 80, "::ffff:10.0.0.9", 6),
        row("2001:db8::1", 80, "2001:db8::2", 5),
    ]
    done = tallied(rows, ("0.0.0.0", 80), ("::", 80), ("10.0.0.1", 80), way=way)  # noqa: S104 (rows, not sockets)
    assert by_address(done) == {
        "10.0.0.1": {"ESTABLISHED": 1},
        "0.0.0.0": {"ESTABLISHED": 2},  # noqa: S104 (a row)
        "::": {"ESTABLISHED": 1},
    }


@pytest.mark.parametrize(("v6only", "expected"), [(False, {"SYN_RECV": 1}), (True, {})])
def test_the_ipv6_wildcard_serves_ipv4_unless_it_is_ipv6_only(v6only: bool, expected: dict[str, int]) -> None:  # noqa: FBT001 (a case)
    found = Listeners()
    found.add(raw("::"), 80).v6only = v6only
    tally = Tally(found)
    tally.add_rows([row("::ffff:10.0.0.2", 80, "::ffff:10.0.0.9", 6, State.NEW_SYN_RECV)])
    done = tally.done("SOCK_DIAG", frozenset())
    assert by_address(done) == {"::": expected}
    assert done.destinations == []


@WAYS
def test_a_mapped_destination_is_the_ipv4_one(way: str) -> None:
    rows = [row("10.0.0.2", 5, "10.0.0.9", 80), row("::ffff:10.0.0.2", 6, "::ffff:10.0.0.9", 80, State.TIME_WAIT)]
    (only,) = tallied(rows, way=way).destinations
    assert (only.local, only.remote, only.port, only.ports, only.odd) == ("10.0.0.2", "10.0.0.9", 80, 2, 1)
    assert only.states == {"ESTABLISHED": 1, "TIME_WAIT": 1}
    assert (only.time_wait is None) == (way == "rows")


@pytest.mark.parametrize("more", [(), (70_000,)])
def test_time_wait_is_as_old_as_its_timer_has_run(more: tuple[int, ...]) -> None:
    tally = Tally(Listeners())
    rows = [row(address, 5, address, 80, State.TIME_WAIT) for address in ("10.0.0.2", "2001:db8::1")]
    ages = (60_000, 59_000, 58_996, 500, 0, *more)
    tally.add(Cutter().cut(b"".join(message(one, expires) for one in rows for expires in ages)))
    for found in tally.done("SOCK_DIAG", frozenset()).destinations:
        assert found.time_wait is not None
        counts = dict(zip((*IDLE_EDGES, None), found.time_wait.counts, strict=True))
        assert {edge: count for edge, count in counts.items() if count} == {1: 2 + len(more), 2: 1, 60: 2}


@WAYS
def test_destinations_are_bounded_and_none_is_lost(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(reached, "MOST_KINDS", 50)
    monkeypatch.setattr(module, "MOST_KEYS", 20)
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    big = [row("10.0.0.1", port, "10.0.0.9", 80) for port in range(1000, 1100)]
    small = [row("10.0.0.1", 2000, "10.0.1.9", port) for port in range(3000, 3400)]
    done = tallied([one for pair in zip(big * 4, small, strict=True) for one in pair], way=way)
    assert done.destinations[0].ports == 400
    assert done.destinations[0].odd == 200
    assert len(done.destinations) == 3
    assert sum(one.ports for one in done.destinations) + done.rest == 800


def test_listeners_are_bounded_nginx_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 2)
    found = Listeners()
    for port in (1, 2, 3, 4):
        found.add(raw("::"), port).join(0, None, None)
    tally = Tally(found)
    tally.add_rows(row("::1", port, "::1", 9) for port in (1, 2, 2, 3, 3, 3))
    done = tally.done("SOCK_DIAG", frozenset([4]))
    assert [one.port for one in done.listeners] == [3, 4]
    assert done.rest == 3
    assert done.states == {"ESTABLISHED": 6, "LISTEN": 4}


@WAYS
def test_clients_are_bounded_and_the_most_are_named(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(served, "MOST_CLIENTS", 20)
    monkeypatch.setattr(served, "MOST_CLIENTS_IN_ALL", 30)
    monkeypatch.setattr(module, "MOST_KEYS", 10)
    rows = [
        row("10.0.0.1", port, f"10.0.1.{client}", 9)
        for client in range(40)
        for port in (1, 2)
        for _ in range(40 - client)
    ]
    one, two = tallied(rows, ("0.0.0.0", 1), ("0.0.0.0", 2), way=way).listeners  # noqa: S104 (rows)
    assert sorted((one.clients or 0, two.clients or 0)) in ([10, 20], [15, 15])
    assert list(one.top_clients.items())[:2] == [("10.0.1.0", 40), ("10.0.1.1", 39)]
    assert len(one.top_clients) == 10
    assert one.states == {"ESTABLISHED": 820}


@WAYS
def test_clients_are_told_apart_by_the_whole_of_both_addresses(way: str) -> None:
    locals_ = ("10.0.0.1", "10.1.0.1", "11.0.0.2", "2001:db8::1", "2001:db8:1::1")
    rows = [row(local, 80, "2001:db8::9" if ":" in local else "10.9.9.9", 5) for local in locals_]
    done = tallied(rows, *((local, 80) for local in locals_), way=way)
    assert [one.clients for one in done.listeners] == [1] * 5
    assert [one.states for one in done.listeners] == [{"ESTABLISHED": 1}] * 5


FAMILIES = [["10.0.0.1", "10.0.0.2", "192.168.3.4"], ["::1", "2001:db8::1"], ["::ffff:10.0.0.1", "::ffff:10.0.0.9"]]
ADDRESSES = st.sampled_from([*FAMILIES[0], "0.0.0.0", *FAMILIES[1], "::"])  # noqa: S104 (rows, not sockets)
PORTS = st.sampled_from([1, 80, 81, 443, 511, 32768, 40000, 40001, 65535])
ROWS = st.sampled_from(FAMILIES).flatmap(
    lambda ends: st.builds(
        row, st.sampled_from(ends), PORTS, st.sampled_from(ends), PORTS, st.sampled_from([State(1), State(6), State(8)])
    )
)


@given(st.lists(ROWS, max_size=250), st.sets(st.tuples(ADDRESSES, PORTS), max_size=4), st.booleans())
def test_by_column_is_counted_what_is_counted_one_by_one(
    rows: list[Row],
    listening: set[tuple[str, int]],
    several: bool,  # noqa: FBT001 (a case)
) -> None:
    """With one time for all, and the bits of many ports' ways side by side or looked up."""
    bounds: dict[str, Any] = {"ephemeral": (32768, 60999)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direction, "_MOST_MIXED", 16 if several else 0)
        blocks = tallied(rows, *listening, **bounds)
    one_by_one = tallied(rows, *listening, way="rows", **bounds)
    assert replace(blocks, destinations=[]) == replace(one_by_one, destinations=[])
    assert [replace(one, time_wait=None) for one in blocks.destinations] == one_by_one.destinations


@WAYS
def test_a_listener_that_is_gone_is_no_thousand_destinations(way: str) -> None:
    gone = [row("10.0.0.1", 8080, "10.0.2.9", port, State.TIME_WAIT) for port in range(3000, 3400)]
    bound = [row("10.0.0.1", port, f"10.0.3.{host}", 5432) for port in (700, 701) for host in range(20)]
    done = tallied(gone + bound, way=way, ephemeral=(32768, 60999))
    assert {(one.remote, one.port): one.ports for one in done.destinations} == {
        (f"10.0.3.{host}", 5432): 2 for host in range(20)
    }
    assert done.states == {"ESTABLISHED": 40, "TIME_WAIT": 400}


@WAYS
def test_few_connections_of_a_bound_port_go_out(way: str) -> None:
    done = tallied([row("10.0.0.1", 700, "10.0.3.9", port) for port in range(7)], way=way, ephemeral=(32768, 60999))
    assert sorted((one.port, one.ports) for one in done.destinations) == [(port, 1) for port in range(7)]


def test_of_a_part_the_rows_stand_for_the_whole() -> None:
    """Ports 4090 and up of each 4096 were looked at: all of the listener on 4095, and a part of the others."""
    found = Listeners()
    for port in (80, 4095):
        found.add(raw("0.0.0.0"), port)  # noqa: S104 (a row)
    tally = Tally(found)
    tally.add_rows(row("10.0.0.1", 80, "10.0.0.9", 4096 * block + 4090) for block in range(15))
    tally.add_rows(row("10.0.0.1", 4095, "10.0.0.9", port) for port in range(30))
    tally.add_rows(row("10.0.0.1", port, "10.0.0.8", 443) for port in range(40_950, 40_960))
    whole = {State.ESTABLISHED: 260, State.TIME_WAIT: 20, State.LISTEN: 1}
    done = tally.done("SOCK_DIAG", frozenset(), Part(whole, 6))
    assert done.states == {"ESTABLISHED": 260, "TIME_WAIT": 20, "LISTEN": 1}
    assert done.share == 55 / 280
    part, full = done.listeners
    assert (full.states, full.clients, full.top_clients) == ({"ESTABLISHED": 30}, 1, {"10.0.0.9": 30})
    assert (part.states, part.clients, part.top_clients) == ({"ESTABLISHED": 150}, None, {"10.0.0.9": 150})
    assert (done.destinations[0].ports, done.destinations[0].odd) == (100, 50)
    assert full.states["ESTABLISHED"] + part.states["ESTABLISHED"] + done.destinations[0].ports == 280


@pytest.mark.parametrize(
    ("sockets", "each", "budget", "width"),
    [
        (1_000_000, 2e-6, None, None),
        (500_000, 2e-6, 2.0, None),
        (2_000_000, 2e-6, 2.0, 1433),  # 0.6 s for the walk, 1.4 s of the 4 s for the rest
        (20_000_000, 2e-6, 2.0, 16),
        (0, 2e-6, 0.0, None),
        (10, 2e-6, -1.0, 16),
    ],
)
def test_stripes_are_as_wide_as_the_budget(sockets: int, each: float, budget: float | None, width: int | None) -> None:
    assert stripe(sockets, each, budget, sockets) == (width and width & ~1)


def test_reuseport_sockets_are_one_row_with_the_fullest_queue() -> None:
    one = Served(raw("::"), 80)
    for queue, limit, first, last in ((5, 511, 1, 2), (6, 8, 10, 20), (0, 8, 0, 0)):
        one.join(queue, limit, Reading(first=first, last=last))
    only = one.row()
    assert (only.sockets, only.queue, only.limit, only.drops) == (3, 6, 8, Reading(first=11, last=22))


def test_the_upper_edge_of_a_bucket_is_in_it() -> None:
    ages = AgeCount()
    for age in (0, 1, 1.001, 3600, 3601):
        ages.add(age)
    done = ages.done()
    assert (done.counts[0], done.counts[1], done.counts[-2], done.counts[-1]) == (2, 1, 1, 1)
    assert (sum(done.counts), done.oldest) == (5, 3601)
    assert len(done.counts) == len(IDLE_EDGES) + 1


def aged(*info: int | None, rqueue: int = 0, wqueue: int = 0) -> float | None:
    sent, received, segs_in, segs_out = info
    return idle_age(Timed(80, 9, b"", b"", rqueue, wqueue, 0, 1, sent or 0, received or 0, 0, segs_in, segs_out, None))


@pytest.mark.parametrize(
    ("info", "age"),
    [
        ((6000, 6000, 1, 1), 6.0),
        ((6000, 6500, 1, 1), 6.0),
        ((6010, 6000, 1, 1), 6.01),
        ((6011, 6000, 1, 1), None),  # a request came after the last answer
        ((6000, 6000, 1, 0), None),  # no answer yet
        ((6000, 6000, 0, 0), None),  # no request yet
        ((6000, 6000, None, None), None),
    ],
)
def test_idle_is_answered_and_quiet(info: tuple[int | None, ...], age: float | None) -> None:
    assert aged(*info) == age


def test_with_bytes_under_way_it_is_not_idle() -> None:
    assert aged(6000, 6000, 1, 1, rqueue=1) is None
    assert aged(6000, 6000, 1, 1, wqueue=1) is None
