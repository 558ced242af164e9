"""stub_status pages, from a server of our own; a real nginx's is in test_processes.py."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.collect import stub_status
from advisor.collect.stub_status import parse, read_stub_status
from advisor.errors import InputError
from advisor.snapshot.model import StubStatus

PAGE = (
    b"Active connections: 291 \nserver accepts handled requests\n 16630948 16630947 31070465 \n"
    b"Reading: 6 Writing: 179 Waiting: 106 \n"
)
NUMBERS = StubStatus(
    active=291, accepts=16630948, handled=16630947, requests=31070465, reading=6, writing=179, waiting=106
)


@contextlib.contextmanager
def server(answer: bytes, family: socket.AddressFamily = socket.AF_INET, pause: float = 0) -> Iterator[int]:
    """Gives one client one answer; with a pause, byte by byte."""
    listening = socket.create_server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), family=family)

    def serve() -> None:
        client, _ = listening.accept()
        with client, contextlib.suppress(OSError):
            client.recv(4096)
            for at in range(0, len(answer), 1 if pause else len(answer) or 1):
                client.sendall(answer[at : at + 1] if pause else answer)
                time.sleep(pause)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join(10)
        listening.close()


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body


def test_the_numbers_of_the_page() -> None:
    assert parse(PAGE, "x") == NUMBERS
    with server(ok(PAGE)) as port:
        assert read_stub_status(f"http://127.0.0.1:{port}/nginx_status?x=1") == NUMBERS
    with server(ok(PAGE), socket.AF_INET6) as port:
        assert read_stub_status(f"http://[::1]:{port}/") == NUMBERS


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n", "answers 302, not 200"),
        (b"", "answers no HTTP, not 200"),
        (ok(b"<html>"), "is no stub_status page"),
        (ok(PAGE + b"x"), "is no stub_status page"),
        (ok(PAGE.ljust(5000)), "more than 4096 bytes"),
    ],
)
def test_another_answer_is_one_clear_error(answer: bytes, message: str) -> None:
    with server(answer) as port, pytest.raises(InputError, match=message):
        read_stub_status(f"http://127.0.0.1:{port}/")


def test_a_slow_server_does_not_hold_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stub_status, "_TIMEOUT_S", 0.2)
    begin = time.monotonic()
    with server(ok(PAGE)[:60], pause=0.02) as port, pytest.raises(InputError, match="does not answer: "):
        read_stub_status(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - begin < 2


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with pytest.raises(InputError, match="does not answer: Connection refused"):
        read_stub_status(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://10.0.0.1/status", "only http to 127"),
        ("http://[2001:db8::1]/", "only http to 127"),
        ("https://127.0.0.1/", "only http to 127"),
        ("file:///etc/passwd", "write an address of the loopback"),
        ("http://user@127.0.0.1/", "only http to 127"),
        ("http://localhost/", "write an address of the loopback"),
        ("http://127.0.0.1.example.org/", "write an address of the loopback"),
        ("http://127.0.0.1:99999/", "write an address of the loopback"),
        ("http://127.0.0.1/a b", "characters that a request line can't"),
        ("http://127.0.0.1/\u00e9", "characters that a request line can't"),
        ("", "write an address of the loopback"),
    ],
)
def test_nothing_beyond_the_loopback_is_asked(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_stub_status(url)


@given(st.binary(max_size=300))
def test_no_page_crashes_it(body: bytes) -> None:
    with pytest.raises(InputError):
        parse(body, "x")
