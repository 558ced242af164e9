"""Who says that he needs a port: UDP sockets, socket units, the API server of Kubernetes."""

from __future__ import annotations

import pytest

from advisor.formats.claims import listens, node_ports, udp_ports

UDP = b"""\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1045: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21 2 0000000000000000 0
 1046: 0100007F:0036 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 22 2 0000000000000000 0
 9001: 0102000A:D431 08080808:0035 01 00000000:00000000 00:00000000 00000000     0        0 23 2 0000000000000000 0
"""
UDP6 = b"""\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
  12: 00000000000000000000000000000000:CA6C 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000
"""


def test_udp_sockets_without_a_remote_end_serve() -> None:
    assert str(udp_ports(UDP)) == "53-54"
    assert str(udp_ports(UDP6)) == "51820"
    assert str(udp_ports(b"header\n")) == ""


@pytest.mark.parametrize("line", [b"", b"x", b" 12: 00000000:35 00000000:0000 07", b" 1: zz:0035 00000000:0000 0"])
def test_a_line_that_is_no_udp_socket_is_named(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 2: .* is no UDP socket"):
        udp_ports(b"header\n" + line + b"\n")


@pytest.mark.parametrize(
    ("value", "port"),
    [("22", 22), ("0.0.0.0:8080", 8080), ("[::]:9090", 9090), ("[fe80::1]:80%eth0", 80), (" 65535 ", 65535)],
)
def test_addresses_with_a_port(value: str, port: int) -> None:
    assert [tuple(one) for one in listens(f"[Socket]\nListenStream={value}\n")] == [(2, "tcp", port)]


@pytest.mark.parametrize(
    "value", ["/run/x.sock", "@abstract", "vsock:2:1234", "0", "65536", "%i", "22 # no comment", "80:90", "x" * 9000]
)
def test_what_is_no_port_is_passed_over(value: str) -> None:
    assert list(listens(f"[Socket]\nListenStream={value}\n")) == []


def test_only_the_socket_section_counts_and_an_empty_value_takes_all_back() -> None:
    text = "[Unit]\nListenStream=1\n[Socket]\n#ListenStream=2\nListenStream = 3\nListenDatagram=4\nListenStream=\n"
    assert [tuple(one) for one in listens(text)] == [(5, "tcp", 3), (6, "udp", 4), (7, "tcp", None)]


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ("    - --service-node-port-range=20000-22767\n", (20000, 22767)),
        ("--service-node-port-range 30000-30010", (30000, 30010)),
        ("--service-node-port-range=9-1", None),
        ("--service-cluster-ip-range=10.96.0.0/12", None),
    ],
)
def test_the_range_of_node_ports(manifest: str, found: tuple[int, int] | None) -> None:
    assert node_ports(manifest) == found
