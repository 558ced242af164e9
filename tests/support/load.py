"""A steady, mixed load of HTTP clients from many addresses, and what it knows it holds.

As a program, inside a namespace: ``python load.py JSON``, the fields of `Mix`. Each line on its standard input is
answered by one line of JSON: the moments since the last one (see `_Load.moment`). It ends with its standard input,
and after ``seconds`` at the latest. Arrivals are open loop: their times do not depend on what the server does, so
that the load is the same before and after a change.
"""

from __future__ import annotations

import dataclasses
import heapq
import ipaddress
import itertools
import json
import os
import random
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BIND_ADDRESS_NO_PORT = 24
"""The socket option of that name (linux/in.h): the port is chosen when connecting, from what is free to there."""
_EVERY = 0.1
"""Seconds between two moments, and before a question is asked again."""
_ONE_ROUND_TRIP = (0.05, 0.2)
"""A poller's pause, as if it were far away. Without it, question and answer fall into the same clock tick."""


@dataclasses.dataclass(frozen=True)
class Mix:
    """Who comes: arrivals per second, or clients that are there all the time.

    ``once``, ``visits``, ``downloads`` and ``silent`` are arrivals per second: one request and then idle until the
    server closes; a few requests and then closed; a slow download and then closed; never a request. ``returning``
    holds pairs: so many clients that ask again every so many seconds, for as long as the load lasts. ``pollers``
    always have a question open. ``leaving`` are arrivals per second of clients that ask once, and close by themselves
    when they have been idle for a time between the two of ``patience``, in seconds.
    """

    host: str
    port: int
    network: str
    seed: int
    seconds: float
    once: float
    visits: float
    downloads: float
    silent: float
    returning: list[tuple[int, float]]
    pollers: int
    most: int = 10_000
    leaving: float = 0.0
    patience: tuple[float, float] = (0.0, 0.0)


class _Client:
    """One client; ``script`` yields what it does next: a path to get, seconds to wait, or None to stay idle."""

    def __init__(self, kind: str, source: str, script: Iterator[str | float | None]) -> None:
        self.kind = kind
        self.source = source
        self.script = script
        self.socket: socket.socket | None = None
        self.connected = False
        self.path: str | None = None
        self.answer = bytearray()
        self.answered: float | None = None
        """When the last answer was whole; None while a question is open."""


class _Load:
    """All clients, in one thread."""

    def __init__(self, mix: Mix) -> None:
        self.mix = mix
        self.random = random.Random(mix.seed)  # noqa: S311 (a load that can be repeated, no secret)
        self.selector = selectors.DefaultSelector()
        self.clients: set[_Client] = set()
        self.due: list[tuple[float, int, Callable[[], None]]] = []
        self.order = itertools.count()
        self.counts: Counter[str] = Counter()
        self.moments: list[dict[str, Any]] = []
        self.addresses = ipaddress.ip_network(mix.network)
        self.begun = time.monotonic()

    def run(self) -> None:
        """Until standard input ends, or the time is over."""
        self._begin()
        self.selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        while time.monotonic() - self.begun < self.mix.seconds:
            now = time.monotonic()
            while self.due and self.due[0][0] <= now:
                heapq.heappop(self.due)[2]()
            pause = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            for key, _ in self.selector.select(pause):
                if key.data is not None:
                    self._ready(key.data)
                elif not self._asked():
                    return

    def _begin(self) -> None:
        arrivals = {
            "once": (self.mix.once, self._once),
            "visit": (self.mix.visits, self._visit),
            "download": (self.mix.downloads, self._download),
            "silent": (self.mix.silent, self._silent),
            "leaving": (self.mix.leaving, self._leaving),
        }
        for kind, (rate, script) in arrivals.items():
            if rate:
                self._arrivals(kind, 1 / rate, script, 0)
        for count, think in self.mix.returning:
            for turn in range(count):
                # Evenly spread over the first round, so that the rate is steady from the start.
                self._enter("returning", self._returning(think, (turn + self.random.random()) / count))
        for _ in range(self.mix.pollers):
            self._enter("poller", self._poller())
        self._watch()

    def _arrivals(self, kind: str, gap: float, script: Callable[[], Iterator[str | float | None]], turn: int) -> None:
        """One arrival in each ``gap``, at any time inside it."""
        wait = self.begun + (turn + self.random.random()) * gap - time.monotonic()

        def arrive() -> None:
            self._enter(kind, script())
            self._arrivals(kind, gap, script, turn + 1)

        self._after(wait, arrive)

    def _once(self) -> Iterator[str | float | None]:
        yield "/"
        yield None

    def _leaving(self) -> Iterator[str | float | None]:
        yield "/"
        yield self.random.uniform(*self.mix.patience)

    def _visit(self) -> Iterator[str | float | None]:
        for _ in range(self.random.randint(2, 5)):
            yield "/"
            yield self.random.uniform(1, 4)

    def _download(self) -> Iterator[str | float | None]:
        yield "/download"

    def _silent(self) -> Iterator[str | float | None]:
        yield ""
        yield None

    def _returning(self, think: float, share: float) -> Iterator[str | float | None]:
        yield think * share
        while True:
            yield "/"
            yield think * self.random.uniform(0.97, 1.03)

    def _poller(self) -> Iterator[str | float | None]:
        yield self.random.uniform(0, 20)
        while True:
            yield "/poll"
            yield self.random.uniform(*_ONE_ROUND_TRIP)

    def _enter(self, kind: str, script: Iterator[str | float | None]) -> None:
        host = self.random.randrange(1, self.addresses.num_addresses - 1)
        client = _Client(kind, str(self.addresses[host]), script)
        self.clients.add(client)
        assert len(self.clients) <= self.mix.most, "more clients than were meant to be there"
        self._next(client)

    def _next(self, client: _Client) -> None:
        """What the client's script says now; at its end the client closes and goes."""
        try:
            step = next(client.script)
        except StopIteration:
            self._close(client)
            self.clients.discard(client)
            return
        if isinstance(step, str):
            client.path, client.answered = step, None
            self._send(client) if client.connected else self._connect(client)
        elif step is not None:
            self._after(step, lambda: self._next(client))
        elif client.socket is None:
            self.clients.discard(client)

    def _connect(self, client: _Client) -> None:
        made = socket.socket()
        made.setblocking(False)  # noqa: FBT003 (the name of the argument is the method's)
        made.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        made.bind((client.source, 0))
        made.connect_ex((self.mix.host, self.mix.port))
        client.socket = made
        self.counts["opened"] += 1
        self.selector.register(made, selectors.EVENT_WRITE, client)

    def _send(self, client: _Client) -> None:
        assert client.socket is not None
        if not client.path:
            self._next(client)
            return
        client.answer.clear()
        try:
            client.socket.send(f"GET {client.path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        except OSError:
            self._closed(client)

    def _ready(self, client: _Client) -> None:
        if client.socket is None:
            return
        if not client.connected:
            if client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.counts["refused"] += 1
                self._closed(client)
                return
            client.connected = True
            self.selector.modify(client.socket, selectors.EVENT_READ, client)
            self._send(client)
            return
        try:
            data = client.socket.recv(1 << 16)
        except OSError:
            data = b""
        if data:
            self._received(client, data)
        else:
            self._closed(client)

    def _received(self, client: _Client, data: bytes) -> None:
        client.answer += data
        head, end, body = client.answer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(bytes(head)):
            return
        self.counts["answered" if head.startswith(b"HTTP/1.1 200 ") else "failed"] += 1
        client.path, client.answered = None, time.monotonic()
        client.answer.clear()
        self._next(client)

    def _closed(self, client: _Client) -> None:
        """The server closed: the next question needs a new connection, and one that is open is asked again."""
        asked = client.path
        self._close(client)
        if asked:
            self.counts["asked again"] += 1
            self._after(_EVERY, lambda: self._connect(client))
        elif client.kind in {"once", "silent"}:
            self.clients.discard(client)

    def _close(self, client: _Client) -> None:
        if client.socket is not None:
            self.selector.unregister(client.socket)
            client.socket.close()
        client.socket, client.connected, client.answered = None, False, None

    def _after(self, wait: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.due, (time.monotonic() + wait, next(self.order), what))

    def _watch(self) -> None:
        self.moments.append(self.moment())
        self._after(_EVERY, self._watch)

    def moment(self) -> dict[str, Any]:
        """What is held now: connections by kind, how many were idle for over 60 s, distinct addresses."""
        now = time.monotonic()
        held = [client for client in self.clients if client.connected]
        old = sum(client.answered is not None and now - client.answered > 60 for client in held)
        return {
            "time": now,
            "established": len(held),
            "idle_over_60": old,
            "clients": len({client.source for client in held}),
            "kinds": Counter(client.kind for client in held),
            "counts": self.counts.copy(),
        }

    def _asked(self) -> bool:
        if not os.read(sys.stdin.fileno(), 100):
            return False
        sys.stdout.write(json.dumps(self.moments) + "\n")
        sys.stdout.flush()
        self.moments = self.moments[-1:]
        return True


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


if __name__ == "__main__":
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    _Load(Mix(**json.loads(sys.argv[1]))).run()
