"""What a connection is called: how it opened and closed, the state each end was left in, and Zeek's word for it."""

from __future__ import annotations

from functools import lru_cache

from advisor.capture.connection import NONE, Connection, Note
from advisor.capture.segments import Endpoints, port
from advisor.capture.serial import ahead
from advisor.catalog.tcp import State, name

NOTES = {
    Note.MIDSTREAM: ("midstream", "no SYN without ACK was captured; a state with ? is assumed"),
    Note.GUESSED: ("client guessed", "who opened it was guessed from the ports, or from who spoke first"),
    Note.GAP: ("capture gap", "an end acknowledges, or goes on behind, bytes that the capture does not hold"),
    Note.SPLIT: ("simultaneous", "both ends sent a SYN without ACK"),
    Note.CROSSED: ("crossed", "both FINs were on their way at once; the first in the capture is named"),
    Note.REUSED: ("reused", "the same addresses and ports had an earlier connection in this capture"),
    Note.CUT_SHORT: ("cut short", "a RST came in TIME_WAIT; Linux with tcp_rfc1337=0 then drops it"),
    Note.CHALLENGED: (
        "challenged",
        "a RST inside the window was not obeyed, or a SYN got a bare ACK (RFC 5961)",
    ),
    Note.IGNORED: ("ignored", "a RST, or a SYN,ACK, with wrong numbers was dropped by its receiver"),
    Note.REORDERED: ("reordered", "the SYN stands behind its answer in the capture"),
    Note.LATE_DATA: ("late data", "new data came for an end that had sent its FIN"),
    Note.RACE: ("race", "the end that closed first answered late data with a RST: that request was lost"),
    Note.SUPERSEDED: ("superseded", "a new handshake between the same ports took its place"),
    Note.EARLY_DATA: ("early data", "the SYN carried data that the server took (TCP Fast Open)"),
}
"""Of each note what is said beside a connection, and what that means. `Note.REFUSED` is told by how it opened."""

ONE_WAY = ("one way", "only one end was captured; the other's state (?) is inferred from what it was sent")
"""The same for connections of which one end sent nothing, though it must have."""


def opened(one: Connection) -> str:
    """How it began: one word, or two.

    ``handshake``; ``simultaneous`` (both sent a SYN); ``refused`` (by a RST); ``unanswered`` (nothing came back);
    ``half-open`` (the SYN,ACK was never acknowledged); ``given up`` (the client reset its own attempt);
    ``incomplete`` (of the handshake's packets some are missing in the capture); ``midstream`` (all are).
    """
    client, server = _roles(one)
    if one.notes & Note.REFUSED:
        return "refused"
    if not one.syns[client]:
        return "incomplete" if one.syns[server] else "midstream"
    if one.notes & Note.SPLIT:
        return "simultaneous"
    if one.open_at != NONE:
        return "handshake" if one.syns[server] else "incomplete"
    if one.syns[server]:
        return "half-open" if one.acked[client] == NONE else "handshake"
    return "given up" if one.resetter == client else "unanswered"


def closed(one: Connection) -> str:
    """How it ended: ``FIN, FIN``, ``FIN`` (one end alone), ``FIN, RST``, ``RST``, or ``open``.

    A RST that was obeyed after both FINs leaves the third of these standing, for it left out TIME_WAIT.
    """
    fins = sum(number != NONE for number in one.fin)
    if one.resetter != NONE:
        return "FIN, RST" if fins else "RST"
    return ("open", "FIN", "FIN, FIN")[fins]


def first(one: Connection) -> str | None:
    """Who began to close: ``client`` or ``server``; None while open."""
    return None if one.closer == NONE else role(one, one.closer)


def role(one: Connection, end: int) -> str:
    """``client`` or ``server``."""
    return "client" if end == one.client else "server"


def state(number: int) -> str | None:
    """A state as RFC 9293 writes it, with the kernel's underscores; None for one that is not known."""
    if number == NONE:
        return None
    return "CLOSED" if number == State.CLOSE else name(number)


def states(one: Connection) -> tuple[str | None, str | None]:
    """The states that client and server are in; None for an end that never showed itself."""
    client, server = _roles(one)
    return state(one.state[client]), state(one.state[server])


def inferred(one: Connection) -> tuple[bool, bool]:
    """Whether the states of client and server are assumed: midstream, or of an end that was not captured."""
    client, server = _roles(one)
    return _inferred(one, client), _inferred(one, server)


def _inferred(one: Connection, end: int) -> bool:
    if one.state[end] == NONE:
        return False
    return not one.packets[end] or bool(one.notes & Note.MIDSTREAM and one.state[end] == State.ESTABLISHED)


def one_way(one: Connection) -> bool:
    """Whether only one end was captured, though the other must have sent something."""
    return any(not one.packets[end] and one.state[end] != NONE for end in (0, 1))


def noted(one: Connection) -> list[tuple[str, str]]:
    """What is out of the ordinary or inferred: each with what that means."""
    return [*_noted(int(one.notes)), *([ONE_WAY] if one_way(one) else [])]


@lru_cache(maxsize=256)
def _noted(notes: int) -> tuple[tuple[str, str], ...]:
    """Of many connections few differ in this, and looking at each note takes its time."""
    return tuple(words for note, words in NOTES.items() if notes & note)


def conn_state(one: Connection) -> str:
    """Zeek's word (its documentation of ``Conn::Info``, field conn_state).

    A connection without any SYN counts as such only where both ends closed (SF); else it is OTH. A RST that its
    receiver did not obey does not count.
    """
    client, server = _roles(one)
    asked, answered = one.syns[client] > 0, one.syns[server] > 0
    both = all(number != NONE for number in one.fin)
    if one.resetter != NONE and not (both and one.notes & Note.CUT_SHORT):
        return _reset(one, client, asked=asked, answered=answered)
    if both:
        return "SF"
    if one.fin[client] != NONE:
        return "S2" if answered else "SH" if asked else "OTH"
    if one.fin[server] != NONE:
        return "S3" if asked else "SHR" if answered else "OTH"
    if asked and answered:
        return "S1"
    return "S0" if asked and not one.packets[server] and _silent(one, client) else "OTH"


def _reset(one: Connection, client: int, *, asked: bool, answered: bool) -> str:
    if one.resetter == client:
        if answered:
            return "RSTO"
        return "RSTOS0" if asked and _silent(one, client) else "OTH"
    if one.notes & Note.REFUSED:
        return "REJ"
    return "RSTR" if asked else "RSTRH" if answered else "OTH"


def _silent(one: Connection, end: int) -> bool:
    """Whether all that this end sent is a SYN, or a RST after it."""
    return one.fin[end] == NONE and one.end[end] == ahead(one.isn[end], 1)


def _roles(one: Connection) -> tuple[int, int]:
    return one.client, 1 - one.client


def place(endpoints: Endpoints, endpoint: int) -> str:
    """Address and port: ``192.0.2.1:80``, ``[2001:db8::1]:80``."""
    text = address(endpoints.address(endpoint))
    return f"[{text}]:{port(endpoint)}" if ":" in text else f"{text}:{port(endpoint)}"


def address(octets: bytes) -> str:
    """An address of 4 or 16 bytes as text (RFC 5952)."""
    if len(octets) == 4:  # noqa: PLR2004 (bytes of an IPv4 address)
        return ".".join(map(str, octets))
    from ipaddress import IPv6Address  # noqa: PLC0415 (4 ms, which captures of IPv4 need not wait for)

    return str(IPv6Address(octets))
