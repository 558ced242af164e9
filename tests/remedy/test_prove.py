"""A patch that changes an effective value nobody planned is refused."""

from __future__ import annotations

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import PlanError
from advisor.facts.derive import Facts
from advisor.findings import Place
from advisor.formats.nginx_edit import At, SetArgs
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


BEFORE = facts("keepalive_timeout 300;", "keepalive_timeout 300;", "proxy_set_header Host $host;")


def test_the_planned_value_and_what_inherits_it_may_change() -> None:
    after = facts("keepalive_timeout 60;", "keepalive_timeout 300;", "proxy_set_header Host $host;")
    only_what_was_meant(BEFORE, after, [CHANGE])


@pytest.mark.parametrize(
    ("after", "named"),
    [
        (facts("keepalive_timeout 60;", "keepalive_timeout 60;", "proxy_set_header Host $host;"), "keepalive_timeout"),
        (facts("keepalive_timeout 61;", "keepalive_timeout 300;", "proxy_set_header Host $host;"), "keepalive_timeout"),
        (
            facts(
                'keepalive_timeout 60; proxy_set_header Connection "";',
                "keepalive_timeout 300;",
                "proxy_set_header Host $host;",
            ),
            "proxy_set_header",
        ),
    ],
    ids=["the same text in another server", "another value", "an inherited set replaced"],
)
def test_any_other_value_is_refused(after: Facts, named: str) -> None:
    with pytest.raises(PlanError, match=f"would also change {named} in .*server#"):
        only_what_was_meant(BEFORE, after, [CHANGE])
