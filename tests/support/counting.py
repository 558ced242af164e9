"""Run by tests inside a namespace: backends that count their connections, and clients that ask through nginx.

``counting.py ROLE ARGUMENT...``:

    serve PROTOCOL:ADDRESS:PORT...    http, fastcgi, uwsgi and scgi; each line read is answered by the counts, as JSON
    ask COUNT THREADS ADDRESS:PORT... so many requests to each, by so many clients at a time; the statuses, as JSON

Backends close a connection only where the request asks for it; for uwsgi and SCGI, which can't, they leave that to
nginx. All end with their standard input, and after `LONGEST` seconds by themselves.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import signal
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST = 120
_BEGIN, _END, _STDIN, _STDOUT = 1, 3, 5, 6
_RECORD = struct.Struct(">BBHHBB")
_PACKET = struct.Struct("<BHB")

COUNTS: collections.Counter[str] = collections.Counter()


def http_requests(stream: Any) -> None:
    """Until one asks for the end: HTTP/1.1 stays by default, HTTP/1.0 does not."""
    while line := stream.readline():
        headers = http.client.parse_headers(stream)
        said = headers.get("Connection", "").lower()
        stays = "close" not in said if b"HTTP/1.1" in line else "keep-alive" in said
        end = b"keep-alive" if stays else b"close"
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: " + end + b"\r\n\r\nok")
        stream.flush()
        if not stays:
            return


def fastcgi_requests(stream: Any) -> None:
    """Until one comes without FCGI_KEEP_CONN."""
    stays = True
    while stays and (head := stream.read(_RECORD.size)):
        _, kind, request, length, padding, _ = _RECORD.unpack(head)
        body = stream.read(length)
        stream.read(padding)
        if kind == _BEGIN:
            keeps = bool(body[2] & 1)
        elif kind == _STDIN and not length:
            answer = b"Content-Type: text/plain\r\n\r\nok"
            stream.write(_RECORD.pack(1, _STDOUT, request, len(answer), 0, 0) + answer)
            stream.write(_RECORD.pack(1, _END, request, 8, 0, 0) + bytes(8))
            stream.flush()
            stays = keeps


def uwsgi_requests(stream: Any) -> None:
    """As many as come."""
    while head := stream.read(_PACKET.size):
        stream.read(_PACKET.unpack(head)[1])
        answer(stream)


def scgi_requests(stream: Any) -> None:
    """As many as come."""
    while first := stream.read(1):
        digits = first
        while (digit := stream.read(1)) != b":":
            digits += digit
        stream.read(int(digits) + 1)
        answer(stream)


def answer(stream: Any) -> None:
    stream.write(b"Status: 200 OK\r\nContent-Length: 2\r\n\r\nok")
    stream.flush()


PROTOCOLS: dict[str, Callable[[Any], None]] = {
    "http": http_requests,
    "fastcgi": fastcgi_requests,
    "uwsgi": uwsgi_requests,
    "scgi": scgi_requests,
}


def one(client: socket.socket, protocol: str) -> None:
    with client, contextlib.suppress(OSError), client.makefile("rwb") as stream:
        PROTOCOLS[protocol](stream)


def backend(protocol: str, address: str, port: str) -> None:
    server = socket.create_server((address, int(port)), backlog=1024)
    while True:
        client = server.accept()[0]
        COUNTS[port] += 1
        threading.Thread(target=one, args=(client, protocol), daemon=True).start()


def serve(*backends: str) -> None:
    for text in backends:
        threading.Thread(target=backend, args=text.split(":"), daemon=True).start()
    say("ready")
    for _ in sys.stdin:
        say(json.dumps(COUNTS))


def ask(count: str, threads: str, *ends: str) -> None:
    answers: collections.Counter[str] = collections.Counter()

    def client(turns: Iterable[int]) -> None:
        for end in ends:
            address, _, port = end.rpartition(":")
            there = http.client.HTTPConnection(address, int(port), timeout=20)
            for _ in turns:
                there.request("GET", "/")
                with there.getresponse() as found:
                    found.read()
                    answers[f"{end} {found.status}"] += 1
            there.close()

    share = int(count) // int(threads)
    workers = [threading.Thread(target=client, args=(range(share),)) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    say(json.dumps(answers))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


ROLES: dict[str, Callable[..., None]] = {"serve": serve, "ask": ask}

if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    signal.alarm(LONGEST)
    ROLES[role](*arguments)
