"""Claims of ports, from files of a tree and from the live machine."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from advisor.collect.claims import read_claims
from advisor.errors import InputError
from advisor.system import System

UNITS = "usr/lib/systemd/system"
ADMIN = "etc/systemd/system"


def write(root: pathlib.Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def enable(root: pathlib.Path, name: str, folder: str = ADMIN, target: str = "sockets.target.wants") -> None:
    (root / folder / target).mkdir(parents=True, exist_ok=True)
    os.symlink(f"/{UNITS}/{name}", root / folder / target / name)


def claims(root: pathlib.Path) -> list[tuple[str, int, int, str, str | None]]:
    found, problems = read_claims(System(str(root)))
    assert problems == []
    return [(one.by, one.low, one.high, one.protocol, one.file) for one in found]


def test_only_units_that_are_enabled_claim(tmp_path: pathlib.Path) -> None:
    for name, port in (("on", 7001), ("off", 7002), ("needed", 7003)):
        write(tmp_path, f"{UNITS}/{name}.socket", f"[Socket]\nListenStream={port}\nListenDatagram={port}\n")
    enable(tmp_path, "on.socket")
    enable(tmp_path, "needed.socket", UNITS, "app.service.requires")
    enable(tmp_path, "gone.socket")
    assert claims(tmp_path) == [
        ("needed.socket", 7003, 7003, "tcp", f"/{UNITS}/needed.socket"),
        ("needed.socket", 7003, 7003, "udp", f"/{UNITS}/needed.socket"),
        ("on.socket", 7001, 7001, "tcp", f"/{UNITS}/on.socket"),
        ("on.socket", 7001, 7001, "udp", f"/{UNITS}/on.socket"),
    ]


def test_an_administrators_file_drop_ins_and_masks_are_heeded(tmp_path: pathlib.Path) -> None:
    for name in ("ssh", "web", "old"):
        write(tmp_path, f"{UNITS}/{name}.socket", "[Socket]\nListenStream=22\n")
        enable(tmp_path, f"{name}.socket")
    write(tmp_path, f"{ADMIN}/web.socket", "[Socket]\nListenStream=8080\n")
    os.symlink("/dev/null", tmp_path / ADMIN / "old.socket")
    (tmp_path / "dev").mkdir()
    os.mkfifo(tmp_path / "dev/null")  # no regular file, as the device itself
    write(tmp_path, f"{ADMIN}/ssh.socket.d/50-port.conf", "[Socket]\nListenStream=\nListenStream=0.0.0.0:2222\n")
    write(tmp_path, f"{UNITS}/ssh.socket.d/50-port.conf", "[Socket]\nListenStream=9\n")
    assert claims(tmp_path) == [
        ("ssh.socket", 2222, 2222, "tcp", f"/{ADMIN}/ssh.socket.d/50-port.conf"),
        ("web.socket", 8080, 8080, "tcp", f"/{ADMIN}/web.socket"),
    ]


def test_an_instance_is_its_templates(tmp_path: pathlib.Path) -> None:
    write(tmp_path, f"{UNITS}/app@.socket", "[Socket]\nListenStream=%i\nListenStream=7100\n")
    enable(tmp_path, "app@7000.socket")
    assert claims(tmp_path) == [("app@7000.socket", 7100, 7100, "tcp", f"/{UNITS}/app@.socket")]


def test_a_kubelet_brings_the_range_of_node_ports(tmp_path: pathlib.Path) -> None:
    write(tmp_path, "var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n")
    assert claims(tmp_path) == [("NodePorts of Kubernetes", 30000, 32767, "tcp", None)]
    manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"
    write(tmp_path, manifest[1:], "    - --service-node-port-range=20000-22767\n")
    assert claims(tmp_path) == [("NodePorts of Kubernetes", 20000, 22767, "tcp", manifest)]


def test_what_cannot_be_read_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / UNITS / "dir.socket").mkdir(parents=True)
    enable(tmp_path, "dir.socket")
    assert read_claims(System(str(tmp_path))) == (
        [],
        [("claims", f"/{UNITS}/dir.socket can't be read: not a regular file")],
    )
    write(tmp_path, "proc/net/udp", "header\nnonsense\n")
    with pytest.raises(InputError, match=r"/proc/net/udp: line 2: 'nonsense' is no UDP socket"):
        read_claims(System(str(tmp_path)))


def test_units_without_end_are_not_all_read(tmp_path: pathlib.Path) -> None:
    for number in range(300):
        enable(tmp_path, f"u{number:03}.socket")
        write(tmp_path, f"{UNITS}/u{number:03}.socket", f"[Socket]\nListenStream={number + 1}\n")
    found, problems = read_claims(System(str(tmp_path)))
    assert len(found) == 256
    assert problems == [("claims", "more than 256 socket units are enabled: the later ones were not read")]


@pytest.mark.real("ip")
def test_udp_sockets_of_the_readers_namespace(inside: Any) -> None:
    code = """
import socket
from advisor.collect.claims import read_claims
held = [socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_INET)]
held[0].bind(("127.0.0.1", 5353))
held[1].bind(("::1", 5354))
held[2].bind(("127.0.0.1", 5400))
held[2].connect(("127.0.0.1", 9))
answer = [(one.low, one.high) for one in read_claims(System())[0] if one.by == "UDP sockets"]
"""
    assert inside.ask(code) == [[5353, 5354]]
