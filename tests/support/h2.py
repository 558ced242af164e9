"""As much of an HTTP/2 client (RFC 9113) as it takes to ask for something and to see how the connection ends."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _SETTINGS, GOAWAY = 1, 4, 7
_END_STREAM, _END_HEADERS = 1, 4


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def begin(client: socket.socket) -> None:
    """The preface, with settings that change nothing."""
    client.sendall(_PREFACE + _frame(_SETTINGS, 0, 0))


def get(client: socket.socket, host: str, stream: int = 1, path: str = "/") -> list[int]:
    """Ask for a path: the kinds of the frames that came until the stream, or the connection, ended."""
    # Of HPACK's static table (RFC 7541): 2 is GET, 7 https, 4 the name :path, 1 the name :authority.
    block = bytes([0x82, 0x87, 0x44, len(path)]) + path.encode() + bytes([0x41, len(host)]) + host.encode()
    client.sendall(_frame(_HEADERS, _END_STREAM | _END_HEADERS, stream, block))
    kinds = []
    while (found := _next(client)) is not None:
        kind, flags, of = found
        kinds.append(kind)
        if of == stream and flags & _END_STREAM:
            break
    return kinds


def _next(client: socket.socket) -> tuple[int, int, int] | None:
    head = _exactly(client, 9)
    if head is None or _exactly(client, int.from_bytes(head[:3], "big")) is None:
        return None
    return head[3], head[4], int.from_bytes(head[5:], "big")


def _exactly(client: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            return None
        data += more
    return data
