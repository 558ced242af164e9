"""The ephemeral range, what is usable of it, and who listens in it."""

from __future__ import annotations

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.ports import PortFacts
from advisor.snapshot.model import Listener, Nginx, Sockets, Sysctls


def ports(text: str, reserved: str = "", live: list[int] | None = None, nginx: str | None = None) -> PortFacts:
    values = {"net.ipv4.ip_local_port_range": text, "net.ipv4.ip_local_reserved_ports": reserved}
    rows = [Listener(address="::", port=port) for port in live or ()]
    config: Nginx | None = nginx_of({"/n.conf": nginx.encode()}) if nginx is not None else None
    sockets = Sockets(method="SOCK_DIAG", states={}, listeners=rows) if live is not None else None
    return Facts(snapshot_with(sysctls=Sysctls(values=values), sockets=sockets, nginx=config)).ports


def test_usable_is_the_range_less_reserved_and_listening() -> None:
    assert ports("1000 1999", live=[]).usable == 1000
    assert ports("1000 1999", "1000-1009,5", live=[1009, 1010, 22]).usable == 1000 - 10 - 1
    assert ports("1000 1999", live=[], nginx="server { listen 1500; }").usable == 1000


@pytest.mark.parametrize(("text", "same"), [("10240 65000", True), ("32768 60999", False), ("1 65535", True)])
def test_parity(text: str, same: bool) -> None:  # noqa: FBT001 (a column)
    assert ports(text).same_parity is same


@pytest.mark.parametrize("text", ["60000 1024", "1024 70000", "0 5", "-5 5"])
@pytest.mark.parametrize("name", ["low", "high", "same_parity", "usable", "exposed"])
def test_what_is_no_range_is_unread(text: str, name: str) -> None:
    with pytest.raises(Unread, match="which is no range of ports"):
        getattr(ports(text, live=[1]), name)


def groups(found: PortFacts) -> dict[str, str]:
    return {group.id: str(group.ports) for group in found.exposed}


def test_listeners_inside_the_range_are_told_in_two_groups() -> None:
    text = "server { listen 1500; listen 80; listen 1600; }"
    assert groups(ports("1000 1999", "1600", live=[22, 1500, 1700, 1701], nginx=text)) == {
        "nginx": "1500",
        "other listeners": "1700-1701",
    }
    assert [group.configured for group in ports("1000 1999", live=[1700], nginx=text).exposed] == [True, False]
    assert groups(ports("1000 1999", live=[22], nginx="server { listen 80; }")) == {}


def test_nothing_is_certain_while_a_side_was_not_read() -> None:
    assert groups(ports("1000 1999", nginx="server { listen 1500; }")) == {"nginx": "1500"}
    assert groups(ports("1000 1999", live=[1500])) == {"other listeners": "1500"}
    with pytest.raises(Unread, match="sockets was left out"):
        groups(ports("1000 1999", nginx="server { listen 80; }"))
    with pytest.raises(Unread, match="nginx was left out"):
        groups(ports("1000 1999", live=[22]))


def test_what_listens_is_live_or_configured() -> None:
    assert str(ports("1 2", live=[22, 80], nginx="server { listen 81; }").listening) == "22,80-81"
