"""Which values apply where, and what differs between two configurations."""

from __future__ import annotations

import time

import pytest
from support.snapshots import nginx_of

from advisor.facts.effective import HEADER, Scopes, applied, differences
from advisor.facts.tree import Tree

CONF = "/etc/nginx/nginx.conf"


def scopes(text: str) -> Scopes:
    return Scopes(Tree(nginx_of({CONF: text.encode()})))


def values(text: str, name: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    made = scopes(text)
    return {scope.rpartition(f"{CONF}:")[2]: made.value(scope, name) for scope in made.blocks}


def changed(before: str, after: str) -> list[tuple[str, str]]:
    return [(one.scope.rpartition(f"{CONF}:")[2], one.name) for one in differences(scopes(before), scopes(after))]


def test_the_innermost_value_applies() -> None:
    text = """http {
        keepalive_timeout 10;
        server { location / { } }
        server { keepalive_timeout 20; location / { keepalive_timeout 30; if ($a) { } } }
    }"""
    assert values(text, "keepalive_timeout") == {
        "": (),
        "http#0": (("10",),),
        "http#0/server#0": (("10",),),
        "http#0/server#0/location#0": (("10",),),
        "http#0/server#1": (("20",),),
        "http#0/server#1/location#0": (("30",),),
        "http#0/server#1/location#0/if#0": (("30",),),
    }


def test_a_lower_set_replaces_the_whole_set_above() -> None:
    text = """http {
        add_header A 1; add_header B 2;
        server { add_header C 3; location /x { add_header D 4; add_header E 5; } location /y { } }
    }"""
    found = values(text, "add_header")
    assert found["http#0"] == (("A", "1"), ("B", "2"))
    assert found["http#0/server#0"] == (("C", "3"),)
    assert found["http#0/server#0/location#0"] == (("D", "4"), ("E", "5"))
    assert found["http#0/server#0/location#1"] == (("C", "3"),)


def test_add_header_inherit_says_how_headers_are_inherited() -> None:
    text = """http {
        add_header A 1; add_header_inherit merge;
        server { add_header B 2; location /x { add_header C 3; } location /y { add_header_inherit off; } }
        server { add_header_inherit on; add_header D 4; }
    }"""
    found = values(text, "add_header")
    assert found["http#0/server#0"] == (("B", "2"), ("A", "1"))
    assert found["http#0/server#0/location#0"] == (("C", "3"), ("B", "2"), ("A", "1"))
    assert found["http#0/server#0/location#1"] == ()
    assert found["http#0/server#1"] == (("D", "4"),)
    assert ("http#0/server#0", "add_header") in changed(text, text.replace("A 1", "A 2"))
    assert ("http#0/server#0", "add_header") in changed(text, text.replace("merge", "on", 1))


def test_the_header_of_keepalive_timeout_inherits_on_its_own() -> None:
    text = "http { keepalive_timeout 75s 9; server { keepalive_timeout 3s; } }"
    assert values(text, "keepalive_timeout")["http#0/server#0"] == (("3s",),)
    assert values(text, HEADER)["http#0/server#0"] == (("9",),)


def test_what_passes_requests_on_is_inherited_by_if_alone() -> None:
    text = "http { server { location / { proxy_pass http://a; if ($x) { } location /n { } } } }"
    found = values(text, "proxy_pass")
    assert found["http#0/server#0/location#0/if#0"] == (("http://a",),)
    assert found["http#0/server#0/location#0/location#0"] == ()


def test_what_is_replaced_is_known() -> None:
    tree = Tree(nginx_of({CONF: b"error_log a; http { error_log b; server { error_log c; } }"}))
    (server,) = tree.named["server"]
    found = applied(tree, server, "error_log")
    assert [node.args for node in found.nodes] == [["c"]]
    assert [[node.args for node in level] for level in found.replaced] == [[["b"]], [["a"]]]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("events { multi_accept on; }", "events { multi_accept off; }", [("events#0", "multi_accept")]),
        ("user a;", "user b;", [("", "user")]),
        (
            "http { upstream u { keepalive 8; } }",
            "http { upstream u { keepalive 9; } }",
            [("http#0/upstream#0", "upstream/keepalive")],
        ),
        ("http { map $a $b { x 1; } }", "http { map $a $b { x 2; } }", [("http#0/map#0", "map/x")]),
        (
            "stream { proxy_timeout 1; server { } }",
            "stream { proxy_timeout 2; server { } }",
            [("stream#0", "stream/proxy_timeout")],
        ),
        (
            "http { server { location /a { } } }",
            "http { server { location /b { } } }",
            [("http#0/server#0/location#0", "location")],
        ),
        (
            "http { gzip on; server { } }",
            "http { gzip off; server { } }",
            [("http#0", "gzip"), ("http#0/server#0", "gzip")],
        ),
        ("http { gzip on; server { } }", "http { gzip on; server { gzip on; } }", []),
        ("http { gzip on; server { } }", 'http { gzip "on"; server { } }', []),
        ("http { gzip on; }", "http { gzip on; server { } }", [("http#0/server#0", "server")]),
    ],
)
def test_what_differs(before: str, after: str, found: list[tuple[str, str]]) -> None:
    assert changed(before, after) == found


def test_it_stays_linear() -> None:
    """1,000 servers with 5 locations: a change at the top is seen in each of the 6,001 blocks."""
    locations = "".join(f"location /{number} {{ proxy_read_timeout 9; }} " for number in range(5))
    text = "http { gzip on; " + f"server {{ listen 80; server_name a; {locations} }}\n" * 1000 + "}"
    before, after = scopes(text), scopes(text.replace("gzip on", "gzip off"))
    begun = time.process_time()
    assert len(list(differences(before, after))) == 6001
    assert time.process_time() - begun < 1
