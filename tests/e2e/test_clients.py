"""What rules claim of nginx and its clients, seen on a real nginx, the old and the new."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest
from support import h2
from support.audited import certificate, failing
from support.inside import answer, ask, closed_after, connect, secured
from support.nginx import newer_only, running

if TYPE_CHECKING:
    import pathlib

    from support.netns import Netns

SOON, LATE = 0.5, 1.4
"""Seconds: before a timeout of one second, and after it."""

PAGE = "location / {\n  return 200 a;\n }\n"
"""nginx looks at how long a connection may last only once it has found the request's location."""

pytestmark = pytest.mark.real("nginx", "openssl")


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate and its key, as directives."""
    return certificate(tmp_path_factory.mktemp("tls"))


def test_a_header_that_is_inherited_promises_too_much(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = "keepalive_timeout 75s 9;\nserver {\n listen 127.0.0.1:80;\n keepalive_timeout 1s;\n return 200 a;\n}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx, connect(netns, 80) as client:
        head, _ = ask(client)
        assert "\r\nKeep-Alive: timeout=9" in head
        closed = closed_after(client, 9)
        assert closed is not None
        assert SOON < closed < LATE
        assert failing(nginx, "keepalive-header-too-long") == ["server 127.0.0.1:80"]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("keepalive_timeout 0;", "keepalive-timeout-short"),
        ("keepalive_requests 1;", "keepalive-requests-few"),
        ("keepalive_requests 0;", "keepalive-requests-few"),
    ],
)
def test_a_connection_for_each_request(
    netns: Netns, tmp_path: pathlib.Path, binary: str, line: str, rule: str, tls: str
) -> None:
    http = f"{line}\nserver {{\n listen 127.0.0.1:80;\n listen 127.0.0.1:443 ssl http2;\n{tls} {PAGE}}}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx:
        with connect(netns, 80) as client:
            assert "\r\nConnection: close" in ask(client)[0]
            assert closed_after(client, 5) is not None
        with secured(netns, 443, protocols=("h2",)) as client:
            h2.begin(client)
            assert h2.GOAWAY in h2.get(client, "a")
        assert failing(nginx, rule) == ["http"]


def test_a_connection_past_its_time_serves_one_request_more(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = f"keepalive_time 300ms;\nserver {{\n listen 127.0.0.1:80;\n {PAGE}}}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx, connect(netns, 80) as client:
        assert "\r\nConnection: keep-alive" in ask(client)[0]
        time.sleep(SOON)
        assert "\r\nConnection: close" in ask(client)[0]
        assert failing(nginx, "keepalive-time-short") == ["http"]


@newer_only
@pytest.mark.parametrize(("least", "all_served"), [("0", True), ("20s", False)])
def test_what_is_never_idle_is_never_evicted(
    netns: Netns,
    tmp_path: pathlib.Path,
    binary: str,
    least: str,
    all_served: bool,  # noqa: FBT001 (a column)
) -> None:
    http = (
        f"keepalive_timeout 20s;\nkeepalive_min_timeout {least};\n"
        "server {\n listen 127.0.0.1:80;\n return 200 a;\n}\n"
    )
    with running(netns, tmp_path, http, connections=16, binary=binary) as nginx, contextlib.ExitStack() as held:
        answers = [_served(held.enter_context(connect(netns, 80))) for _ in range(24)]
        assert all(answers) is all_served, answers
        assert bool(failing(nginx, "keepalive-never-evicted")) is not all_served


def _served(client: socket.socket) -> bool:
    client.settimeout(SOON)
    try:
        return " 200 " in ask(client)[0]
    except OSError:
        return False


def test_a_location_s_timeout_is_not_for_http2(netns: Netns, tmp_path: pathlib.Path, binary: str, tls: str) -> None:
    http = (
        f"server {{\n listen 127.0.0.1:443 ssl http2;\n{tls} keepalive_timeout 1s;\n"
        " location / {\n  keepalive_timeout 30s;\n  return 200 a;\n }\n}\n"
    )
    with running(netns, tmp_path, http, binary=binary) as nginx:
        with secured(netns, 443, protocols=("h2",)) as two, secured(netns, 443) as one:
            h2.begin(two)
            h2.get(two, "a")
            ask(one)
            assert closed_after(two, 5 * LATE) is not None
            assert closed_after(one, LATE) is None
        assert failing(nginx, "keepalive-in-location-ignored") == [
            "keepalive_timeout in location / of server 127.0.0.1:443"
        ]


def test_the_default_server_reads_headers(netns: Netns, tmp_path: pathlib.Path, binary: str, tls: str) -> None:
    http = (
        f"{tls}client_header_timeout 1s;\nlarge_client_header_buffers 4 1k;\n"
        "server {\n listen 127.0.0.1:80;\n listen 127.0.0.1:443 ssl;\n return 200 a;\n}\n"
        "server {\n listen 127.0.0.1:80;\n listen 127.0.0.1:443 ssl;\n server_name b;\n"
        " client_header_timeout 30s;\n large_client_header_buffers 4 32k;\n return 200 b;\n}\n"
    )
    half = b"GET / HTTP/1.1\r\nHost: b\r\n"
    with running(netns, tmp_path, http, binary=binary) as nginx:
        with connect(netns, 80) as plain, secured(netns, 443, "b") as encrypted:
            plain.sendall(half)
            encrypted.sendall(half)
            for client in (plain, encrypted):
                assert closed_after(client, 5 * LATE) is not None
        with connect(netns, 80) as plain, secured(netns, 443, "b") as encrypted:
            long = "/" + "x" * 8000
            assert " 414 " in ask(plain, long, "b")[0]
            assert " 200 " in ask(encrypted, long, "b")[0]
        names = ("client_header_timeout", "large_client_header_buffers")
        assert failing(nginx, "header-settings-ignored") == [f"{name} in server b" for name in names]


@pytest.mark.parametrize("lingers", [True, False])
def test_without_lingering_a_client_that_sends_is_reset(
    netns: Netns,
    tmp_path: pathlib.Path,
    binary: str,
    lingers: bool,  # noqa: FBT001 (a column)
) -> None:
    """An upload in chunks that turns out too large: nginx answers in the midst of it."""
    line = "" if lingers else "lingering_close off;\n"
    http = (
        f"{line}server {{\n listen 127.0.0.1:80;\n client_max_body_size 1k;\n"
        " location / {\n  proxy_pass http://127.0.0.1:81;\n }\n}\n"
    )
    with running(netns, tmp_path, http, binary=binary) as nginx, connect(netns, 80) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n")
        outcome = "sent"
        try:
            for _ in range(20):
                client.sendall(bytes(50_000))
                time.sleep(0.005)
        except OSError:
            outcome = "reset"
        assert outcome == ("sent" if lingers else "reset")
        if lingers:
            assert " 413 " in answer(client)[0]
        assert bool(failing(nginx, "lingering-close-off")) is not lingers
