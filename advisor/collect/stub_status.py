"""What nginx's ngx_http_stub_status_module says, asked for over the loopback only."""

from __future__ import annotations

import re
import socket
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

from advisor.errors import InputError
from advisor.snapshot.model import StubStatus

_TIMEOUT_S = 2.0
_LARGEST = 4096
"""Bytes of an answer; nginx's has about 300."""
_TARGET = re.compile(r"/[!-~]{0,1000}")

_PAGE = re.compile(
    rb"Active connections: (?P<active>\d{1,18}) \n"
    rb"server accepts handled requests\n"
    rb" (?P<accepts>\d{1,18}) (?P<handled>\d{1,18}) (?P<requests>\d{1,18}) \n"
    rb"Reading: (?P<reading>\d{1,18}) Writing: (?P<writing>\d{1,18}) Waiting: (?P<waiting>\d{1,18}) \n"
)


def read_stub_status(url: str) -> StubStatus:
    """Ask once: no proxy, no redirect, at most 2 s and 4 KiB.

    Args:
        url: ``http://127.0.0.1/nginx_status``; an address of 127.0.0.0/8 or ::1, never a name.

    Raises:
        InputError: when the URL is no such address, nginx does not answer, or the answer is another page.
    """
    address, port, target, authority = _parts(url)
    request = f"GET {target} HTTP/1.0\r\nHost: {authority}\r\nUser-Agent: advisor\r\n\r\n"
    try:
        answer = _exchange(address, port, request.encode("ascii"))
    except OSError as error:
        raise InputError(f"{url} does not answer: {error.strerror or error}") from None
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split()[1:2]
    if status != [b"200"]:
        said = (status or [b"no HTTP"])[0].decode("ascii", "backslashreplace")
        raise InputError(f"{url} answers {said}, not 200: name a location with 'stub_status;' that allows this host")
    return parse(body, url)


def parse(body: bytes, name: str) -> StubStatus:
    """The numbers of a page.

    Raises:
        InputError: when it is not exactly what nginx writes.
    """
    found = _PAGE.fullmatch(body)
    if found is None:
        raise InputError(f"{name} is no stub_status page: name a location with 'stub_status;'")
    return StubStatus(**{field: int(value) for field, value in found.groupdict().items()})


def _parts(url: str) -> tuple[str, int, str, str]:
    try:
        split = urlsplit(url)
        address, port = ip_address(split.hostname or ""), split.port or 80
    except ValueError:
        raise InputError(f"{url}: write an address of the loopback, for example http://127.0.0.1/status") from None
    if split.scheme != "http" or not address.is_loopback or split.username is not None:
        raise InputError(f"{url}: only http to 127.0.0.0/8 or [::1] is asked, nothing beyond this host")
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    if not _TARGET.fullmatch(target):
        raise InputError(f"{url}: the path holds characters that a request line can't")
    return str(address), port, target, split.netloc


def _exchange(address: str, port: int, request: bytes) -> bytes:
    end = time.monotonic() + _TIMEOUT_S
    answer = b""
    with socket.create_connection((address, port), _TIMEOUT_S) as server:
        server.sendall(request)
        while len(answer) <= _LARGEST:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no whole answer within {_TIMEOUT_S:.0f} s")
            server.settimeout(left)
            part = server.recv(_LARGEST)
            if not part:
                return answer
            answer += part
    raise OSError(f"more than {_LARGEST} bytes")
