"""Run by tests inside a namespace: HTTP backends that fail, and clients that ask or keep connections busy.

``backends.py ROLE ARGUMENT...``:

    serve                            all backends of `PORTS`, and a unix socket `FULL`, right here, whose queue is full
    ask ADDRESS PORT COUNT PATH SIZE that many requests one after the other, with a body of SIZE bytes; the statuses
    busy ADDRESS PORT COUNT          connect that often and send half a request on each

Those that stay print ``ready`` once they stand; all end after `LONGEST` seconds by themselves.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 60
CLOSING, SILENT, WORDY, UPGRADING = 9001, 9002, 9003, 9004
"""Reads a request and closes; reads and says nothing; sends a header of 70 kB; switches protocols and stays."""
FULL = "full.sock"


def close(_: socket.socket) -> None:
    pass


def stay(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client.recv(1)


def wordy(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        client.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n")


def upgrade(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n")
    stay(client)


PORTS: dict[int, Callable[[socket.socket], None]] = {CLOSING: close, SILENT: stay, WORDY: wordy, UPGRADING: upgrade}


def one(client: socket.socket, treat: Callable[[socket.socket], None]) -> None:
    with client:
        head = b""
        while b"\r\n\r\n" not in head and (part := client.recv(4096)):
            head += part
        treat(client)


def listen(port: int, treat: Callable[[socket.socket], None]) -> None:
    server = socket.create_server(("127.0.0.1", port), backlog=511)

    def accept() -> None:
        while True:
            client = server.accept()[0]
            threading.Thread(target=one, args=(client, treat), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    time.sleep(LONGEST)


def serve() -> None:
    for port, treat in PORTS.items():
        listen(port, treat)
    full = socket.socket(socket.AF_UNIX)
    full.bind(FULL)
    full.listen(0)
    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(FULL)
    ready()


def ask(address: str, port: str, count: str, path: str, size: str) -> None:
    answers: Counter[int] = Counter()
    for _ in range(int(count)):
        client = http.client.HTTPConnection(address, int(port), timeout=20)
        client.request("POST" if int(size) else "GET", path, body=b"x" * int(size) or None)
        answers[client.getresponse().status] += 1
        client.close()
    sys.stdout.write(json.dumps(answers))


def busy(address: str, port: str, count: str) -> None:
    held = []
    for _ in range(int(count)):
        held.append(socket.create_connection((address, int(port))))
        held[-1].sendall(b"GET / HTTP/1.1\r\n")
        # A connection that has not asked for anything yet is idle to nginx: it has to have read this one first.
        time.sleep(0.003)
    ready()


ROLES: dict[str, Callable[..., None]] = {"serve": serve, "ask": ask, "busy": busy}

if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    signal.alarm(LONGEST)
    ROLES[role](*arguments)
