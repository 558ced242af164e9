"""The kernel's tables: there or not, and how full."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.tables import Tables

LIMITS = {"net.ipv4.neigh.default.gc_thresh3": "1024", "net.ipv6.neigh.default.gc_thresh3": "2048"}
COUNTED = {"arp_cache.entries": 7, "arp_cache.table_fulls": [1, 4], "ndisc_cache.entries": 9}


def tables(**given: Any) -> Tables:
    return Facts(snapshot_of(given)).tables


def test_no_table_where_connections_are_not_tracked() -> None:
    assert tables(sysctl={"net.netfilter.nf_conntrack_max": None}).connections == []
    [one] = tables(sysctl={"net.netfilter.nf_conntrack_max": "65536"}).connections
    assert (one.id, one.location.key) == ("nf_conntrack", "net.netfilter.nf_conntrack_max")
    with pytest.raises(Unread, match="not given"):
        assert tables().connections is None


def test_neighbours_of_both_families() -> None:
    four, six = tables(sysctl=LIMITS, counters=COUNTED).neighbours
    assert (four.id, four.family, four.entries, four.limit, four.refused) == ("arp_cache", "ipv4", 7, 1024, 3)
    assert (six.id, six.family, six.entries, six.limit) == ("ndisc_cache", "ipv6", 9, 2048)
    with pytest.raises(Unread, match=r"shows no ndisc_cache.table_fulls: only the machine's first network namespace"):
        assert six.refused is None


def test_none_in_a_namespace_of_its_own() -> None:
    assert tables(sysctl=dict.fromkeys(LIMITS)).neighbours == []


def test_a_limit_that_is_none() -> None:
    [four, _] = tables(sysctl={**LIMITS, "net.ipv4.neigh.default.gc_thresh3": "many"}).neighbours
    with pytest.raises(Unread, match="no value of"):
        assert four.limit is None
