"""What tcpdump writes on all interfaces of a namespace, where one that is passed on is seen twice."""

from __future__ import annotations

import contextlib
import pathlib
import sys
import time

import pytest
from support.netns import Netns, ip

from advisor.capture.decode import Decoder, Skipped
from advisor.capture.segments import FIN, SYN, Endpoints
from advisor.formats.captured import open_capture

SERVER = """
import socket
listener = socket.create_server(("", 8080), backlog=9)
print("up", flush=True)
for _ in range(5):
    one, _ = listener.accept()
    while one.recv(100):
        one.sendall(b"x" * 5000)
    one.close()
"""
CLIENT = """
import socket
for _ in range(5):
    with socket.create_connection(("10.8.0.2", 8080)) as one:
        for _ in range(3):
            one.sendall(b"hello")
            left = 5000
            while left:
                left -= len(one.recv(left))
"""


def read(path: pathlib.Path) -> tuple[int, int, int, Skipped]:
    """How many segments there are, SYNs and FINs of them, and what was left out."""
    decoder = Decoder(Endpoints())
    total = syns = fins = 0
    with path.open("rb") as file:
        for frames in open_capture(file):
            segments = decoder.decode(frames)
            total += len(segments.frame)
            syns += int((segments.flags & SYN != 0).sum())
            fins += int((segments.flags & FIN != 0).sum())
    return total, syns, fins, decoder.skipped


def capture(ns: Netns, interface: str, link: str, path: pathlib.Path) -> None:
    """Begin to capture TCP; returns once tcpdump listens."""
    argv = (
        "tcpdump",
        "-i",
        interface,
        "-y",
        link,
        "--immediate-mode",
        "-Z",
        "root",
        "-U",
        "-s",
        "128",
        "-w",
        str(path),
    )
    tcpdump = ns.start(*argv, "tcp", stderr=-1, text=True)
    with tcpdump.stderr as said:
        assert "listening on" in said.readline() + said.readline()


def joined(one: Netns, other: Netns, names: tuple[str, str], ends: tuple[str, str]) -> None:
    ip("link", "add", names[0], "netns", one.name, "type", "veth", "peer", "name", names[1], "netns", other.name)
    for ns, name, address in zip((one, other), names, ends, strict=True):
        ns.run("ip", "addr", "add", f"{address}/24", "dev", name)
        ns.run("ip", "link", "set", name, "up")


@pytest.mark.real("tcpdump")
@pytest.mark.parametrize("link", ["LINUX_SLL", "LINUX_SLL2"])
def test_packets_that_a_host_passes_on_count_once(link: str, tmp_path: pathlib.Path) -> None:
    with contextlib.ExitStack() as stack:
        client, router, server = (stack.enter_context(contextlib.closing(Netns())) for _ in range(3))
        joined(client, router, ("c0", "r0"), ("10.7.0.1", "10.7.0.2"))
        joined(router, server, ("r1", "s0"), ("10.8.0.1", "10.8.0.2"))
        router.sysctl(net__ipv4__ip_forward="1")
        client.run("ip", "route", "add", "10.8.0.0/24", "via", "10.7.0.2")
        server.run("ip", "route", "add", "10.7.0.0/24", "via", "10.8.0.1")
        process = server.start(sys.executable, "-c", SERVER, stdout=-1, text=True)
        with process.stdout as said:
            assert said.readline() == "up\n"
        capture(router, "any", link, tmp_path / "any")
        capture(router, "r0", "EN10MB", tmp_path / "one")
        client.run(sys.executable, "-c", CLIENT)
        time.sleep(0.5)  # until tcpdump has been given the last packets
    total, syns, fins, skipped = read(tmp_path / "any")
    assert (total, syns, fins) == read(tmp_path / "one")[:3]
    assert (syns, fins) == (10, 10)
    assert skipped.duplicates == total
