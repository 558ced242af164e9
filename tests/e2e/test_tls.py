"""What rules claim of TLS sessions, certificates and HTTP/2, seen on a real nginx, the old and the new."""

from __future__ import annotations

import re
import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest
from support.audited import certificate, failing
from support.inside import ask, connect, secured, trusting
from support.nginx import DEBIAN, Nginx, running, version_of

from advisor.catalog.directives import DIRECTIVES

if TYPE_CHECKING:
    import pathlib

    from support.netns import Netns

pytestmark = pytest.mark.real("nginx", "openssl")

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
TICKETS_OFF = "ssl_session_tickets off;"


def resumed(netns: Netns, port: int, name: str, version: ssl.TLSVersion, *, after: float = 0) -> bool:
    """Whether a second connection takes up the first one's session."""
    context = trusting()
    context.minimum_version = context.maximum_version = version
    with secured(netns, port, name, context=context) as client:
        ask(client, "/", name)
        session = client.session
    time.sleep(after)
    again = context.wrap_socket(connect(netns, port), server_hostname=name, session=session)
    with again:
        ask(again, "/", name)
        return bool(again.session_reused)


@pytest.mark.parametrize(
    ("first", "named", "resumes"),
    [
        ("", "", True),
        (TICKETS_OFF, TICKETS_OFF, False),
        ("ssl_session_cache off;" + TICKETS_OFF, "ssl_session_cache none;" + TICKETS_OFF, False),
        ("ssl_session_cache shared:one:1m;" + TICKETS_OFF, TICKETS_OFF, True),
        ("", "ssl_session_cache shared:two:1m;" + TICKETS_OFF, False),
        ("ssl_session_cache off;", "", True),
    ],
)
def test_a_session_is_resumed_by_ticket_or_the_default_server_s_cache(
    netns: Netns,
    tmp_path: pathlib.Path,
    binary: str,
    first: str,
    named: str,
    resumes: bool,  # noqa: FBT001 (a column)
) -> None:
    listen = "listen 127.0.0.1:443 ssl;\n return 200 a;\n"
    http = certificate(tmp_path / "tls") + f"server {{\n {listen} {first}\n}}\n"
    http += f"server {{\n {listen} server_name b;\n {named}\n}}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx:
        assert [resumed(netns, 443, "b", version) for version in VERSIONS] == [resumes, resumes]
        assert ("server b" in failing(nginx, "tls-resumption-off")) is not resumes


def test_a_built_in_cache_is_one_worker_s_alone(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """With reuseport the kernel spreads connections over the workers by their ports."""
    http = (
        certificate(tmp_path / "tls")
        + TICKETS_OFF
        + "".join(
            f"server {{\n listen 127.0.0.1:{port} ssl reuseport;\n ssl_session_cache {cache};\n return 200 a;\n}}\n"
            for port, cache in ((443, "builtin"), (444, "shared:one:1m"))
        )
    )
    with running(netns, tmp_path, http, workers=2, binary=binary) as nginx:
        tries = {port: [resumed(netns, port, "a", VERSIONS[0]) for _ in range(20)] for port in (443, 444)}
        assert all(tries[444])
        assert not all(tries[443])
        assert failing(nginx, "tls-cache-per-worker") == ["server 127.0.0.1:443"]


def test_a_short_session_is_no_use(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    listen = "listen 127.0.0.1:443 ssl;\n return 200 a;\n"
    http = certificate(tmp_path / "tls") + f"ssl_session_timeout 1s;\nserver {{\n {listen}}}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx:
        assert not resumed(netns, 443, "a", VERSIONS[0], after=2.1)
        assert failing(nginx, "tls-session-short") == ["http"]


@pytest.mark.parametrize(
    ("binary", "cache"),
    [("Debian's", ""), ("newer", ""), ("newer", "ssl_certificate_cache max=10 valid=1h;\n")],
    indirect=["binary"],
)
def test_a_certificate_that_a_variable_names_is_read_each_time(
    netns: Netns, tmp_path: pathlib.Path, binary: str, cache: str
) -> None:
    folder = tmp_path / "tls"
    certificate(folder, "a")
    named = f" ssl_certificate {folder}/$ssl_server_name.pem;\n ssl_certificate_key {folder}/$ssl_server_name.key;\n"
    http = f"{cache}server {{\n listen 127.0.0.1:443 ssl;\n{named} return 200 a;\n}}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx:
        shown = []
        for _ in range(2):
            with secured(netns, 443) as client:
                shown.append(client.getpeercert(binary_form=True))
            certificate(folder, "a")
        assert (shown[0] == shown[1]) is bool(cache)
        assert bool(failing(nginx, "certificate-read-per-handshake")) is not bool(cache)


def test_what_is_obsolete_is_so_from_that_version_on(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """nginx itself warns of each directive that the table calls gone, and of no other of them."""
    lines = {"flag": "on", "time": "5s", "size": "8k", "count": "100", "words": "/a.css"}
    gone = {one.word: one for one in DIRECTIVES.values() if one.gone}
    nginx = Nginx(netns, tmp_path, binary=binary)
    nginx.write("".join(f"{one.word} {lines[one.kind]};\n" for one in gone.values()))
    said = nginx.test()
    assert said.returncode == 0, said.stderr
    warned = set(re.findall(r'the "(\w+)" directive is obsolete', said.stderr))
    assert warned == {name for name, one in gone.items() if _number(version_of(binary)) >= _number(str(one.gone))}
    assert set(failing(nginx, "directive-obsolete")) == {f"{name} in http" for name in warned}


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_parameter_http2_is_deprecated_where_the_directive_is_known(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    nginx = Nginx(netns, tmp_path, binary=binary)
    nginx.write(certificate(tmp_path / "tls") + "server {\n listen 127.0.0.1:443 ssl http2;\n}\n")
    said = nginx.test()
    assert said.returncode == 0, said.stderr
    assert ("deprecated" in said.stderr) is (binary != DEBIAN)
    assert bool(failing(nginx, "http2-listen-parameter")) is (binary != DEBIAN)


def test_http2_without_tls_shuts_out_the_others(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = "server {\n listen 127.0.0.1:80 http2;\n return 200 a;\n}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx, connect(netns, 80) as client:
        assert (" 200 " in _said(client)) is (binary != DEBIAN)
        assert bool(failing(nginx, "http2-without-tls")) is (binary == DEBIAN)


def _said(client: socket.socket) -> str:
    """The answer to a plain request, which may be frames of HTTP/2."""
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    data = b""
    while more := client.recv(1 << 16):
        data += more
    return data.decode("latin-1")
