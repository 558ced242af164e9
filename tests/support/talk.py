"""What two endpoints say to each other, written short, and the connections that it makes."""

from __future__ import annotations

from typing import NamedTuple

from advisor.capture.connection import Connection
from advisor.capture.ladder import Ladder
from advisor.capture.machine import Conversation
from advisor.capture.segments import ACK, FIN, PSH, SYN, Endpoints, Segment
from support.packets import ether, tcp

CLIENT, SERVER = ("192.0.2.1", 40000), ("198.51.100.1", 80)
C, S = 1000, 5000
"""The initial sequence numbers of client and server."""
MS = 1_000_000


class P(NamedTuple):
    """A packet: ``>`` from the client or ``<`` from the server; numbers count from the initial ones in ``base``.

    ``after`` is the time since the packet before, in milliseconds.
    """

    way: str
    flags: int
    seq: int = 0
    ack: int = 0
    length: int = 0
    base: tuple[int, int] = (C, S)
    window: int = 64240
    after: float = 1


SYN_, SYN_ACK, ACK_ = P(">", SYN), P("<", SYN | ACK, 0, 1), P(">", ACK, 1, 1)
HANDSHAKE = [SYN_, SYN_ACK, ACK_]
ASK, ANSWER = P(">", ACK | PSH, 1, 1, 10), P("<", ACK | PSH, 1, 11, 20)
BEGUN = [*HANDSHAKE, ASK, ANSWER]
SERVER_CLOSES = [P("<", ACK | FIN, 21, 11), P(">", ACK, 11, 22), P(">", ACK | FIN, 11, 22), P("<", ACK, 22, 12)]
CLIENT_CLOSES = [P(">", ACK | FIN, 11, 21), P("<", ACK, 21, 12), P("<", ACK | FIN, 21, 12), P(">", ACK, 12, 22)]


def endpoint(ends: Endpoints, address: tuple[str, int]) -> int:
    """The number of an IPv4 address and port."""
    return ends.number(bytes(map(int, address[0].split(".")))) | address[1]


def segments(packets: list[P], client: int, server: int, begin: int = 0) -> list[Segment]:
    """The packets as segments; the first at ``begin``, in nanoseconds."""
    found, time = [], begin
    for frame, packet in enumerate(packets, 1):
        time += round(packet.after * MS) if frame > 1 else 0
        mine, other = packet.base if packet.way == ">" else packet.base[::-1]
        ends = (client, server) if packet.way == ">" else (server, client)
        ack = (other + packet.ack) % 2**32 if packet.flags & ACK else 0
        seq = (mine + packet.seq) % 2**32
        found.append(Segment(frame, time, *ends, seq, ack, packet.flags, packet.window, packet.length))
    return found


def connections(
    packets: list[P], client: tuple[str, int] = CLIENT, server: tuple[str, int] = SERVER
) -> list[Connection]:
    """The connections that some packets make, numbered in the order of their beginning."""
    ends = Endpoints()
    near, far = endpoint(ends, client), endpoint(ends, server)
    found: list[Connection] = []
    talk = Conversation((min(near, far), max(near, far)), found.append)
    last = 0
    for segment in segments(packets, near, far):
        talk.step(segment)
        last = segment.time
    talk.finish(last)
    found.sort(key=lambda one: one.frame)
    for number, one in enumerate(found, 1):
        one.number = number
    return found


def ladder(packets: list[P], most: int | None = None, server: tuple[str, int] = SERVER) -> Ladder:
    """The ladder of the one connection that some packets make."""
    ends = Endpoints()
    near, far = endpoint(ends, CLIENT), endpoint(ends, server)
    found = Ladder(most)
    talk = Conversation((min(near, far), max(near, far)), lambda _: None)
    for segment in segments(packets, near, far):
        found.add(talk.step(segment), segment)
    talk.finish(0)
    return found


def frames(
    packets: list[P], client: tuple[str, int] = CLIENT, server: tuple[str, int] = SERVER, begin: int = 0
) -> list[tuple[int, bytes]]:
    """The packets as Ethernet frames, each with its time in nanoseconds since ``begin``."""
    found = []
    for one in segments(packets, 0, 1, begin):
        ends = (client, server) if one.source == 0 else (server, client)
        packet = tcp(
            *ends, one.flags, seq=one.seq, ack=one.ack, payload=bytes(one.length), window=one.window, ident=one.frame
        )
        found.append((one.time, ether(packet)))
    return found
