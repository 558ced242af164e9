"""Idle gaps by port, in buckets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.capture.buckets import COUNT, edge, middle
from advisor.capture.gaps import AT_ONCE, CLIENT_CLOSED, CUT, GOODBYE, PORTS, REUSED, SERVER_CLOSED, Gaps, buckets

SECOND = 10**9


def add(gaps: Gaps, *rows: tuple[int, float, int]) -> None:
    ports, seconds, ends = zip(*rows, strict=True)
    lengths = np.array([round(one * SECOND) for one in seconds], np.int64)
    gaps.add(np.array(ports, np.int64), lengths, np.array(ends, np.int8))


def counted(gaps: Gaps, port: int) -> dict[int, int]:
    found = gaps.port(port)
    assert found is not None
    return {kind: int(row.sum()) for kind, row in enumerate(found.counts) if row.any()}


@given(st.integers(0, 2**47 - 1))
def test_a_length_lies_in_its_bucket(length: int) -> None:
    (bucket,) = buckets(np.array([length], np.int64)).tolist()
    assert round(edge(bucket) * SECOND, 3) <= length < round(edge(bucket + 1) * SECOND, 3)


def test_no_bucket_is_wider_than_one_percent_from_a_microsecond_to_a_day() -> None:
    widths = [edge(bucket + 1) / edge(bucket) - 1 for bucket in range(1, COUNT)]
    assert 0 < max(widths) <= 0.01
    assert edge(1) == pytest.approx(1.024e-6)
    assert edge(COUNT) > 86400
    assert edge(7) < middle(7) < edge(8)


def test_what_is_longer_than_all_buckets_or_below_nothing_is_counted_at_the_ends() -> None:
    assert buckets(np.array([-5, 0, 2**62], np.int64)).tolist() == [0, 0, COUNT - 1]


def test_gaps_are_told_apart_by_port_and_end() -> None:
    gaps = Gaps()
    add(gaps, (80, 1.5, REUSED), (443, 2, CLIENT_CLOSED), (80, 75, SERVER_CLOSED), (80, 3, CUT))
    add(gaps, (80, 0.0, REUSED))
    gaps.add(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int8))
    assert counted(gaps, 80) == {REUSED: 2, SERVER_CLOSED: 1, CUT: 1}
    assert counted(gaps, 443) == {CLIENT_CLOSED: 1}
    assert [one.port for one in gaps.ports()] == [80, 443]
    assert gaps.sum_us(80) == 79_500_000
    assert gaps.port(81) is None
    first = gaps.ports()[0].buckets()
    assert [sum(kind.values()) for kind in first] == [2, 0, 1, 1, 0]
    assert [round(middle(bucket)) for bucket in first[SERVER_CLOSED]] == [75]


def test_a_server_that_closes_right_after_its_answer_did_not_wait() -> None:
    gaps = Gaps()
    add(gaps, (80, 0.999, SERVER_CLOSED), (80, 1, SERVER_CLOSED), (80, 0.001, CLIENT_CLOSED))
    assert counted(gaps, 80) == {AT_ONCE: 1, SERVER_CLOSED: 1, CLIENT_CLOSED: 1}


def test_the_ports_with_most_are_kept_and_the_rest_is_counted() -> None:
    gaps = Gaps()
    add(gaps, *((port, 1, REUSED) for port in range(1, 1001)))
    assert len(gaps.ports()) == PORTS
    assert gaps.rest == 1000 - PORTS
    add(gaps, *[(999, 1, REUSED)] * 5)
    first = gaps.ports()[0]
    assert (first.port, first.missed, int(first.counts.sum())) == (999, 1, 5)
    assert gaps.total == 1005
    assert gaps.rest == 1005 - 5 - (PORTS - 1)


def test_a_goodbye_was_no_request() -> None:
    gaps = Gaps()
    add(gaps, (443, 2, REUSED), (443, 2, REUSED), (443, 5, REUSED), (80, 2, REUSED))
    add(gaps, (443, 2, GOODBYE), (443, 1, CUT), (444, 2, GOODBYE))
    assert counted(gaps, 443) == {REUSED: 2, CLIENT_CLOSED: 1, CUT: 1}
    assert counted(gaps, 80) == {REUSED: 1}
    assert gaps.port(444) is None
    assert gaps.total == 5
    assert gaps.sum_us(443) == 10_000_000
    add(gaps, *[(443, 5, GOODBYE)] * 3)
    assert counted(gaps, 443) == {REUSED: 1, CLIENT_CLOSED: 2, CUT: 1}
