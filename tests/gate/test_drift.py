"""Fingerprints, as a multiset, stay through all that changes no setting: for any configuration that can be drawn."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from support.editing import harmless
from support.snapshots import nginx_of, snapshot_with

from advisor.engine.judging import Judging
from advisor.facts.derive import Facts
from advisor.jobs import load
from advisor.snapshot.model import Snapshot, SysctlFile

JUDGING = Judging(load.rules())
BAD = ("keepalive_timeout 3000;", "error_log e debug;", "tcp_nodelay off;", "send_lowat 1k;", "gzip_comp_level 9;")
FINE = ("keepalive_timeout 60;", "tcp_nodelay on;")
"""Numbers tell settings of one name apart, good ones among them."""
LOCATIONS = st.builds("location /{} {{ {} }} ".format, st.integers(0, 2), st.sampled_from(("", *BAD)))
SERVERS = st.builds(
    "server {{ listen {}; {} {} {} }} ".format,
    st.integers(81, 99),
    st.sampled_from(("server_name a;", "server_name a b;", "")),
    st.sampled_from((*BAD, *FINE)),
    st.lists(LOCATIONS, max_size=1).map("".join),
)
KEYS = ("net.ipv4.tcp_fack", "net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_sack", "net.core.somaxconn")
LINES = st.builds("{} = {}\n".format, st.sampled_from(KEYS), st.integers(0, 1))


def fingerprints(snapshot: Snapshot) -> Counter[tuple[str, str]]:
    found = [verdict.finding for verdict in JUDGING(Facts(snapshot)) if verdict.finding is not None]
    return Counter((one.rule, one.fingerprint) for one in found)


@settings(max_examples=40)
@given(st.lists(SERVERS, min_size=1, max_size=4).map("".join), st.sampled_from(("", *BAD)), st.randoms())
def test_nothing_changes_in_nginx_files(servers: str, said: str, draw: random.Random) -> None:
    text = f"events {{ }} http {{ {said} upstream u {{ server 10.0.0.1; }} {servers} }}"
    before = snapshot_with(nginx=nginx_of({"/n/nginx.conf": text.encode()}))
    for _ in range(3):
        edit = harmless(before, draw)
        assert fingerprints(edit.after) == fingerprints(before), edit.what


@settings(max_examples=50)
@given(st.lists(LINES, min_size=1, max_size=6).map("".join), st.randoms())
def test_nothing_changes_in_sysctl_files(text: str, draw: random.Random) -> None:
    given_file = SysctlFile(path="/s/sysctl.conf", content=text.encode(), given=True)
    before = snapshot_with(sysctl_files=[given_file])
    edit = harmless(before, draw)
    assert fingerprints(edit.after) == fingerprints(before), edit.what
