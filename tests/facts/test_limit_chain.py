"""Limits that others set for nginx, and modules that bring sysctls."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.limit_chain import Limits

MASTER = {"pid": 1, "started": 0, "nofile": 1024, "nofile_hard": 4096}


def limits(**processes: Any) -> Limits:
    return Facts(snapshot_of({"processes": {"master": MASTER, **processes}})).limits


def unit(*lines: tuple[str, str]) -> dict[str, Any]:
    rows = [{"path": "/u", "line": number, "name": name, "value": value} for number, (name, value) in enumerate(lines)]
    return {"unit": {"name": "nginx.service", "limits": rows}}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], (None, None)),
        ([("LimitNPROC", "7")], (None, None)),
        ([("DefaultLimitNOFILE", "1024:524288")], (1024, "/u:0")),
        ([("DefaultLimitNOFILE", "1024"), ("LimitNOFILE", "65536")], (65536, "/u:1")),
        ([("LimitNOFILE", "1"), ("LimitNOFILE", "2:9")], (2, "/u:1")),
        ([("DefaultLimitNOFILE", "3"), ("LimitNOFILE", "1"), ("LimitNOFILE", "")], (3, "/u:0")),
        ([("LimitNOFILE", "1"), ("DefaultLimitNOFILE", "3")], (1, "/u:0")),
    ],
)
def test_the_last_line_of_the_unit_counts(
    lines: list[tuple[str, str]], expected: tuple[int | None, str | None]
) -> None:
    found = limits(**unit(*lines))
    assert (found.unit_nofile, found.unit_nofile_at) == expected


def test_infinity_is_no_number() -> None:
    with pytest.raises(Unread, match="/u:0: LimitNOFILE=infinity is no number"):
        _ = limits(**unit(("LimitNOFILE", "infinity"))).unit_nofile


def test_what_is_known_of_the_master() -> None:
    found = limits(sys_resource=False)
    assert (found.nofile_hard, found.raisable, found.unit, found.unit_nofile) == (4096, False, None, None)
    with pytest.raises(Unread, match="capabilities"):
        _ = limits().raisable
    with pytest.raises(Unread, match="hard limit"):
        _ = limits(master={"pid": 1, "started": 0}).nofile_hard


def test_the_memory_of_the_group() -> None:
    group = {"memory": 100, "memory_used": 90, "sockets": 30}
    found = Facts(snapshot_of({"host": {"kernel": "6.1.0", "cgroup": group}})).limits
    assert (found.memory, found.memory_used, found.socket_buffers) == (100, 90, 30)
    without = Facts(snapshot_of({"host": {"kernel": "6.1.0", "cgroup": {}}})).limits
    assert without.memory is None
    with pytest.raises(Unread, match="does not say"):
        _ = without.socket_buffers
    with pytest.raises(Unread, match="could not be read"):
        _ = Facts(snapshot_of({"host": {"kernel": "6.1.0"}})).limits.memory


def test_modules_are_named_once_with_their_keys() -> None:
    names = ["nf_conntrack_max", "nf_conntrack_tcp_timeout_established", "nf_conntrack_acct", "nf_conntrack_helper"]
    text = "".join(f"net.netfilter.{name} = 1\n" for name in names) + "net.bridge.bridge-nf-call-iptables = 0\n"
    given: dict[str, Any] = {"sysctl_file": text, "modules": {"loaded": ["br_netfilter"]}}
    conntrack, bridge = Facts(snapshot_of(given)).modules.needed
    shown = ", ".join(f"net.netfilter.{name}" for name in names[:3])
    assert (conntrack.id, conntrack.keys) == ("nf_conntrack", f"{shown} and 1 more")
    assert (conntrack.loaded, bridge.id, bridge.loaded, bridge.at_boot) == (False, "br_netfilter", True, False)
    assert bridge.location.line == 5
    with pytest.raises(Unread, match="list of built-in modules"):
        _ = conntrack.at_boot
    given["modules"]["at_boot"] = {"/etc/modules": ["nft_ct"]}
    assert [one.at_boot for one in Facts(snapshot_of(given)).modules.needed] == [True, False]
