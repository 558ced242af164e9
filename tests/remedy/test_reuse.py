"""What a patch writes so that connections to upstreams are used again, and what it leaves to a person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.engine.judging import Judging
from advisor.errors import PlanError, Unread
from advisor.facts.derive import READS, Facts
from advisor.findings import Change, Relation
from advisor.jobs import load, patch
from advisor.remedy.folder import folder
from advisor.remedy.lattice import join
from advisor.remedy.plan import Allowed, Outcome, Plan
from advisor.remedy.predict import predict
from advisor.remedy.prove import only_what_was_meant
from advisor.snapshot.mask import mask
from advisor.snapshot.model import Snapshot

CONF = "/etc/nginx/nginx.conf"
OLD, NEW = "1.22.1", "1.31.3"
RULES = [rule for rule in load.rules() if rule.id.startswith(("upstream-", "connection-map"))]


def case(http: str, version: str | None = OLD, **given: Any) -> Snapshot:
    return snapshot_of({"nginx": http, "nginx_version": version, **given})


def planned(snapshot: Snapshot) -> Plan:
    return patch.plan(snapshot, Judging(RULES), Allowed(unsafe=True))


def written(snapshot: Snapshot, size: int = 16) -> str:
    """The file with ``upstream.reuse`` of the first pass that lacks something, proved."""
    facts = Facts(snapshot)
    item = next(item for item in facts.nginx.passes if not item.reused)
    wants: Any = {}
    join(wants, Change("upstream.reuse", Relation.AT_LEAST, size, item.place("upstream.reuse")), "a-rule")
    made = predict(facts, wants, {})
    after = Facts(made.snapshot)
    only_what_was_meant(facts, after, made.directives)
    assert all(item.reused for item in after.nginx.passes if item.target != "http://other")
    return made.files[CONF].decode()


SITE = "server { location / { proxy_pass http://a; } }"
TRIAD = 'proxy_http_version 1.1; proxy_set_header Connection "";'


@pytest.mark.parametrize(
    ("version", "before", "after"),
    [
        (
            OLD,
            "http { upstream a { server b; } server { location / { proxy_pass http://a; } } }",
            (
                "http { upstream a { server b; keepalive 16; } server { location / { proxy_pass http://a; "
                'proxy_http_version 1.1; proxy_set_header Connection ""; } } }'
            ),
        ),
        (
            OLD,
            f"http {{ upstream a {{ server b; keepalive 4; ip_hash; }} {TRIAD} {SITE} }}",
            f"http {{ upstream a {{ server b; ip_hash; keepalive 16; }} {TRIAD} {SITE} }}",
        ),
        (
            OLD,
            (
                "http { upstream a { server b; keepalive 32; } server { proxy_set_header X 1; location / { "
                "proxy_http_version 1.0; proxy_pass http://a/; } location /b { proxy_pass http://other; } } }"
            ),
            (
                "http { upstream a { server b; keepalive 32; } server { proxy_set_header X 1; location / { "
                'proxy_http_version 1.1; proxy_pass http://a/; proxy_set_header X 1; proxy_set_header Connection ""; } '
                "location /b { proxy_pass http://other; } } }"
            ),
        ),
        (
            NEW,
            "http { upstream a { server b; keepalive 0; } server { location / { proxy_pass http://a; } } }",
            "http { upstream a { server b; keepalive 16; } server { location / { proxy_pass http://a; } } }",
        ),
        (
            NEW,
            "http { server { location / { grpc_set_header X 1; grpc_pass grpc://10.0.0.1:50051; } } }",
            (
                "http { upstream grpc_10_0_0_1_50051 { server 10.0.0.1:50051; keepalive 16; } server { location / { "
                "grpc_set_header X 1; grpc_pass grpc://grpc_10_0_0_1_50051; grpc_set_header Host 10.0.0.1:50051; } } }"
            ),
        ),
        (
            NEW,
            (
                "http { upstream a_80 { server b; } server { location /x { proxy_redirect off; "
                "proxy_set_header HOST h; proxy_pass http://a:80/y; } } }"
            ),
            (
                "http { upstream a_80 { server b; } upstream a_80_2 { server a:80; keepalive 16; } server { "
                "location /x { proxy_redirect off; proxy_set_header HOST h; proxy_pass http://a_80_2/y; } } }"
            ),
        ),
        (
            NEW,
            "http { server { location /x { proxy_pass http://a:80/y; } } }",
            (
                "http { upstream a_80 { server a:80; keepalive 16; } server { location /x { proxy_pass http://a_80/y; "
                "proxy_redirect http://a:80/y /x; proxy_set_header Host a; } } }"
            ),
        ),
    ],
    ids=[
        "all of it",
        "behind the method",
        "carried along",
        "from 0",
        "gRPC",
        "a name that is taken",
        "URI and port 80",
    ],
)
def test_what_is_written(version: str, before: str, after: str) -> None:
    assert written(case(before, version)) == after


def test_nothing_else_is_written_for_what_lasts_already() -> None:
    text = (
        f"http {{ upstream a {{ server b; keepalive 8; }} {TRIAD} server {{ location / {{ proxy_pass http://a; }} }} }}"
    )
    assert planned(case(text)).empty


def test_two_new_blocks_in_one_plan_and_then_none() -> None:
    text = """http {
    gzip on;
    upstream one {
        server 10.0.0.9;  # kept
    }
    # the site
    server {
        location / { proxy_pass http://10.0.0.1:80; }
        location /b { proxy_pass http://10.0.0.1:81; }
    }
}
"""
    made = planned(case(text, NEW))
    assert [one.outcome for one in made.findings] == [Outcome.CURED] * 2
    new = made.prediction.files[CONF].decode()
    assert new.startswith(
        text[: text.index("    # the site")]
        + "\n    upstream 10_0_0_1_80 {\n        server 10.0.0.1:80;\n        keepalive 32;\n    }\n"
        + "\n    upstream 10_0_0_1_81 {\n        server 10.0.0.1:81;\n        keepalive 32;\n    }\n"
    )
    assert planned(made.prediction.snapshot).empty
    changes = json.loads(folder(made)["plan.json"])["nginx"]
    assert "upstream 10_0_0_1_80 { server 10.0.0.1:80; keepalive 32; }" in [one["after"] for one in changes]
    assert "`; `" not in folder(made)["README.md"].decode()


def test_a_new_block_is_less_patient_than_the_backend() -> None:
    snapshot = case("http { server { location / { proxy_pass http://10.0.0.1; } } }", NEW, site={"backend_idle": "5 s"})
    assert "server 10.0.0.1; keepalive 32; keepalive_timeout 4s; }" in planned(snapshot).prediction.files[CONF].decode()


def test_an_old_block_becomes_less_patient_than_the_backend() -> None:
    """The step for reuse makes the rule on patience fail, whose step joins the plan."""
    text = f"http {{ {TRIAD} upstream a {{ server 10.0.0.1; }} server {{ location / {{ proxy_pass http://a; }} }} }}"
    made = planned(case(text, site={"backend_idle": "5 s"}))
    assert "server 10.0.0.1; keepalive 32; keepalive_timeout 4; }" in made.prediction.files[CONF].decode()


SHARED = "http { server { location /a { include b.conf; } location /b { include b.conf; proxy_set_header X 1; } } %s }"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ("http { server { location / { proxy_pass https://10.0.0.1; } } }", "the name that TLS asks for"),
        (
            "http { server { location / { proxy_pass http://10.0.0.1$request_uri; } } }",
            "a variable stands in the address",
        ),
        ("http { server { location / { proxy_pass http://unix:/run/a; } } }", "a unix socket"),
        ("server { location / { proxy_pass http://10.0.0.1; } }", "there is no http block"),
        ("http { server { location / { proxy_cache c; proxy_pass http://10.0.0.1; } } }", "the keys of the cache"),
        (
            "http { server { location / { proxy_redirect default; proxy_pass http://10.0.0.1; } } }",
            "follows the address",
        ),
        (
            "http { proxy_set_header Host $proxy_host; server { location / { proxy_pass http://10.0.0.1; } } }",
            "a header holds the address",
        ),
        ("http { server { location / { if ($a) { proxy_pass http://10.0.0.1; } } } }", "stands in 'if'"),
        (
            "http { server { location / { proxy_pass http://10.0.0.1; location /b { proxy_pass http://other; } } } }",
            "passed on inside the location",
        ),
        (
            (
                "http { map $http_upgrade $c { '' close; } upstream a { server b; } "
                "server { location / { proxy_set_header Connection $c; proxy_pass http://a; } } }"
            ),
            "a map that others may use",
        ),
        ("http { server { location / { uwsgi_pass 10.0.0.1:9; } } }", "closes after each request"),
        (
            f"http {{ server {{ {'location / { proxy_pass http://10.0.0.1; }' * 201} }} }}",
            "201 places pass requests there",
        ),
        (
            {
                CONF: SHARED % "upstream a { server b; }",
                "/etc/nginx/b.conf": "proxy_set_header Connection close; proxy_pass http://a;",
            },
            "",
        ),
        (
            {
                CONF: "http { upstream a { server b; keepalive 2; } server { "
                "location /a { include c.conf; proxy_pass http://a; } "
                "location /b { include c.conf; proxy_pass http://other; } } }",
                "/etc/nginx/c.conf": "proxy_http_version 1.1; proxy_set_header Connection close;",
            },
            "is included by other locations, too",
        ),
        (
            {
                CONF: "http { upstream a { server b; keepalive 2; } server { location /a { include proxy_params; "
                "proxy_pass http://a; } } }",
                "/etc/nginx/proxy_params": "proxy_http_version 1.1; proxy_set_header Connection close;",
            },
            "belongs to a package",
        ),
        (
            {
                CONF: "http { upstream a { server b; keepalive 2; } server { include c.conf; } "
                "server { proxy_set_header X 1; include c.conf; } }",
                "/etc/nginx/c.conf": "location / { proxy_pass http://a; }",
            },
            "it is included twice",
        ),
    ],
)
def test_what_is_left_to_a_person(files: str | dict[str, str], why: str) -> None:
    facts = Facts(snapshot_of({"nginx": files, "nginx_version": OLD}))
    item = facts.nginx.passes[0]
    if not why:
        assert item.place("upstream.reuse").directive == "upstream"
        return
    with pytest.raises(Unread, match=why):
        item.place("upstream.reuse")
    wants: Any = {}
    place = facts.nginx.passing.place_of(facts.nginx.passing.routes[0])
    join(wants, Change("upstream.reuse", Relation.AT_LEAST, 8, place), "a-rule")
    with pytest.raises(PlanError, match=why):
        predict(facts, wants, {})


def test_what_is_hidden_is_not_carried_along() -> None:
    text = f"http {{ upstream a {{ server b; }} proxy_set_header X-Key secret; {SITE} }}"
    (item,) = Facts(mask(case(text), READS)).nginx.passes
    with pytest.raises(Unread, match="the snapshot is masked"):
        item.place("upstream.reuse")
    assert not item.reused
    bare = case("http { upstream a { server b; } server { location / { proxy_pass http://a; } } }")
    assert written(mask(bare, READS))


def test_inherited_headers_that_are_lost_are_noticed() -> None:
    """The proof does not trust the writer."""
    text = "http { upstream a { server b; } proxy_set_header X 1; server { location / { proxy_pass http://a; } } }"
    snapshot = case(text)
    facts = Facts(snapshot)
    place = facts.nginx.passes[0].place("upstream.reuse")
    wanted = facts.nginx.passing.wanted(place)
    for _, added in wanted.added.values():
        added[:] = [one for one in added if one != ("proxy_set_header", "X", "1")]
    wants: Any = {}
    join(wants, Change("upstream.reuse", Relation.AT_LEAST, 8, place), "a-rule")
    made = predict(facts, wants, {})
    loose = [one for one in made.directives if one.place.directive != "proxy_set_header"]
    with pytest.raises(PlanError, match="would also change proxy_set_header"):
        only_what_was_meant(facts, Facts(made.snapshot), loose)


def test_a_server_in_a_file_that_is_included_twice_is_edited_once() -> None:
    site = "server { location / { proxy_pass http://10.9.0.2:8080; } }"
    files = {"/etc/nginx/nginx.conf": "http { include a.conf; include a.conf; }", "/etc/nginx/a.conf": site}
    rules = [rule for rule in load.rules() if rule.id == "upstream-not-reused"]
    made = patch.plan(snapshot_of({"nginx": files, "nginx_version": "1.31.3"}), Judging(rules), Allowed(unsafe=True))
    assert made.prediction.files["/etc/nginx/a.conf"].count(b"proxy_pass http://10_9_0_2_8080;") == 1


def test_a_location_without_a_uri_is_left_to_a_person() -> None:
    plan = planned(case("http { server { location { proxy_pass http://10.9.0.2:8080/x; } } }", NEW))
    assert plan.empty
    assert any("has no URI, which nginx refuses" in one.why for one in plan.findings)
