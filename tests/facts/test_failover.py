"""How upstreams take failures, and for how long a request wanders."""

from __future__ import annotations

import pytest
from support.judged import facts_of

from advisor.errors import Unread
from advisor.facts.failover import Pool

THREE = "upstream app { server 10.0.0.1; server 10.0.0.2; server 10.0.0.3; server 10.0.0.4 down; }"


def pool(http: str) -> Pool:
    found: list[Pool] = facts_of(f"http {{ {http} }}").nginx.proxying.pools
    return found[0]


def test_servers_that_take_requests() -> None:
    one = pool("upstream app { server 10.0.0.1 max_fails=0; server 10.0.0.2; server 10.0.0.3 backup max_fails=0; }")
    assert (one.servers, one.unchecked, one.checked, one.alone) == (2, 1, False, False)


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.0.1:80", "[::1]:80", "unix:/run/app.sock"])
def test_an_address_is_one_server(address: str) -> None:
    assert pool(f"upstream app {{ server {address} fail_timeout=5s; }}").alone


def test_a_name_may_be_many_servers() -> None:
    with pytest.raises(Unread, match="how many addresses 'app' has"):
        assert pool("upstream app { server app; }").alone


@pytest.mark.parametrize(
    ("settings", "wait"),
    [
        ("", 3 * 60),
        ("proxy_read_timeout 100;", 3 * 100),
        ("proxy_connect_timeout 70;", 3 * 70),
        ("proxy_next_upstream_tries 2;", 2 * 60),
        ("proxy_next_upstream_tries 9;", 3 * 60),
        ("proxy_next_upstream_timeout 10;", 10 + 60),
        ("proxy_next_upstream off;", 60),
        ("proxy_next_upstream http_502;", 60),
        ("proxy_next_upstream http_502 error;", 3 * 60),
    ],
)
def test_for_how_long_a_request_may_wander(settings: str, wait: float) -> None:
    one = pool(f"{settings} {THREE} server {{ location / {{ proxy_pass http://app/x; }} }}")
    assert one.wait == wait


def test_the_worst_of_its_passes_counts_and_one_nobody_uses_waits_for_nobody() -> None:
    quick = "location /a { proxy_read_timeout 9; proxy_connect_timeout 9; proxy_pass http://app; }"
    slow = "location /b { proxy_read_timeout 900; proxy_pass https://app; }"
    assert pool(f"{THREE} server {{ {quick} {slow} {quick} }}").wait == 2700
    assert pool(f"{THREE} server {{ {quick} }}").wait == 27
    assert pool(THREE).wait == 0
