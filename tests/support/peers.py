"""Run by tests inside a namespace: the two ends of connections that behave, or misbehave, in one known way.

``peers.py NAME ROLE ARGUMENT...``: takes NAME as the process' name, as ps shows it, then plays a role:

    hold ADDRESS PORT           accept, never read, never close
    hang-up ADDRESS PORT        accept and close at once
    datagrams ADDRESS PORT      bind a UDP socket, never read
    visit ADDRESS PORT COUNT    connect that often, close all, end
    pool ADDRESS PORT COUNT     connect that often and keep them unused
    work ADDRESS PORT COUNT     the same, and send on each of them five times a second
    ask ADDRESS PORT PATH COUNT that many requests on one connection, then a count of the answers by status
    burst COUNT ADDRESS:PORT... connect that often to each at once, count who got through

Those that stay print ``ready`` once they stand; all end after `LONGEST` seconds by themselves.
"""

from __future__ import annotations

import http.client
import json
import pathlib
import select
import signal
import socket
import struct
import sys
import time
from collections import Counter

LONGEST = 180
SOON = 0.8
"""Seconds in which a connection of a burst gets through, or has lost its first SYN (which is repeated after 1 s)."""

PATIENCE = 8.0
"""Seconds in which one gets through that lost its first three."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def listen(address: str, port: str) -> socket.socket:
    server = socket.create_server((address, int(port)), backlog=1024)
    say("ready")
    return server


def connect(address: str, port: str, count: str) -> list[socket.socket]:
    return [socket.create_connection((address, int(port))) for _ in range(int(count))]


def hold(address: str, port: str) -> None:
    server, held = listen(address, port), []
    while True:
        held.append(server.accept()[0])


def hang_up(address: str, port: str) -> None:
    server = listen(address, port)
    while True:
        server.accept()[0].close()


def datagrams(address: str, port: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((address, int(port)))
        say("ready")
        time.sleep(LONGEST)


def visit(address: str, port: str, count: str) -> None:
    for one in connect(address, port, count):
        one.close()


def pool(address: str, port: str, count: str) -> None:
    held = connect(address, port, count)
    say("ready")
    while held:
        time.sleep(1)


def work(address: str, port: str, count: str) -> None:
    held = connect(address, port, count)
    say("ready")
    while held:
        for one in held:
            one.send(b".")
        time.sleep(0.2)


def ask(address: str, port: str, path: str, count: str) -> None:
    """One connection, opened again where the server closes it: the asking itself needs no ports to speak of."""
    client = http.client.HTTPConnection(address, int(port), timeout=20)
    answers: Counter[int] = Counter()
    for _ in range(int(count)):
        client.request("GET", path)
        with client.getresponse() as answer:
            answer.read()
            answers[answer.status] += 1
    client.close()
    say(json.dumps(answers))


def burst(count: str, *ends: str) -> None:
    """Say who got through soon; hold all until told to go on, then say who did in the end, once all did or none will.

    The kernel asks again after 1 s, 3 s and 7 s at the latest (tcp(7), tcp_syn_retries).
    """
    begun: dict[str, list[socket.socket]] = {end: [] for end in ends}
    for end, clients in begun.items():
        address, _, port = end.rpartition(":")
        for _ in range(int(count)):
            client = socket.socket()
            client.setblocking(False)  # noqa: FBT003 (the standard library's signature)
            # It leaves by a reset: a FIN that meets a full queue would be sent again for a minute, and dropped again.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.connect_ex((address, int(port)))
            clients.append(client)
    time.sleep(SOON)
    say(json.dumps({end: through(clients) for end, clients in begun.items()}))
    sys.stdin.readline()
    end_of_patience = time.monotonic() + PATIENCE
    while any(through(clients) < len(clients) for clients in begun.values()) and time.monotonic() < end_of_patience:
        time.sleep(0.1)
    say(json.dumps({end: through(clients) for end, clients in begun.items()}))


def through(clients: list[socket.socket]) -> int:
    poll = select.poll()
    for client in clients:
        poll.register(client, select.POLLOUT)
    return sum(event == select.POLLOUT for _, event in poll.poll(0))


ROLES = {
    "hold": hold,
    "hang-up": hang_up,
    "datagrams": datagrams,
    "visit": visit,
    "pool": pool,
    "work": work,
    "ask": ask,
    "burst": burst,
}

if __name__ == "__main__":
    name, role, *arguments = sys.argv[1:]
    pathlib.Path("/proc/self/comm").write_text(name)
    signal.alarm(LONGEST)
    ROLES[role](*arguments)
