"""Connections that go through every state, between two hosts with a wire between them that tests can reach."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from advisor.capture.segments import ACK, FIN, RST, SYN
from support.inside import ask, connect, inside
from support.netns import Netns, pair
from support.wire_peer import WirePeer

CLIENT, SERVER, NOBODY, WIRE = "10.9.0.1", "10.9.0.2", "10.9.0.77", "10.9.0.66"
SEQ = 1_000
RESET = struct.pack("ii", 1, 0)


class World(NamedTuple):
    """Two hosts, and the wire between them."""

    client: Netns
    server: Netns
    interface: str
    hardware: tuple[bytes, bytes]
    held: contextlib.ExitStack
    """Sockets that stay open until nobody looks any more: a close that sends nothing is not seen on the wire."""

    def met(self, on: int) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new connection."""
        listener = self.listening(on)
        ours = connect(self.client, on, SERVER)
        return ours, listener.accept()[0]

    def listening(self, on: int) -> socket.socket:
        with inside(self.server):
            return self.held.enter_context(socket.create_server((SERVER, on)))

    def trying(self, on: int, address: str = SERVER) -> socket.socket:
        """A connection that has been asked for."""
        return self.opening(self.client, (address, on))

    def opening(self, ns: Netns, there: tuple[str, int], here: tuple[str, int] = ("", 0)) -> socket.socket:
        with inside(ns):
            one = self.held.enter_context(socket.socket())
        one.setblocking(False)  # noqa: FBT003 (the name of the argument is the method's)
        one.bind(here)
        one.connect_ex(there)
        return one

    def lose(self, ns: Netns, *which: str) -> None:
        """From now on a host's own segments get lost before they are on the wire, and so in the capture."""
        ns.run("nft", "add", "rule", "inet", "lost", "out", "tcp", *which, "drop")

    def wire(self, on: int) -> WirePeer:
        peer = WirePeer(self.client, self.interface, (WIRE, on), (SERVER, on), self.hardware)
        return self.held.enter_context(contextlib.closing(peer))


Scenario = Callable[[World], Iterator[None]]
BARE_ACK = ("tcp", "flags", "&", "(syn|ack|fin|rst|psh)", "==", "ack")


def closed_by_client(world: World) -> Iterator[None]:
    ours, theirs = world.met(9001)
    yield
    ours.send(b"question")
    yield
    theirs.send(b"answer to " + theirs.recv(99))
    yield
    ours.shutdown(socket.SHUT_WR)
    yield
    theirs.send(b"more")
    yield
    theirs.close()
    yield
    ours.close()


def closed_by_server(world: World) -> Iterator[None]:
    ours, theirs = world.met(9002)
    yield
    theirs.close()
    yield
    yield
    ours.close()
    yield


def fin_not_acknowledged(world: World) -> Iterator[None]:
    ours, theirs = world.met(9003)
    yield
    world.lose(world.server, "sport", "9003", *BARE_ACK)
    ours.shutdown(socket.SHUT_WR)
    for _ in range(5):
        yield
    theirs.close()
    ours.close()


def last_ack_lost(world: World) -> Iterator[None]:
    ours, theirs = world.met(9004)
    ours.close()
    yield
    world.lose(world.client, "dport", "9004")
    theirs.close()
    for _ in range(4):
        yield


def handshake_ack_lost(world: World) -> Iterator[None]:
    world.lose(world.client, "dport", "9005", *BARE_ACK)
    world.listening(9005)
    world.trying(9005)
    yield


def answer_lost(world: World) -> Iterator[None]:
    world.lose(world.server, "sport", "9006")
    world.listening(9006)
    world.trying(9006)
    yield


def nobody_there(world: World) -> Iterator[None]:
    world.trying(9007, NOBODY)
    yield


def refused(world: World) -> Iterator[None]:
    world.trying(9008)
    yield


def reset_by_client(world: World) -> Iterator[None]:
    ours, theirs = world.met(9009)
    yield
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    ours.close()
    yield
    theirs.close()


def reset_for_unread_data(world: World) -> Iterator[None]:
    ours, theirs = world.met(9010)
    ours.send(b"never read")
    yield
    theirs.close()
    yield
    ours.close()


def crossed(world: World) -> Iterator[None]:
    """The kernel's FIN and ours are on their way at once; later a RST ends its TIME_WAIT."""
    wire, listener = world.wire(9011), world.listening(9011)
    wire.send(SYN, SEQ)
    yield
    _, seq, _ = wire.heard()
    wire.send(ACK, SEQ + 1, seq + 1)
    yield
    listener.accept()[0].close()
    yield
    wire.send(FIN | ACK, SEQ + 1, seq + 1)
    yield
    wire.send(ACK, SEQ + 2, seq + 2)
    yield
    wire.send(RST, SEQ + 2)
    yield


def wrong_resets(world: World) -> Iterator[None]:
    """One outside of the window, one inside of it, and the right one."""
    wire, listener = world.wire(9012), world.listening(9012)
    wire.send(SYN, SEQ)
    yield
    _, seq, _ = wire.heard()
    wire.send(ACK, SEQ + 1, seq + 1)
    world.held.enter_context(listener.accept()[0])
    for number in (SEQ - 9_999, SEQ + 99, SEQ + 1):
        yield
        wire.send(RST, number)
    yield


def both_open(world: World) -> Iterator[None]:
    """Simultaneous open (RFC 9293, figure 7)."""
    wire = world.wire(9013)
    one = world.opening(world.server, (WIRE, 9013), (SERVER, 9013))
    yield
    _, seq, _ = wire.heard()
    wire.send(SYN, SEQ)
    yield
    wire.send(SYN | ACK, SEQ, seq + 1)
    yield
    wire.send(ACK, SEQ + 1, seq + 1)
    yield
    one.close()
    yield


def fin_before_data(world: World) -> Iterator[None]:
    """A FIN that is there before the data in front of it."""
    wire, listener = world.wire(9014), world.listening(9014)
    wire.send(SYN, SEQ)
    yield
    _, seq, _ = wire.heard()
    wire.send(ACK, SEQ + 1, seq + 1)
    world.held.enter_context(listener.accept()[0])
    yield
    wire.send(FIN | ACK, SEQ + 5, seq + 1)
    yield
    wire.send(ACK, SEQ + 1, seq + 1, b"data")
    yield


def kept_by_client(world: World) -> Iterator[None]:
    """nginx closes an idle connection; its client does not notice for a while."""
    ours = connect(world.client, 8080, SERVER)
    ask(ours)
    for _ in range(10):
        yield
    ours.close()
    yield


def curl(world: World) -> Iterator[None]:
    assert world.client.run("curl", "-s", f"http://{SERVER}:8080/").stdout == "ok"
    yield


SCENARIOS: tuple[Scenario, ...] = (
    closed_by_client,
    closed_by_server,
    fin_not_acknowledged,
    last_ack_lost,
    handshake_ack_lost,
    answer_lost,
    nobody_there,
    refused,
    reset_by_client,
    reset_for_unread_data,
    crossed,
    wrong_resets,
    both_open,
    fin_before_data,
    kept_by_client,
    curl,
)


@contextlib.contextmanager
def hosts() -> Iterator[World]:
    with pair(CLIENT, SERVER) as (client, server), contextlib.ExitStack() as held:
        interface, other = (
            next(
                line.split()[1].split("@")[0]
                for line in ns.run("ip", "-o", "link").stdout.splitlines()
                if ": v" in line
            )
            for ns in (client, server)
        )
        ours, theirs = (
            ns.run("cat", f"/sys/class/net/{name}/address").stdout.strip()
            for ns, name in ((client, interface), (server, other))
        )
        client.run("ip", "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:77", "dev", interface)
        server.run("ip", "neigh", "add", WIRE, "lladdr", ours, "dev", other)
        for ns in (client, server):
            ns.run("nft", "add table inet lost; add chain inet lost out { type filter hook output priority 0; }")
        yield World(
            client, server, interface, tuple(bytes.fromhex(one.replace(":", "")) for one in (theirs, ours)), held
        )
