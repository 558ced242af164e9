"""Which server and which location nginx would choose."""

from __future__ import annotations

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.facts.derive import Facts
from advisor.facts.virtual import Found, Taken, find, take

CONF = "/etc/nginx/nginx.conf"


def taken(name: str, text: str) -> dict[str, Taken]:
    nginx = Facts(snapshot_with(nginx=nginx_of({CONF: f"http {{ {text} }}".encode()}))).nginx
    return {one.address: one for one in take(name, nginx.servers, nginx.config.tree)}


def found(uri: str, text: str) -> Found:
    nginx = Facts(snapshot_with(nginx=nginx_of({CONF: f"http {{ server {{ {text} }} }}".encode()}))).nginx
    return find(nginx.servers[0].node, uri)


def location(uri: str, text: str) -> str | None:
    block = found(uri, text).block
    return " ".join(block.args) if block is not None else None


NAMES = """
    server { listen 80; server_name ~^www\\d+\\.example\\.org$; }
    server { listen 80; server_name www.*; }
    server { listen 80 default_server; server_name first.example; }
    server { listen 80; server_name *.example.org; }
    server { listen 80; server_name *.a.example.org .Dotted.example; }
    server { listen 80; server_name www.example.org; }
    server { listen 80; server_name www.example.org again.example; }
    server { listen unix:/run/n.sock; server_name www.example.org; }
"""


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("www.example.org", "server#5 by its name www.example.org"),
        ("WWW.example.ORG.:8080", "server#5 by its name www.example.org"),
        ("again.example", "server#6 by its name again.example"),
        ("x.example.org", "server#3 by its name *.example.org"),
        ("x.a.example.org", "server#4 by its name *.a.example.org"),
        ("dotted.example", "server#4 by its name .Dotted.example"),
        ("x.dotted.example", "server#4 by its name .Dotted.example"),
        ("www7.example.org", "server#3 by its name *.example.org"),
        ("www.other", "server#1 by its name www.*"),
        ("nobody.example", "server#2 as the default server: no other there has that name"),
        ("[::1]", "server#2 as the default server: no other there has that name"),
    ],
)
def test_a_name_leads_to_a_server(name: str, how: str) -> None:
    one = taken(name, NAMES)["0.0.0.0:80"]
    assert f"{one.server.node.path.rpartition('/')[2]} {one.how}" == how
    assert one.default.node.path == "http#0/server#2"


def test_a_regular_expression_is_asked_last_and_in_order() -> None:
    names = ("a", "~(a)\\1", "~^W", "~w")
    text = "".join(f"server {{ server_name {name}; }}" for name in names)
    one = taken("www", text)["0.0.0.0:80"]
    assert one.server.node.path == "http#0/server#2"
    assert one.unsure == ("~(a)\\1 of server ~(a)\\1: the escape '\\1'",)


def test_each_address_chooses_among_its_own_servers() -> None:
    servers = ("80; server_name a", "443 ssl; server_name b", "80; server_name b")
    text = "".join(f"server {{ listen {one}; }}" for one in servers)
    chosen = {address: one.server.node.path for address, one in taken("b", text).items()}
    assert chosen == {"0.0.0.0:80": "http#0/server#2", "0.0.0.0:443": "http#0/server#1"}
    assert taken("www.example.org", NAMES)["unix:/run/n.sock"].server.node.path == "http#0/server#7"


LOCATIONS = r"""
    location = / { } location / { } location /images/ { location ~ \.svg$ { } location /images/raw/ { } }
    location ^~ /static/ { } location ~ \.(gif|jpg)$ { location /images/nested/ { } } location ~* \.JPG$ { }
    location =/exact { } location ~^/glued { } location @named { } location /app/ { proxy_pass http://127.0.0.1:1; }
    location /plain/ { }
"""


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/", "= /"),
        ("/other", "/"),
        ("/images/x", "/images/"),
        ("/images/x.gif", r"~ \.(gif|jpg)$"),
        ("/images/x.JPG", r"~* \.JPG$"),
        ("/images/x.svg", r"~ \.svg$"),
        ("/images/raw/x", "/images/raw/"),
        ("/images/raw/x.gif", r"~ \.(gif|jpg)$"),
        ("/images/nested/x.gif", "/images/nested/"),
        ("/static/x.gif", "^~ /static/"),
        ("/exact", "=/exact"),
        ("/exact/", "/"),
        ("/glued/x", "~^/glued"),
        ("/app", "/app/"),
        ("/plain", "/"),
        ("@named", "@named"),
        ("@other", None),
    ],
)
def test_a_uri_leads_to_a_location(uri: str, expected: str | None) -> None:
    assert location(uri, LOCATIONS) == expected


def test_without_a_location_the_server_answers() -> None:
    assert found("/b", "location /a { }").how == "no location takes it: the server itself does"


def test_what_is_not_evaluated_is_named() -> None:
    one = found("/x", r"location / { } location ~ (?<=x)y { }")
    assert one.unsure == (r"location ~ (?<=x)y: a group that begins with '(?<'",)
