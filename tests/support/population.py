"""Many TCP connections between two namespaces, for benches: made in seconds, and gone with the namespaces.

``population.py accept|connect ADDRESS PORT STAND HALF MORE FIRST [SOURCE]`` is one process of a side: it accepts, or
makes from an address of its own, ``STAND`` connections on which one request was answered, and closes ``HALF`` of its
ends: the other side holds them in CLOSE_WAIT. Told so by a line, it makes ``MORE`` and closes them, first if ``FIRST``
is 1: its end is then in TIME_WAIT. It ends after `LONGEST` seconds by itself.
"""

from __future__ import annotations

import contextlib
import math
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 420
PORT = 8000
EACH = 18_000
"""Descriptors of a process: the hard limit is 20,000 in some places."""
_SCRIPT = str(pathlib.Path(__file__).resolve())
_HELPERS = 8
"""Addresses of each side: so many destinations and clients."""
_BIND_LATE = 24
"""IP_BIND_ADDRESS_NO_PORT of ip(7): the port is chosen by connect(), so that many destinations may share it."""


class Population(NamedTuple):
    """The namespace that is looked at, and the ports it listens on."""

    inside: Any
    ports: frozenset[int]


@contextlib.contextmanager
def populated(sockets: int, time_wait: float) -> Iterator[Population]:
    """A namespace with so many sockets: two thirds came in, a twentieth of the standing ones is in CLOSE_WAIT.

    It has a hash table of its own, of the size of this host's, as a host has whose peers are elsewhere.

    Args:
        sockets: how many.
        time_wait: the part of them in TIME_WAIT, where they are for 60 s from now.
    """
    standing = int(sockets * (1 - time_wait))
    processes = max(3, math.ceil(standing / EACH))
    each, more = standing // processes, int(sockets * time_wait) // processes
    with _joined() as (web, crowd):
        begun: list[Any] = []
        for number in range(processes):
            begun += _connected(web, crowd, number, each, more)
        for one in begun:
            _hear(one, "stand")
        for one in begun:
            one.stdin.write("more\n")
            one.stdin.flush()
        for one in begun:
            _hear(one, "done")
        yield Population(web, frozenset(PORT + number for number in range(processes) if number % 3 < 2))


@contextlib.contextmanager
def _joined() -> Iterator[tuple[Any, Any]]:
    from support.inside import inside  # noqa: PLC0415 (the processes it starts run this file without them)
    from support.netns import Netns, ip  # noqa: PLC0415 (likewise)

    with contextlib.ExitStack() as stack:
        outer = Netns()
        stack.callback(outer.close)
        size = abs(int(pathlib.Path("/proc/sys/net/ipv4/tcp_ehash_entries").read_text("ascii")))
        outer.sysctl(net__ipv4__tcp_child_ehash_entries=str(size))
        with inside(outer):
            web = Netns()
        stack.callback(web.close)
        crowd = Netns()
        stack.callback(crowd.close)
        ip("link", "add", "veth0", "netns", web.name, "type", "veth", "peer", "name", "veth0", "netns", crowd.name)
        for net, ns in ((1, web), (2, crowd)):
            for number in range(_HELPERS):
                ns.run("ip", "addr", "add", f"10.9.{net}.{number + 1}/16", "dev", "veth0")
            ns.run("ip", "link", "set", "veth0", "up")
            ns.sysctl(net__ipv4__ip_local_port_range="10000 65000", net__ipv4__tcp_fin_timeout="5")
        yield web, crowd


def _connected(web: Any, crowd: Any, number: int, each: int, more: int) -> list[Any]:
    """One process on each side. The crowd's ends some, so that the web holds CLOSE_WAIT; of ``more``, the web does."""
    coming = number % 3 < 2
    server, client = (web, crowd) if coming else (crowd, web)
    here, there = f"10.9.{1 if coming else 2}.{number % _HELPERS + 1}", f"10.9.{2 if coming else 1}.{number % 5 + 1}"
    half = each // 20
    accepting = _start(server, "accept", here, PORT + number, each, 0 if coming else half, more, int(coming))
    _hear(accepting, "ready")
    numbers = (PORT + number, each, half if coming else 0, more, int(not coming))
    return [accepting, _start(client, "connect", here, *numbers, there)]


def _start(ns: Any, *argv: object) -> Any:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return ns.start(sys.executable, _SCRIPT, *map(str, argv), **pipes)


def _hear(process: Any, word: str) -> None:
    if process.stdout.readline() != f"{word}\n":
        raise SystemExit("the connections could not be made")


def accept(address: str, port: int, stand: int, half: int, more: int, *, first: bool) -> None:
    server = socket.create_server(("" if port % 2 else address, port), backlog=4096)  # some listen everywhere
    say("ready")
    kept = []
    for _ in range(stand):
        one = server.accept()[0]
        kept.append(one)
        one.recv(1)
        one.send(b"y")
    ended(kept, half)
    for _ in range(more):
        close(server.accept()[0], first=first)
    say("done")
    time.sleep(LONGEST)


def connect(address: str, port: int, stand: int, half: int, more: int, source: str, *, first: bool) -> None:
    def made() -> socket.socket:
        one = socket.socket()
        one.setsockopt(socket.IPPROTO_IP, _BIND_LATE, 1)
        one.bind((source, 0))
        one.connect((address, port))
        return one

    kept = []
    for _ in range(stand):
        one = made()
        kept.append(one)
        one.send(b"x")
        one.recv(1)
    ended(kept, half)
    for _ in range(more):
        close(made(), first=first)
    say("done")
    time.sleep(LONGEST)


def ended(kept: list[socket.socket], half: int) -> None:
    for _ in range(half):
        kept.pop().close()
    say("stand")
    sys.stdin.readline()


def close(one: socket.socket, *, first: bool) -> None:
    """Close now, or once the other side has."""
    if not first:
        one.recv(1)
    one.close()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.alarm(LONGEST)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    role, where, on, *counts = sys.argv[1:]
    stands, halves, mores, firsts = map(int, counts[:4])
    if role == "accept":
        accept(where, int(on), stands, halves, mores, first=bool(firsts))
    else:
        connect(where, int(on), stands, halves, mores, counts[4], first=bool(firsts))
