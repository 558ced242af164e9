"""Which names nginx looks up, when, and of whom."""

from __future__ import annotations

import pytest
from support.judged import facts_of

from advisor.errors import Unread
from advisor.facts.lookups import FrozenName, Lookup


def lookups(inside: str) -> list[Lookup]:
    return facts_of(f"http {{ {inside} }}").nginx.proxying.lookups


def name(inside: str) -> str:
    (item,) = lookups(inside)
    return item.name


def frozen(http: str) -> dict[str, int]:
    found: list[FrozenName] = facts_of(f"http {{ {http} }}").nginx.proxying.frozen_names
    return {item.id: item.count for item in found}


@pytest.mark.parametrize(
    ("line", "looked_up"),
    [
        ("set $b app; proxy_pass http://$b;", "app"),
        ("set $b http://app:81/x; proxy_pass $b;", "app"),
        ("set $b app:81; proxy_pass http://${b}/x$uri;", "app"),
        ("set $b 10.0.0.1; proxy_pass http://$b:8080;", ""),
        ("set $b [::1]:80; proxy_pass http://$b;", ""),
        ("set $b unix:/run/a.sock; proxy_pass http://$b:/;", ""),
        ("set $b ''; proxy_pass http://$b;", ""),
        ("set $b 10.0.0.1; if ($arg_x) { set $b app; } proxy_pass http://$b;", "app"),
        ("proxy_pass http://app/x/$arg_x;", "app"),
        ("proxy_pass http://app:80$document_uri;", "app"),
        ("proxy_pass https://10.0.0.1$request_uri;", ""),
        ("proxy_pass http://unix:/run/$arg_x:/;", ""),
        ("set $b app:9000; fastcgi_pass $b;", "app"),
        ("set $b app; grpc_pass grpc://$b;", "app"),
    ],
)
def test_what_has_to_be_looked_up_at_run_time(line: str, looked_up: str) -> None:
    assert name(f"server {{ location / {{ {line} }} }}") == looked_up


@pytest.mark.parametrize(
    ("other", "url", "known"),
    [
        ("upstream app { server 10.0.0.1; }", "http://app$uri", True),
        ("upstream app { server 10.0.0.1; }", "http://app:80$uri", False),
        ("server { location / { proxy_pass http://app; } }", "http://app$uri", True),
        ("server { location / { proxy_pass http://app; } }", "http://app:80$uri", True),
        ("server { location / { proxy_pass https://app:80; } }", "http://app$uri", True),
        ("server { location / { proxy_pass https://app; } }", "http://app$uri", False),
    ],
)
def test_what_another_line_has_made_known(other: str, url: str, known: bool) -> None:  # noqa: FBT001 (a table's column)
    assert (name(f"{other} server {{ location / {{ proxy_pass {url}; }} }}") == "") is known


@pytest.mark.parametrize(
    "line",
    [
        "proxy_pass http://$host;",
        "set $b $arg_b; proxy_pass http://$b;",
        "set $b xxxxxxxx; proxy_pass http://$b;",
        "proxy_pass http://$arg_b.example.org;",
    ],
)
def test_what_is_known_only_at_run_time_is_not_guessed(line: str) -> None:
    with pytest.raises(Unread, match="known only at run time"):
        name(f"server {{ location / {{ {line} }} }}")


def test_a_name_that_is_sure_counts_more_than_one_that_is_not() -> None:
    assert name("map $host $b { default $arg_b; a app; } server { location / { proxy_pass http://$b; } }") == "app"


def test_a_set_counts_where_it_stands() -> None:
    first, second = lookups(
        "server { set $b app; location / { proxy_pass http://$b; } } server { location / { proxy_pass http://$b; } }"
    )
    assert first.name == "app"
    with pytest.raises(Unread):
        assert second.name


def test_names_that_are_looked_up_once() -> None:
    assert frozen(
        """
        upstream app { server a.internal:80; server a.internal:81; server b.internal resolve; server 10.0.0.1; }
        server {
            location / { proxy_pass http://app; }
            location /a { proxy_pass http://a.internal/; }
            location /c { fastcgi_pass c.internal:9000; }
            location /l { proxy_pass http://localhost:3000; }
            location /v { proxy_pass http://$host; }
        }
        """
    ) == {"a.internal": 3, "c.internal": 1}
