"""What is said of nginx's versions, held to an old and a new nginx: what they refuse, and their defaults."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.audited import certificate
from support.inside import ask, connect, secured
from support.nginx import Nginx, running, version_of
from support.snapshots import nginx_of, snapshot_with

from advisor.catalog.changes import APPEARED
from advisor.catalog.directives import default
from advisor.facts.upgrade import numbers
from advisor.jobs.upgrade import check

if TYPE_CHECKING:
    import pathlib

    from support.netns import Netns

pytestmark = pytest.mark.real("nginx", "openssl")

OLD, NEW = "1.22.1", "1.31.3"
PORT = 8080
_BUILT_APART = ("geoip", "image_filter", "xml", "mp4", "http3", "quic", "ssl_ech", "perl", "xslt")
"""Directives of modules that one of the two is not built with."""


_BACKPORTED = {"max_headers"}
"""What Debian's 1.22.1 took over from later versions, as its security team does."""


def known(name: str, version: str) -> bool:
    return numbers(APPEARED[name]) <= numbers(version)


def test_the_directives_that_each_version_knows(binary: str, tmp_path: pathlib.Path) -> None:
    """Each directive at the top level: one that nginx knows is not allowed there, or not so; any other is unknown."""
    version = version_of(binary)
    names = [name for name in APPEARED if "/" not in name and not name.startswith(_BUILT_APART)]
    assert len(names) > 80
    unknown = {name for name in names if "unknown directive" in said_of(binary, tmp_path, f"{name} on;")}
    assert unknown == {name for name in names if not known(name, version)} - (_BACKPORTED if version == OLD else set())


def said_of(binary: str, folder: pathlib.Path, text: str) -> str:
    conf = folder / "nginx.conf"
    conf.write_text(f"pid {folder}/pid;\n{text}\nevents {{ }}\n")
    argv = [shutil.which(binary) or binary, "-t", "-e", str(folder / "log"), "-p", str(folder), "-c", str(conf)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False).stderr


CONFIGURATIONS = {
    "http2": ("server {{ listen {port}; http2 on; }}", True, False),
    "keepalive_min_timeout": ("server {{ listen {port}; keepalive_min_timeout 5s; }}", True, False),
    "add_header_inherit": ("add_header_inherit merge; server {{ listen {port}; }}", True, False),
    "proxy_http_version 2": ("proxy_http_version 2; server {{ listen {port}; }}", True, False),
    "keepalive local": ("upstream u {{ server 127.0.0.1; keepalive 8 local; }}", True, False),
    "keepalive 0": ("upstream u {{ server 127.0.0.1; keepalive 0; }}", True, False),
    "sticky": ("upstream u {{ server 127.0.0.1; sticky cookie c; }}", True, False),
    "server route": ("upstream u {{ server 127.0.0.1 route=a; }}", True, False),
    "resolver ipv4": ("resolver 127.0.0.1 ipv4=off; server {{ listen {port}; }}", True, False),
    "listen multipath": ("server {{ listen {port} multipath; }}", True, False),
    "ssl off": ("server {{ listen {port}; ssl off; }}", False, True),
    "listen http2": ("server {{ listen {port} http2; }}", False, False),
    "http2_push": ("server {{ listen {port}; http2_push /x; }}", False, False),
    "http2_idle_timeout": ("server {{ listen {port}; http2_idle_timeout 1m; }}", False, False),
    "spdy": ("server {{ listen {port}; spdy_chunk_size 1k; }}", True, True),
    "nothing": ("server {{ listen {port}; keepalive_timeout 5s; }}", False, False),
}
"""A configuration, and whether the old, the new nginx refuses it."""


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_a_version_refuses(netns: Netns, tmp_path: pathlib.Path, binary: str, name: str) -> None:
    http, old, new = CONFIGURATIONS[name]
    nginx = Nginx(netns, tmp_path, binary=binary)
    nginx.write(http.format(port=PORT))
    version = version_of(binary)
    done = nginx.test()
    assert (done.returncode != 0) == (old if version == OLD else new), done.stderr
    config = nginx_of({str(nginx.conf): nginx.conf.read_bytes()})
    report = check(snapshot_with(nginx=config), OLD if version == NEW else NEW, version)
    assert report.refused == (done.returncode != 0), done.stderr


def test_defaults_towards_a_backend(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """The backend's answer is the protocol, the Connection header and the number of the connection."""
    http = f"""
    upstream pool {{ server 127.0.0.1:{PORT + 1}; }}
    server {{ listen {PORT + 1}; location / {{ return 200 "$server_protocol|$http_connection|$connection"; }} }}
    server {{ listen {PORT}; location / {{ proxy_pass http://pool; }} }}
    """
    with running(netns, tmp_path / "nginx", http, binary=binary) as nginx, connect(netns, PORT) as client:
        answers = [ask(client)[1].decode().split("|") for _ in range(3)]
        version = numbers(version_of(nginx.binary))
    assert {protocol for protocol, _, _ in answers} == {f"HTTP/{default('proxy_http_version', version)}"}
    assert {header for _, header, _ in answers} == {"close" if version < (1, 29, 7) else ""}
    kept = default("upstream/keepalive", version) is not None
    assert len({number for _, _, number in answers}) == (1 if kept else 3)


def test_the_default_protocols_of_tls(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    made = certificate(tmp_path / "tls").replace("ssl_protocols TLSv1.2 TLSv1.3;", "")
    http = f"{made} server {{ listen {PORT} ssl; return 200 x; }}"
    with running(netns, tmp_path / "nginx", http, binary=binary) as nginx, secured(netns, PORT) as client:
        version = numbers(version_of(nginx.binary))
        assert client.version() == str(default("ssl_protocols", version)).split()[-1]


def test_the_default_of_keepalive_requests(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """The last answer says that the connection ends; both versions are later than the change.

    nginx counts where it chooses the location: a ``return`` of the server itself would go on for ever.
    """
    http = f"server {{ listen {PORT}; location / {{ return 200 x; }} }}"
    with running(netns, tmp_path / "nginx", http, binary=binary), connect(netns, PORT) as client:
        served = next(number for number in range(1, 2000) if "Connection: close" in ask(client)[0])
    assert str(served) == default("keepalive_requests", numbers(OLD)) == default("keepalive_requests", numbers(NEW))
