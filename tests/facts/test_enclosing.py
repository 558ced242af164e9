"""The blocks around a finding, found again from its file, line and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.snapshots import nginx_of, snapshot_with

from advisor.facts.derive import Facts
from advisor.facts.enclosing import chain, server_names
from advisor.facts.places import Location
from advisor.facts.tree import locate, walk

CONF = "/etc/nginx/nginx.conf"
SITE = "/etc/nginx/site.conf"
LOCATION = "/etc/nginx/location.conf"

FILES = {
    CONF: "worker_processes 1;\nhttp {\n  gzip on; include site.conf;\n}\nevents { }\n",
    SITE: 'server { server_name a.example *.b.example; server_name ""; location /ä { gzip off; } location /b {\n'
    "  include location.conf; } }\nserver {\n  listen 80;\n}\n",
    LOCATION: "# nothing but\nsendfile on;\n",
}


def facts_of(files: dict[str, str]) -> Facts:
    return Facts(snapshot_with(nginx=nginx_of({path: text.encode() for path, text in files.items()})))


def around(facts: Facts, location: Location) -> list[str]:
    return [" ".join([node.name, *node.args]) for node in chain(facts, location)]


def at(file: str, line: int, column: int | None = None) -> Location:
    return Location("", file, line, column)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (at(CONF, 1, 1), []),
        (at(CONF, 3, 3), ["http"]),
        (at(CONF, 2, 1), ["http"]),
        (at(CONF, 4, 1), ["http"]),
        (at(CONF, 5, 1), ["events"]),
        (at(SITE, 1, 10), ["http", "server"]),
        (at(SITE, 1, 78), ["http", "server", "location /ä"]),
        (at(SITE, 1, 90), ["http", "server", "location /b"]),
        (at(SITE, 4), ["http", "server"]),
        (at(LOCATION, 2, 10), ["http", "server", "location /b"]),
        (Location("", LOCATION), ["http", "server", "location /b"]),
        (at("/etc/sysctl.conf", 1, 1), []),
        (Location("net.core.somaxconn"), []),
    ],
)
def test_blocks_stand_around_across_includes(location: Location, expected: list[str]) -> None:
    assert around(facts_of(FILES), location) == expected


def test_a_server_is_named_as_its_file_names_it() -> None:
    facts = facts_of(FILES)
    assert server_names(facts, at(LOCATION, 2, 1)) == ("a.example", "*.b.example", "")
    assert server_names(facts, at(SITE, 4, 3)) == ()
    assert server_names(facts, at(CONF, 3, 3)) == ()


def test_what_several_servers_include_is_of_the_names_that_all_have() -> None:
    two = "http { server { server_name a shared; include site.conf; } server { server_name b shared; %s } }"
    for more, names in (("", ("a", "shared")), ("include site.conf;", ("shared",))):
        facts = facts_of({CONF: two % more, SITE: "location / { gzip on; }"})
        assert server_names(facts, at(SITE, 1, 14)) == names
    facts = facts_of(
        {CONF: "http { server { server_name a; include site.conf; } include site.conf; }", SITE: "gzip on;"}
    )
    assert server_names(facts, at(SITE, 1, 1)) == ()


def test_without_nginx_there_is_no_block() -> None:
    assert chain(Facts(snapshot_with()), at(CONF, 1, 1)) == []


def test_a_file_included_twice_counts_where_it_is_first() -> None:
    files = {CONF: "http { include site.conf; } stream { include site.conf; }", SITE: "server { listen 1; }"}
    assert around(facts_of(files), at(SITE, 1, 10)) == ["http", "server"]


STATEMENTS = st.recursive(
    st.sampled_from(["a ä;", "\nb;", " c 'é\n{';", "# ü}\n"]),
    lambda inner: st.lists(inner, max_size=4).map(lambda parts: "d ß{" + "".join(parts) + "}"),
    max_leaves=20,
)


@given(STATEMENTS, STATEMENTS, st.sampled_from([b"", b"\xef\xbb\xbf", b"x '\xff\xe2\x82';"]))
def test_every_statement_is_found_again_in_its_blocks(first: str, second: str, before: bytes) -> None:
    nginx = nginx_of({CONF: before + f"{first}include site.conf;{second}".encode(), SITE: f"e {{{second}}}".encode()})
    facts = Facts(snapshot_with(nginx=nginx))
    for node in walk(facts.nginx.tree()):
        own = [node] if node.statement.block is not None else []
        assert chain(facts, locate(nginx, node)) == [*reversed(list(node.ancestors())), *own]
