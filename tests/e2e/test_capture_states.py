"""The states that a capture shows, packet by packet, against what the kernels of both ends say at the same time."""

from __future__ import annotations

import contextlib
import pathlib
import signal
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest
from support.capture_poll import End, Poll
from support.capture_scenarios import CLIENT, SCENARIOS, SERVER, World, hosts
from support.capture_segments import conversations, read
from support.nginx import running

from advisor.capture.connection import NONE
from advisor.capture.segments import Endpoints, port
from advisor.catalog.tcp import State

PAUSE = 0.15
"""Seconds between two actions."""
MARGIN = 20_000_000
"""Nanoseconds that a packet may take to arrive: polls nearer to one than that show nothing."""
HTTP = "keepalive_timeout 1s;\nserver { listen 8080; location / { return 200 ok; } }\n"


@contextlib.contextmanager
def captured(world: World, file: pathlib.Path) -> Iterator[None]:
    argv = (
        "tcpdump",
        "-i",
        world.interface,
        "-Z",
        "root",
        "--immediate-mode",
        "-U",
        "-n",
        "-s",
        "128",
        "-w",
        str(file),
        "tcp",
    )
    tcpdump = world.client.start(*argv, stderr=subprocess.PIPE, text=True)
    for line in tcpdump.stderr:
        if line.startswith("tcpdump: listening on"):
            break
    yield
    time.sleep(PAUSE)
    tcpdump.send_signal(signal.SIGINT)
    assert "\n0 packets dropped by kernel" in tcpdump.communicate(timeout=20)[1]


def play(world: World) -> None:
    """All at once, an action of each at a time."""
    acts = [scenario(world) for scenario in SCENARIOS]
    while acts:
        acts = [act for act in acts if next(act, True) is None]
        time.sleep(PAUSE)


def ladder(file: pathlib.Path) -> Iterator[tuple[tuple[End, End], list[tuple[int, list[int]]]]]:
    """Client and server of each connection, and from when on its ends are in which states by the capture."""
    endpoints = Endpoints()
    found: dict[tuple[int, int], list[tuple[int, list[int]]]] = defaultdict(list)
    for segment, one in conversations(read(file, endpoints)):
        ends = one.ends[one.client], one.ends[1 - one.client]
        found[ends].append((segment.time, [one.state[one.client], one.state[1 - one.client]]))
    for ends, steps in found.items():
        client, server = ((endpoints.address(end), port(end)) for end in ends)
        yield (client, server), steps


@pytest.mark.real("nginx", "tcpdump", "nft", "curl")
def test_the_ladder_shows_what_both_kernels_say(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "states.pcap"
    with hosts() as world, running(world.server, tmp_path / "nginx", HTTP):
        looking = {CLIENT: Poll(world.client), SERVER: Poll(world.server)}
        with captured(world, file):
            play(world)
        polls = {socket.inet_aton(address): poll.stopped() for address, poll in looking.items()}

    compared, ports = set(), set()
    for (client, server), steps in ladder(file):
        ports.add(server[1])
        ends = [(client, server), (server, client)]
        for number, (moment, states) in enumerate(steps):
            until = steps[number + 1][0] if number + 1 < len(steps) else time.time_ns()
            for (local, remote), state in zip(ends, states, strict=True):
                poll = polls.get(local[0])
                seen = set(poll.between(local, remote, moment + MARGIN, until - MARGIN)) if poll else set()
                shown = 0 if state in {NONE, State.CLOSE} else state
                assert seen <= {shown}, f"port {local[1]} to {remote[1]}, packet {number + 1}: {seen}, not {shown}"
                compared |= seen
    assert ports == {8080, *range(9001, 9015)}
    assert compared == {0, *State} - {State.CLOSE, State.LISTEN, State.NEW_SYN_RECV, State.BOUND_INACTIVE}
