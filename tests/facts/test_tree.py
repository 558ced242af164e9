"""Includes in their place, and which value applies where."""

from __future__ import annotations

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import InputError, Unread
from advisor.facts import tree
from advisor.facts.derive import Facts
from advisor.facts.places import Place
from advisor.facts.routes import Verdict
from advisor.facts.tree import Tree, locate, walk
from advisor.records import replace

CONF = "/etc/nginx/nginx.conf"
A = "/etc/nginx/a.conf"
B = "/etc/nginx/b.conf"


def names(files: dict[str, str]) -> list[str]:
    nodes = Tree(nginx_of({path: text.encode() for path, text in files.items()})).top
    return [" ".join([node.name, *node.args]) for node in walk(nodes)]


def test_an_include_stands_where_it_is_included() -> None:
    found = names({CONF: "http { x 1; include a.conf; x 2; }", A: "y; server { include b.conf; }", B: "z;"})
    assert found == ["http", "x 1", "include a.conf", "y", "server", "include b.conf", "z", "x 2"]


def test_a_file_may_be_included_twice() -> None:
    nodes = Tree(
        nginx_of({CONF: b"http { server { include a.conf; } server { include a.conf; } }", A: b"gzip on;"})
    ).top
    twice = [node for node in walk(nodes) if node.name == "gzip"]
    assert [node.place for node in twice] == [Place(A, "", "gzip", 0)] * 2
    assert [[above.name for above in node.ancestors()] for node in twice] == [["server", "http"]] * 2
    assert twice[0].parent is not twice[1].parent


def test_a_file_that_includes_itself_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_MOST", 1_000)
    assert names(
        {CONF: "a; include a.conf;", A: "b; include b.conf;", B: "c; include a.conf; include nginx.conf;"}
    ) == [
        "a",
        "include a.conf",
        "b",
        "include b.conf",
        "c",
        "include a.conf",
        "include nginx.conf",
    ]


def test_what_an_include_names_and_nobody_read_is_left_out() -> None:
    assert names({CONF: "include gone.conf; include; a;"}) == ["include gone.conf", "include", "a"]


def test_files_that_multiply_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 12 files includes the next one ten times."""
    monkeypatch.setattr(tree, "_MOST", 5_000)
    files = {CONF: "include f0.conf;"} | {f"/etc/nginx/f{n}.conf": f"include f{n + 1}.conf;" * 10 for n in range(12)}
    config = nginx_of({path: text.encode() for path, text in files.items()})
    with pytest.raises(Unread, match="more than 5,000 statements"):
        Tree(config)
    facts = Facts(snapshot_with(nginx=config))
    with pytest.raises(Unread, match="include each other"):
        assert facts.nginx.keepalives


def test_a_file_nginx_would_refuse_is_named_with_its_line() -> None:
    config = nginx_of({CONF: b"http {\n include a.conf;\n}", A: b""})
    broken = {**config.files, A: replace(config.files[A], content=b"gzip on;\n}\n")}
    with pytest.raises(InputError, match=r"/etc/nginx/a\.conf:2"):
        Tree(replace(config, files=broken))


def test_a_place_counts_blocks_and_directives_apart() -> None:
    nodes = Tree(nginx_of({CONF: b"http { server { } server { listen 1; listen 2; location / { listen 3; } } }"})).top
    found = [node.place for node in walk(nodes) if node.name == "listen"]
    assert found == [
        Place(CONF, "http#0/server#1", "listen", 0),
        Place(CONF, "http#0/server#1", "listen", 1),
        Place(CONF, "http#0/server#1/location#0", "listen", 0),
    ]


def test_a_place_is_found_by_line_and_column() -> None:
    config = nginx_of({CONF: "http {\r\n\tadd_header é 'ü\tx';\r\n}\r\n".encode()})
    (node,) = [node for node in walk(Tree(config).top) if node.name == "add_header"]
    whole, second = locate(config, node), locate(config, node, 1)
    assert (whole.line, whole.column, whole.length, whole.excerpt) == (2, 2, 18, "\tadd_header é 'ü\tx';")
    assert (second.line, second.column, second.length) == (2, 15, 5)


@pytest.mark.parametrize(
    ("text", "around"),
    [
        ("http { server { } }", ""),
        ("events { }", ""),
        ("user nginx; worker_processes 4;", ""),
        ("gzip on; http { }", ""),
        ("server { listen 80; }", "meh"),
        ("upstream u { server a; }", "meh"),
        ("location / { root /a; }", "mehsli"),
        ("proxy_set_header Host $host;", "mehsli"),
    ],
)
def test_a_part_of_a_configuration_tells_what_is_around_it(text: str, around: str) -> None:
    assert Tree(nginx_of({CONF: text.encode()})).outer == around


def test_what_a_part_does_not_set_may_be_set_where_it_is_included() -> None:
    part = Tree(nginx_of({CONF: b"server { gzip on; location / { proxy_pass http://a; } }"}))
    (location,) = part.named["location"]
    assert [node.args for node in part.applied(location, "gzip")] == [["on"]]
    with pytest.raises(Unread, match="proxy_http_version may be set where it is included"):
        part.applied(location, "proxy_http_version")
    assert part.applied(None, "upstream/keepalive") == []
    whole = Tree(nginx_of({CONF: b"http { server { } }"}))
    assert whole.applied(whole.named["server"][0], "proxy_http_version") == []


def test_of_a_part_only_what_it_sets_itself_is_certain() -> None:
    part = "server { location / { proxy_http_version 1.1; proxy_set_header Connection close; proxy_pass %s; } }"
    assert [link.code for link in passed(part % "http://10.0.0.1:80").links] == ["upstream", "close"]
    assert passed(part % "http://named").doubt == "whether named is an upstream block is said where this is included"
    bare = passed("server { location / { proxy_pass http://10.0.0.1:80; } }")
    assert "proxy_set_header may be set" in (bare.doubt or "")


def passed(text: str) -> Verdict:
    """The verdict on the one pass there is, before 1.29.7."""
    (route,) = Facts(snapshot_with(nginx=nginx_of({CONF: text.encode()}))).nginx.passing.routes
    return route.older
