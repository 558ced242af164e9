"""Lines of nginx's error log, and what could be taken for one."""

from __future__ import annotations

import datetime as dt

import pytest

from advisor.formats.errorlog import KINDS, parse

AT = "2026/11/22 19:00:00"
SECONDS = int(dt.datetime(2026, 11, 22, 19, tzinfo=dt.UTC).timestamp())
REQUEST = ', client: 192.0.2.9, server: a, request: "GET /secret HTTP/1.1"'


def line(message: str, at: str = AT, level: str = "error") -> str:
    return f"{at} [{level}] 7#7: {message}\n"


def found(*lines: str) -> dict[tuple[str, str | None], int]:
    return {key: len(times) for key, times in parse("".join(lines).encode()).found.items()}


ONE_OF_EACH = [
    ("64 worker_connections are not enough, reusing connections", "connections_reused", None),
    ("64 worker_connections are not enough", "connections_exhausted", None),
    (
        f'*9 64 worker_connections are not enough while connecting to upstream{REQUEST}, upstream: "http://10.0.0.5:80/x"',
        "connections_exhausted",
        None,
    ),
    ("accept4() failed (24: Too many open files)", "too_many_files", None),
    ('*1 open() "/srv/a" failed (24: Too many open files)' + REQUEST, "too_many_files", None),
    (
        (
            "*1 connect() to 10.0.0.5:80 failed (99: Cannot assign requested address) while connecting to upstream"
            f'{REQUEST}, upstream: "http://10.0.0.5:80/secret"'
        ),
        "ports_exhausted",
        "10.0.0.5:80",
    ),
    (
        (
            "*1 connect() to unix:/a.sock failed (11: Resource temporarily unavailable) while connecting to upstream"
            f'{REQUEST}, upstream: "fastcgi://unix:/a.sock:"'
        ),
        "queue_full",
        "unix:/a.sock",
    ),
    (
        f'*1 connect() failed (111: Connection refused) while connecting to upstream{REQUEST}, upstream: "http://[::1]:9/x"',
        "refused",
        "[::1]:9",
    ),
    (
        (
            "*1 upstream timed out (110: Connection timed out) while connecting to upstream"
            f'{REQUEST}, upstream: "grpcs://10.0.0.5:443", host: "a"'
        ),
        "timed_out_connecting",
        "10.0.0.5:443",
    ),
    (
        (
            "*1 upstream timed out (110: Connection timed out) while reading response header from upstream"
            f'{REQUEST}, upstream: "fastcgi://unix:/run/php/fpm.sock:", host: "a"'
        ),
        "timed_out_reading",
        "unix:/run/php/fpm.sock",
    ),
    (
        (
            "*1 upstream prematurely closed connection while reading response header from upstream"
            f'{REQUEST}, upstream: "http://10.0.0.5:80/x"'
        ),
        "closed_early",
        "10.0.0.5:80",
    ),
    (
        (
            "*1 recv() failed (104: Connection reset by peer) while reading response header from upstream"
            f'{REQUEST}, upstream: "http://10.0.0.5:80/x"'
        ),
        "closed_early",
        "10.0.0.5:80",
    ),
    (
        f'*1 no live upstreams while connecting to upstream{REQUEST}, upstream: "http://backend/x"',
        "none_live",
        "backend",
    ),
    (
        (
            "*1 upstream sent too big header while reading response header from upstream"
            f'{REQUEST}, upstream: "http://10.0.0.5:80/x"'
        ),
        "header_too_big",
        "10.0.0.5:80",
    ),
    (
        (
            "*1 an upstream response is buffered to a temporary file /var/lib/nginx/proxy/1 while reading "
            f'upstream{REQUEST}, upstream: "http://10.0.0.5:80/x"'
        ),
        "responses_buffered",
        "10.0.0.5:80",
    ),
    (
        f"*1 a client request body is buffered to a temporary file /var/lib/nginx/body/0000000001{REQUEST}",
        "requests_buffered",
        None,
    ),
    ("worker process 12 exited on signal 11 (core dumped)", "crashed", "signal 11"),
]


@pytest.mark.parametrize(("message", "kind", "about"), ONE_OF_EACH)
def test_each_kind(message: str, kind: str, about: str | None) -> None:
    assert found(line(message)) == {(kind, about): 1}


def test_no_kind_is_untested() -> None:
    assert {kind for _, kind, _ in ONE_OF_EACH} == {*KINDS}


@pytest.mark.parametrize(
    "text",
    [
        line("64 worker_connections are not enough for 65 listening sockets", level="emerg"),
        line("*1 recv() failed (104: Connection reset by peer) while reading client request line" + REQUEST),
        line('*1 open() "/srv/x" failed (2: No such file or directory)' + REQUEST),
        line('using the "epoll" event method', level="notice"),
        # What a client asks for is no message.
        line('*1 open() failed (2: No such file or directory), client: 192.0.2.9, request: "GET /(24: HTTP/1.1"'),
        line("64 worker_connections are not enough", at="2026/13/45 19:00:00"),
        "no live upstreams\n",
        "PHP message: (24: Too many open files)\n",
        "",
        "\0\0\0",
    ],
)
def test_what_is_none(text: str) -> None:
    assert found(text) == {}


def test_a_client_cannot_blame_another_backend() -> None:
    refused = "*1 connect() failed (111: Connection refused) while connecting to upstream"
    lie = 'request: "GET /, upstream: "http://10.6.6.6:80/ HTTP/1.1"'
    truth = ', upstream: "http://10.0.0.5:80/"'
    assert found(line(f"{refused}, client: 192.0.2.9, {lie}{truth}")) == {("refused", None): 1}
    referrer = ', host: "a", referrer: "x", upstream: "http://10.6.6.6:80/"'
    assert found(line(f"{refused}, client: 192.0.2.9, server: a{truth}{referrer}")) == {("refused", None): 1}


def test_nothing_of_a_client_is_kept() -> None:
    said = str(parse("".join(line(message) for message, _, _ in ONE_OF_EACH).encode()).found)
    assert "192.0.2.9" not in said
    assert "secret" not in said


def test_times_and_the_last_line() -> None:
    exhausted = "1 worker_connections are not enough"
    text = line(exhausted) + line(exhausted, "2026/11/22 19:00:05") + line("something else", "2026/11/22 19:01:00")
    tail = parse(text.encode())
    assert tail.found == {("connections_exhausted", None): [SECONDS, SECONDS + 5]}
    assert tail.last == SECONDS + 60
    assert parse(b"").last is None


def test_what_is_told_apart_is_bounded() -> None:
    refused = "*1 connect() failed (111: Connection refused) while connecting to upstream, client: a"
    lines = [line(f'{refused}, upstream: "http://10.0.{n // 250}.{n % 250}:80/"') for n in range(1000)]
    counts = found(*lines)
    assert sum(counts.values()) == 1000
    assert len(counts) <= 201
    assert counts["refused", None] > 700
