"""Run by tests inside a namespace: a server, and a client that takes local ports in each way there is.

``port_peers.py ROLE ARGUMENT...``:

    serve ADDRESS PORT...   accept on each port; close a connection when the other side did
    ignore ADDRESS PORT...  accept on each port, and never close
    drive                   each line read is an order (JSON, see `Driver`), answered by how many connections came about

Both end with their standard input, and after `LONGEST` seconds by themselves.
"""

from __future__ import annotations

import json
import selectors
import signal
import socket
import struct
import sys
import time
from typing import Any

LONGEST = 120
_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
"""The option of that name (linux/in.h), which Python 3.11 has no word for."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with 0 s: close() resets, and nothing stays in TIME_WAIT."""


class Driver:
    """Takes orders: ``way`` (plain, bound, no-port), ``local`` address, ``to``, ``port`` and ``count``.

    So many connections are held; or, with ``seconds``, at most so many are opened one after the other for so long, and
    closed at once or, with ``last``, after the other side did. ``drop`` resets all that are held.
    """

    def __init__(self) -> None:
        self.held: list[socket.socket] = []

    def obey(self, order: dict[str, Any]) -> int:
        """Carry one out; the count of connections."""
        if order.get("drop"):
            for one in self.held:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.close()
            self.held.clear()
            return 0
        return self.churn(order) if order.get("seconds") else self.hold(order)

    def hold(self, order: dict[str, Any]) -> int:
        """Until there are enough, or no port is left."""
        for done in range(order["count"]):
            try:
                self.held.append(connected(order))
            except OSError:
                return done
        return int(order["count"])

    def churn(self, order: dict[str, Any]) -> int:
        """As many as get a port; at most 20,000 attempts a second."""
        end, done = time.monotonic() + order["seconds"], 0
        while time.monotonic() < end and done < order["count"]:
            try:
                with connected(order) as one:
                    done += 1
                    if order["last"]:
                        one.recv(1)
            except OSError:
                time.sleep(0.005)
        return done


def connected(order: dict[str, Any]) -> socket.socket:
    """One more connection, the way it is wanted."""
    one = socket.socket()
    try:
        if order["way"] == "no-port":
            one.setsockopt(socket.IPPROTO_IP, _NO_PORT, 1)
        if order["way"] != "plain":
            one.bind((order["local"], 0))
        one.connect((order["to"], order["port"]))
    except OSError:
        one.close()
        raise
    return one


def drive() -> None:
    driver = Driver()
    say("ready")
    for line in sys.stdin:
        say(str(driver.obey(json.loads(line))))


def serve(address: str, *ports: str, deaf: bool = False) -> None:
    held = []
    selector = selectors.DefaultSelector()
    for port in ports:
        selector.register(socket.create_server((address, int(port)), backlog=4096), selectors.EVENT_READ, "listens")
    selector.register(sys.stdin, selectors.EVENT_READ, "input")
    say("ready")
    while True:
        for key, _ in selector.select():
            if key.data == "input":
                return
            found: Any = key.fileobj
            if key.data == "listens":
                held.append(found.accept()[0])
                if not deaf:
                    selector.register(held.pop(), selectors.EVENT_READ, "client")
            else:
                selector.unregister(found)
                found.close()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    signal.alarm(LONGEST)
    if role != "drive":
        serve(*arguments, deaf=role == "ignore")
    else:
        drive()
