"""The ephemeral range, what is usable of it, and who listens in it."""

from __future__ import annotations

import pytest
from support.snapshots import nginx_of, snapshot_with

from advisor.errors import Unread
from advisor.facts.derive import Facts
from advisor.facts.ports import PortFacts
from advisor.snapshot.model import UDP_SOCKETS, Claim, Listener, Nginx, Sockets, Sysctls

NODE_PORTS = Claim(low=30000, high=32767, protocol="tcp", by="NodePorts of Kubernetes")
UNIT = Claim(low=1800, high=1800, protocol="tcp", by="app.socket", file="/etc/systemd/system/app.socket", line=3)


def udp(port: int) -> Claim:
    return Claim(low=port, high=port, protocol="udp", by=UDP_SOCKETS)


def ports(
    text: str,
    reserved: str = "",
    live: list[int] | None = None,
    nginx: str | None = None,
    claims: list[Claim] | None = None,
    start: str = "1024",
) -> PortFacts:
    values = {
        "net.ipv4.ip_local_port_range": text,
        "net.ipv4.ip_local_reserved_ports": reserved,
        "net.ipv4.ip_unprivileged_port_start": start,
    }
    rows = [Listener(address="::", port=port) for port in live or ()]
    config: Nginx | None = nginx_of({"/n.conf": nginx.encode()}) if nginx is not None else None
    sockets = Sockets(method="SOCK_DIAG", states={}, listeners=rows) if live is not None else None
    return Facts(snapshot_with(sysctls=Sysctls(values=values), sockets=sockets, nginx=config, claims=claims)).ports


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
    assert groups(ports("1000 1999", live=[22], nginx="server { listen 80; }", claims=[])) == {}


def test_claims_inside_the_range_are_told_by_who_makes_them() -> None:
    """UDP sockets inside may have asked for any port, as other listeners may; nginx's ports are nginx's."""
    found = ports("1000 1999", "1801", [1700, 1800], "server { listen 1500; }", [UNIT, NODE_PORTS, udp(1600)])
    assert groups(found) == {"nginx": "1500", "other listeners": "1700", "app.socket": "1800"}
    (unit,) = [one for one in found.exposed if one.id == "app.socket"]
    assert unit.configured
    assert (unit.location.file, unit.location.line) == ("/etc/systemd/system/app.socket", 3)


def test_needed_are_ports_that_somebody_named_and_those_the_kernel_cannot_have_picked() -> None:
    found = ports("1000 1999", "", [22, 1700, 2500], "server { listen 1500; }", [UNIT, NODE_PORTS, udp(1600), udp(53)])
    assert str(found.needed) == "22,53,1500,1800,2500,30000-32767"
    with pytest.raises(Unread, match="claims was left out"):
        _ = ports("1000 1999", live=[]).needed


@pytest.mark.parametrize(
    ("text", "start", "count", "ends"),
    [
        ("32768 33267", "1024", 498, (32768, 65535)),
        ("40001 40500", "1024", 100, (40001, 65534)),
        ("32768 60999", "1024", 28000, (10240, 65535)),
        ("32768 60999", "1024", 20000, (25536, 65535)),
        ("32768 60999", "20001", 28000, (20001, 65534)),
        ("1025 65535", "1024", 50000, (1025, 65535)),
        ("1024 65535", "1024", 60000, (1024, 65535)),
    ],
)
def test_a_wider_range_grows_upwards_first_and_its_ends_differ_in_parity(
    text: str, start: str, count: int, ends: tuple[int, int]
) -> None:
    found = ports(text, start=start).wider(count)
    assert found == ends
    low, high = map(int, text.split())
    assert found[0] <= low <= high <= found[1], "it never loses a port"
    assert (found[0] ^ found[1]) % 2 == 1 or found[1] == high, "its own high end stays where it can't be higher"


def test_nothing_is_certain_while_a_side_was_not_read() -> None:
    assert groups(ports("1000 1999", nginx="server { listen 1500; }")) == {"nginx": "1500"}
    assert groups(ports("1000 1999", live=[1500])) == {"other listeners": "1500"}
    with pytest.raises(Unread, match="sockets was left out"):
        groups(ports("1000 1999", nginx="server { listen 80; }"))
    with pytest.raises(Unread, match="nginx was left out"):
        groups(ports("1000 1999", live=[22]))
    with pytest.raises(Unread, match="claims was left out"):
        groups(ports("1000 1999", live=[22], nginx="server { listen 80; }"))
    assert groups(ports("1000 1999", claims=[UNIT])) == {"app.socket": "1800"}


def test_what_listens_is_live_or_configured() -> None:
    assert str(ports("1 2", live=[22, 80], nginx="server { listen 81; }").listening) == "22,80-81"
