"""A patch that changes an effective value nobody planned is refused."""

from __future__ import annotations

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.findings import Place
from advisor.formats.nginx_edit import At, SetArgs
from advisor.records import replace
from advisor.remedy.nginx import NginxChange
from advisor.remedy.prove import only_what_was_meant

CONF = "/etc/nginx/nginx.conf"
CHANGE = NginxChange(
    place=Place(CONF, "http#0/server#0", "keepalive_timeout"),
    target="keepalive_timeout",
    before="keepalive_timeout 300",
    after="keepalive_timeout 60",
    meant=(("60",),),
    rules=("keepalive-timeout-long",),
    needs=("reload",),
    edit=SetArgs(At("http#0/server#0", "keepalive_timeout"), ("60",)),
)


def facts(first: str, second: str, http: str = "") -> Facts:
    text = f"http {{ {http} server {{ {first} location / {{ }} }} server {{ {second} }} }}"
    return Facts(snapshot_of({"nginx": text}))


HOST = "proxy_set_header Host $host;"
BEFORE = facts("keepalive_timeout 300;", "keepalive_timeout 300;", HOST)


def test_the_planned_value_and_what_inherits_it_may_change() -> None:
    after = facts("keepalive_timeout 60;", "keepalive_timeout 300;", HOST)
    only_what_was_meant(BEFORE, after, [CHANGE])


def test_what_is_taken_out_leaves_what_is_inherited() -> None:
    before = facts("keepalive_timeout 300 300;", "", "keepalive_timeout 75;")
    after = facts("", "", "keepalive_timeout 75;")
    only_what_was_meant(before, after, [replace(CHANGE, after=None, meant=())])


def test_the_header_that_a_plan_does_not_name_stays() -> None:
    before = facts("keepalive_timeout 300;", "")
    with pytest.raises(PlanError, match="would also change keepalive_timeout header"):
        only_what_was_meant(before, facts("keepalive_timeout 60 60;", ""), [CHANGE])


def test_a_new_block_is_meant_as_a_whole() -> None:
    change = replace(CHANGE, place=Place(CONF, "http#0", "upstream"), target="upstream", meant=())
    only_what_was_meant(facts("", ""), facts("", "", "upstream u { server 127.0.0.1:1; keepalive 8; }"), [change])


@pytest.mark.parametrize(
    ("after", "named"),
    [
        (facts("keepalive_timeout 60; what_is_this 1;", "keepalive_timeout 300;", HOST), "what_is_this"),
        (facts("keepalive_timeout 60;", "keepalive_timeout 300;", f"{HOST} map $a $b {{ x y; }}"), "map"),
        (facts("keepalive_timeout 60;", "keepalive_timeout 60;", HOST), "keepalive_timeout"),
        (facts("keepalive_timeout 61;", "keepalive_timeout 300;", HOST), "keepalive_timeout"),
        (
            facts(
                'keepalive_timeout 60; proxy_set_header Connection "";',
                "keepalive_timeout 300;",
                "proxy_set_header Host $host;",
            ),
            "proxy_set_header",
        ),
    ],
    ids=[
        "an unknown directive",
        "a map",
        "the same text in another server",
        "another value",
        "an inherited set replaced",
    ],
)
def test_any_other_value_is_refused(after: Facts, named: str) -> None:
    with pytest.raises(PlanError, match=f"would also change {named} in .*http#"):
        only_what_was_meant(BEFORE, after, [CHANGE])
