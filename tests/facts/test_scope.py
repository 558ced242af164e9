"""Where a sysctl can be set, by what the kernel shows in the host's own namespace and in others."""

from __future__ import annotations

import pytest

from advisor.catalog.sysctl import KEYS
from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.scope import cannot_set, child, for_the_host
from advisor.records import replace
from advisor.snapshot.model import Snapshot

CHILD = {"net.core.somaxconn": "4096", "net.core.rmem_max": "4194304", "fs.file-max": "100"}
FIRST = {**CHILD, "net.core.netdev_max_backlog": "1000"}


def at(
    sysctl: dict[str, str], *, netns: str = "host", container: str | None = None, read_only: bool = False
) -> Snapshot:
    host = {"kernel": "6.1.0", "netns": netns, "container": container}
    snapshot = snapshot_of({"sysctl": {**sysctl, "net.ipv4.tcp_mem": None}, "host": host})
    assert snapshot.sysctls is not None
    return replace(snapshot, sysctls=replace(snapshot.sysctls, read_only=read_only))


def waiting(snapshot: Snapshot) -> set[str]:
    return {key for key in FIRST if for_the_host(snapshot, key) is not None}


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (at(FIRST), set()),
        # Process 1 may be hidden; the global keys tell that it is the host's namespace all the same.
        (at(FIRST, netns="4026531833"), set()),
        (at(CHILD, netns="4026532000"), {*FIRST} - {"net.core.somaxconn"}),
        (at(CHILD, netns="web"), {*FIRST} - {"net.core.somaxconn"}),
        (at(CHILD, netns="4026532000", container="docker"), {*FIRST} - {"net.core.somaxconn"}),
        (at(CHILD, netns="4026532000", container="docker", read_only=True), {*FIRST} - {"net.core.somaxconn"}),
        # docker run --network=host: sysctls can't be given as options then.
        (at(FIRST, netns="4026531840", container="docker", read_only=True), {*FIRST}),
    ],
)
def test_what_only_the_host_can_set(snapshot: Snapshot, expected: set[str]) -> None:
    assert waiting(snapshot) == expected


def test_every_reason_names_the_key() -> None:
    snapshot = at(CHILD, netns="1", container="docker")
    found = {key: for_the_host(snapshot, key) for key in KEYS}
    assert all((why is None) is (KEYS[key].scope == "netns") and key in (why or key) for key, why in found.items())


def test_what_was_not_read_binds_nobody() -> None:
    snapshot = snapshot_of({"sysctl": FIRST})
    assert waiting(snapshot) == set()
    assert not child(snapshot)
    assert not cannot_set(snapshot_of({}))


@pytest.mark.parametrize(
    ("netns", "why"),
    [("4026532000", "this network namespace has no net.ipv4.tcp_mem: it is the host's"), ("host", "this kernel or")],
)
def test_why_a_key_is_absent(netns: str, why: str) -> None:
    with pytest.raises(Unread, match=why):
        Facts(at(CHILD, netns=netns)).sysctl.text("net.ipv4.tcp_mem")
