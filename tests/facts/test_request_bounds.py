"""Buffers, caches, limits of requests, and settings that refine what is off."""

from __future__ import annotations

import pytest
from support.judged import facts_of

from advisor.errors import Unread
from advisor.facts.proxying import Proxying, Requests


def requests(text: str) -> Requests:
    return facts_of(text).nginx.requests


def proxying(text: str) -> Proxying:
    return facts_of(text).nginx.proxying


def test_what_buffers_add_up_to() -> None:
    found = requests("events { worker_connections 10; } http { proxy_buffers 8 4k; client_body_buffer_size 1m; }")
    totals = {one.id: (one.total, one.worker) for one in found.buffers}
    assert totals == {
        "proxy_buffers in http": (32768, 327680),
        "client_body_buffer_size in http": (2**20, 10 * 2**20),
    }


def test_a_cache_by_its_parameters() -> None:
    (one,) = proxying("http { proxy_cache_path /c levels=1:2 keys_zone=one:2m max_size=1g inactive=1d; }").caches
    assert (one.id, one.keys, one.max_size, one.min_free, one.inactive, one.copies) == (
        "cache one", 16000, 2**30, None, 86400, True,
    )  # fmt: skip
    assert one.average == 2**30 // 16000


def test_a_cache_that_says_nothing() -> None:
    (one,) = proxying("http { fastcgi_cache_path /c keys_zone=one:1m; }").caches
    assert (one.max_size, one.average, one.inactive) == (None, None, 600)


@pytest.mark.parametrize("parameter", ["max_size=much", "inactive=1.5d", "keys_zone=two"])
def test_what_nginx_would_refuse_is_not_guessed(parameter: str) -> None:
    (one,) = proxying(f"http {{ proxy_cache_path /c {parameter}; }}").caches
    with pytest.raises(Unread, match="is nothing nginx would take for proxy_cache_path"):
        assert [one.max_size, one.inactive, one.keys]


def test_a_limit_knows_the_rate_of_its_zone() -> None:
    zones = "limit_req_zone $uri zone=a:1m rate=2r/s; limit_req_zone $uri zone=b:1m rate=30r/m;"
    first, second = requests(
        f"http {{ {zones} limit_req zone=a burst=4; server {{ location / {{ limit_req zone=b burst=4 delay=2; }} }} }}"
    ).limits
    assert (first.rate, first.apart, first.wait, first.delayed, first.everything) == (2, 0.5, 2, True, True)
    assert (second.rate, second.apart, second.wait, second.delayed, second.everything) == (0.5, 2, 8, False, True)


@pytest.mark.parametrize("rate", ["0r/s", "5", "5r/h", ""])
def test_a_rate_that_nginx_would_refuse(rate: str) -> None:
    (one,) = requests(f"http {{ limit_req_zone $uri zone=a:1m rate={rate}; limit_req zone=a; }}").limits
    with pytest.raises(Unread):
        assert one.rate


@pytest.mark.parametrize(
    ("key", "by_peer"),
    [
        ("$binary_remote_addr", True),
        ("$server_name$remote_addr", True),
        ("${remote_addr}", True),
        ("$remote_user", False),
    ],
)
def test_who_is_told_apart_by_the_connection(key: str, by_peer: bool) -> None:  # noqa: FBT001 (a table's column)
    assert bool(requests(f"http {{ limit_conn_zone {key} zone=a:1m; }}").peer_keys) is by_peer


@pytest.mark.parametrize(
    ("http", "found"),
    [
        ("proxy_cache_valid 1m;", ["proxy_cache_valid in http"]),
        ("proxy_cache_valid 1m; server { location / { proxy_cache one; } }", []),
        ("proxy_cache one; server { proxy_cache_lock on; }", []),
        (
            "proxy_cache one; server { server_name a; proxy_cache off; proxy_cache_lock on; }",
            ["proxy_cache_lock in server a"],
        ),
        ("open_file_cache off; open_file_cache_valid 1m;", ["open_file_cache_valid in http"]),
    ],
)
def test_what_refines_something_that_is_off(http: str, found: list[str]) -> None:
    assert [one.id for one in requests(f"http {{ {http} }}").inert] == found
