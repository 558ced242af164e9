"""A backend on a unix socket inside the test's own process, and a client that asks nginx over another.

What a request gets is said by its path::

    /any/path           "ok", to be kept for a minute
    /late/SECONDS/...   the same, that much later
    /large/BYTES        so many bytes; when all of them were taken, `Origin.finished` counts one
    /dead/...           the request is read, then the connection is closed without an answer
    /patient/SECONDS    an answer, unless the asker hangs up before: then `Origin.left` counts one
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import select
import socket
import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

_PATIENCE = 20.0


class Origin(socketserver.ThreadingUnixStreamServer):
    """``seen`` holds method and path of every request, ``most`` how many were worked on at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(str(path), _Handler)
        self.lock = threading.Lock()
        self.seen: list[str] = []
        self.now = self.most = self.finished = self.left = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """An nginx that hangs up is no error here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Origin

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.seen.append(f"{self.command} {self.path}")
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        try:
            self._answer(*self.path.split("/")[1:3])
        finally:
            with self.server.lock:
                self.server.now -= 1

    do_POST = do_GET  # noqa: N815 (the standard library calls it so)

    def _answer(self, kind: str, number: str = "") -> None:
        if kind == "dead":
            self.close_connection = True
            return
        if kind == "late":
            time.sleep(float(number))
        if kind == "patient" and select.select([self.connection], [], [], float(number))[0]:
            self.server.left += 1
            return
        body = bytes(int(number)) if kind == "large" else b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=60")
        self.end_headers()
        self.wfile.write(body)
        self.server.finished += kind == "large"


@contextlib.contextmanager
def origin(path: pathlib.Path) -> Iterator[Origin]:
    """A backend that listens on a socket while the block runs."""
    with Origin(path) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Client(http.client.HTTPConnection):
    """A connection to nginx's socket; ``hello`` is sent before anything else, as a balancer does."""

    def __init__(self, path: pathlib.Path, hello: bytes = b"") -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self.path = path
        self.hello = hello

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_PATIENCE)
        self.sock.connect(str(self.path))
        self.sock.sendall(self.hello)


class Answer:
    """What came back: status, headers, body, and after how many seconds."""

    def __init__(
        self, path: pathlib.Path, uri: str, method: str = "GET", body: bytes = b"", hello: bytes = b""
    ) -> None:
        begun = time.monotonic()
        with contextlib.closing(Client(path, hello)) as client:
            client.request(method, uri, body or None, {"Connection": "close"})
            got = client.getresponse()
            self.status = got.status
            self.headers = got.headers
            self.body = got.read()
        self.seconds = time.monotonic() - begun


def ask_at_once(path: pathlib.Path, uri: str, count: int) -> list[Answer]:
    """The answers to so many requests side by side."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: Answer(path, uri), range(count)))


def asking(path: pathlib.Path, uri: str, length: int = 0) -> Client:
    """A client that has asked and reads nothing; with a length it has promised a body, and sent none of it."""
    client = Client(path)
    if length:
        client.putrequest("POST", uri)
        client.putheader("Content-Length", str(length))
        client.endheaders()
    else:
        client.request("GET", uri)
    return client


def stalled(path: pathlib.Path, uri: str) -> Client:
    """A client that takes the first byte of the answer only."""
    client = asking(path, uri)
    assert client.sock.recv(1)
    return client


def until(what: object, seconds: float = 5.0) -> bool:
    """Whether a condition came true in time."""
    assert callable(what)
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(what())
