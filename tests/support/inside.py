"""Sockets of a namespace in the hands of the test itself: no helper process, no start-up time."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Netns

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
PATIENCE = 15.0
"""Seconds for an answer; it takes milliseconds on an idle machine."""


@contextlib.contextmanager
def inside(ns: Netns) -> Iterator[None]:
    """What this thread opens meanwhile belongs to the namespace, and goes on doing so (setns(2))."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{ns.name}") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def connect(ns: Netns, port: int, address: str = "127.0.0.1") -> socket.socket:
    """A TCP connection inside."""
    with inside(ns):
        return socket.create_connection((address, port), PATIENCE)


def secured(
    ns: Netns, port: int, name: str = "a", *, protocols: tuple[str, ...] = (), context: ssl.SSLContext | None = None
) -> ssl.SSLSocket:
    """A TLS connection inside that asks for a server by name; certificates are not checked."""
    context = context or trusting()
    if protocols:
        context.set_alpn_protocols([*protocols])
    return context.wrap_socket(connect(ns, port), server_hostname=name)


def trusting() -> ssl.SSLContext:
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(client: socket.socket, path: str = "/", host: str = "a", *more: str) -> tuple[str, bytes]:
    """One request on an open connection: the head and the body of its answer."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *more, "", ""]
    client.sendall("\r\n".join(lines).encode())
    return answer(client)


def answer(client: socket.socket) -> tuple[str, bytes]:
    """The next answer: its head and its body, which has a Content-Length or ends with the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(1 << 16)
        if not more:
            return data.decode(), b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    text = head.decode()
    length = next((int(line[15:]) for line in text.split("\r\n") if line.lower().startswith("content-length:")), None)
    while length is None or len(body) < length:
        more = client.recv(1 << 16)
        if not more:
            break
        body += more
    return text, body


def closed_after(client: socket.socket, limit: float) -> float | None:
    """Seconds until the other side closes, whatever it sends before; None if it has not within the limit."""
    begun = time.monotonic()
    while (left := begun + limit - time.monotonic()) > 0:
        client.settimeout(left)
        try:
            if not client.recv(1 << 16):
                return time.monotonic() - begun
        except TimeoutError:
            return None
        except ConnectionResetError:
            return time.monotonic() - begun
    return None
