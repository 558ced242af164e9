"""What the rules about passing requests on say of nginx, seen on a real one: and the rules say it of that very file."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.judged import failing, states
from support.netns import pair
from support.nginx import Nginx, running, version_of
from support.origin import Answer, ask_at_once, asking, origin, stalled, until

if TYPE_CHECKING:
    import pathlib

    from support.netns import Netns

pytestmark = pytest.mark.real("nginx")
LARGE = 8_000_000
"""Bytes of an answer that no socket buffer holds."""
GONE = "10.9.0.3"
"""A neighbour that takes every packet and answers none."""
NOBODY = "127.0.0.1:9"
"""Where nothing listens inside a fresh namespace."""


def server(folder: pathlib.Path, inside: str, *, socket: str = "http") -> str:
    return f"    server {{\n        listen unix:{folder}/{socket};\n{inside}    }}\n"


def location(path: str, *lines: str) -> str:
    return f"        location {path} {{ {' '.join(lines)} }}\n"


def said(nginx: Nginx, text: str) -> int:
    """How many lines of the error log hold it."""
    return nginx.log.read_text().count(text)


def test_a_variable_needs_a_resolver_unless_it_names_an_address_or_an_upstream(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    passes = {
        "/name": "set $b app.internal:8080; proxy_pass http://$b;",
        "/path": "proxy_pass http://localhost:3000$request_uri;",
        "/port": "set $b app; proxy_pass http://$b:8080;",
        "/upstream": "set $b app; proxy_pass http://$b;",
        "/address": f"set $b {NOBODY}; proxy_pass http://$b;",
        "/plain": "proxy_pass http://localhost:3001/;",
        "/known": "proxy_pass http://localhost:3001$request_uri;",
    }
    inside = "".join(location(path, line) for path, line in passes.items())
    http = f"    upstream app {{ server unix:{tmp_path}/origin; }}\n{server(tmp_path, inside)}"
    with origin(tmp_path / "origin"), running(netns, tmp_path, http, binary=binary) as nginx:
        answers = {path: Answer(tmp_path / "http", path).status for path in passes}
        lines = [line for line in nginx.log.read_text().splitlines() if "no resolver defined to resolve" in line]
        conf = nginx.conf.read_text()
    asked = {path for path in passes if any(f'"GET {path} HTTP' in line for line in lines)}
    assert asked == {"/name", "/path", "/port"}
    assert {path for path, status in answers.items() if status == 200} == {"/upstream"}
    assert {item.split()[1] for item in failing("resolver-missing", conf)} == asked


def test_a_name_that_is_unknown_at_the_start_keeps_nginx_from_starting(netns: Netns, tmp_path: pathlib.Path) -> None:
    nginx = Nginx(netns, tmp_path)
    nginx.write(server(tmp_path, location("/", "proxy_pass http://app.invalid;")))
    tested = nginx.test()
    assert tested.returncode != 0
    assert "host not found in upstream" in tested.stderr
    assert failing("upstream-name-frozen", nginx.conf.read_text()) == {"app.invalid"}


def test_without_buffering_a_backend_is_held_by_a_client_that_does_not_read(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    inside = location("/", f"proxy_pass http://unix:{tmp_path}/origin:;")
    http = server(tmp_path, inside) + server(tmp_path, f"        proxy_buffering off;\n{inside}", socket="off")
    with origin(tmp_path / "origin") as backend, running(netns, tmp_path, http, binary=binary) as nginx:
        with contextlib.closing(stalled(tmp_path / "http", f"/large/{LARGE}")):
            assert until(lambda: backend.finished == 1)
        with contextlib.closing(stalled(tmp_path / "off", f"/large/{LARGE}")):
            assert not until(lambda: backend.finished == 2, 0.5)
        conf = nginx.conf.read_text()
    assert failing("proxy-buffering-off-broadly", conf) == {f"server unix:{tmp_path}/off"}


def test_large_buffers_are_memory_of_each_request(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    to = f"proxy_pass http://unix:{tmp_path}/origin:/; proxy_max_temp_file_size 0;"
    inside = location("/small/", to) + location("/huge/", to, "proxy_buffers 4 1m; proxy_busy_buffers_size 1m;")
    with origin(tmp_path / "origin"), running(netns, tmp_path, server(tmp_path, inside), binary=binary) as nginx:
        worker = psutil.Process(nginx.serving()[0])
        grown = []
        for path in ("/small", "/huge"):
            before = worker.memory_info().rss
            with contextlib.ExitStack() as held:
                for _ in range(4):
                    held.enter_context(contextlib.closing(stalled(tmp_path / "http", f"{path}/large/{LARGE}")))
                until(lambda before=before: worker.memory_info().rss - before > 4 * 3 * 2**20, 0.5)
                grown.append(worker.memory_info().rss - before)
        conf = nginx.conf.read_text()
    assert grown[0] < 2**20 < 4 * 3 * 2**20 < grown[1]
    assert failing("request-buffers-large", conf) == {
        f"proxy_buffers in location /huge/ of server unix:{tmp_path}/http"
    }


def test_a_backend_hears_that_a_client_left_unless_that_is_ignored(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    inside = location("/", f"proxy_pass http://unix:{tmp_path}/origin:;")
    ignored = server(tmp_path, f"        proxy_ignore_client_abort on;\n{inside}", socket="on")
    with (
        origin(tmp_path / "origin") as backend,
        running(netns, tmp_path, server(tmp_path, inside) + ignored, binary=binary) as nginx,
    ):
        for socket, left in (("http", 1), ("on", 1)):
            seen = len(backend.seen)
            client = asking(tmp_path / socket, "/patient/0.6")
            assert until(lambda seen=seen: len(backend.seen) > seen)
            client.close()
            assert until(lambda: backend.now == 0)
            assert backend.left == left, socket
        conf = nginx.conf.read_text()
    assert failing("client-abort-ignored", conf) == {f"server unix:{tmp_path}/on"}


def test_a_post_is_repeated_only_if_that_is_said(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = f"    upstream app {{ server unix:{tmp_path}/a; server unix:{tmp_path}/b; }}\n" + server(
        tmp_path,
        location("/dead/once", "proxy_pass http://app;")
        + location("/dead/again", "proxy_pass http://app;", "proxy_next_upstream error non_idempotent;"),
    )
    with (
        origin(tmp_path / "a") as one,
        origin(tmp_path / "b") as other,
        running(netns, tmp_path, http, binary=binary) as nginx,
    ):
        for path, times in (("/dead/once", 1), ("/dead/again", 2)):
            # A server that failed is left out for 10 s.
            nginx.reload()
            assert Answer(tmp_path / "http", path, "POST", b"an order").status == 502
            assert (one.seen + other.seen).count(f"POST {path}") == times
        conf = nginx.conf.read_text()
    assert failing("next-upstream-repeats-posts", conf) == {f"location /dead/again of server unix:{tmp_path}/http"}


def test_who_notices_that_a_server_is_dead(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    alive = f"server unix:{tmp_path}/origin;"
    pools = {
        "alone": f"server {NOBODY} max_fails=1 fail_timeout=60s;",
        "noticed": f"server {NOBODY}; {alive}",
        "unnoticed": f"server {NOBODY} max_fails=0; {alive}",
        "backed": f"server {NOBODY} max_fails=1; server unix:{tmp_path}/origin backup;",
    }
    http = "".join(f"    upstream {name} {{ {servers} }}\n" for name, servers in pools.items())
    http += server(tmp_path, "".join(location(f"/{name}", f"proxy_pass http://{name};") for name in pools))
    tried = {}
    with origin(tmp_path / "origin"), running(netns, tmp_path, http, binary=binary) as nginx:
        for name in pools:
            before = said(nginx, "(111: Connection refused)")
            for _ in range(6):
                Answer(tmp_path / "http", f"/{name}")
            tried[name] = said(nginx, "(111: Connection refused)") - before
        conf = nginx.conf.read_text()
    assert tried["alone"] == 6
    assert tried["noticed"] == tried["backed"] == 1
    assert tried["unnoticed"] == 3
    assert failing("upstream-max-fails-inert", conf) == {"upstream alone"}
    assert failing("upstream-failures-ignored", conf) == {"upstream unnoticed"}


def test_without_a_zone_each_worker_has_its_own_max_conns(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = "".join(
        f"    upstream {name} {{ {zone} server unix:{tmp_path}/{name} max_conns=1; }}\n"
        for name, zone in (("own", ""), ("shared", "zone shared 64k;"))
    ) + server(
        tmp_path,
        location("/late/0.1/own", "proxy_pass http://own;") + location("/late/0.1/shared", "proxy_pass http://shared;"),
    )
    with (
        origin(tmp_path / "own") as own,
        origin(tmp_path / "shared") as shared,
        running(netns, tmp_path, http, binary=binary, workers=2) as nginx,
    ):
        end = time.monotonic() + 5
        while own.most < 2 and time.monotonic() < end:
            ask_at_once(tmp_path / "http", "/late/0.1/own", 12)
            ask_at_once(tmp_path / "http", "/late/0.1/shared", 12)
        conf = nginx.conf.read_text()
    assert (own.most, shared.most) == (2, 1)
    assert failing("upstream-max-conns-per-worker", conf) == {"upstream own"}


def test_each_server_gets_its_full_timeouts(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    servers = " ".join(f"server unix:{tmp_path}/origin weight={weight};" for weight in (1, 1, 1))
    http = f"    upstream app {{ {servers} }}\n    proxy_read_timeout 300ms;\n" + server(
        tmp_path,
        location("/late/9/all", "proxy_pass http://app;")
        + location("/late/9/two", "proxy_pass http://app;", "proxy_next_upstream_tries 2;"),
    )
    with origin(tmp_path / "origin") as backend, running(netns, tmp_path, http, binary=binary) as nginx:
        for path, tries in (("/late/9/all", 3), ("/late/9/two", 2)):
            nginx.reload()
            answer = Answer(tmp_path / "http", path)
            assert answer.status == 504
            assert backend.seen.count(f"GET {path}") == tries
            assert answer.seconds == pytest.approx(tries * 0.3, abs=0.25)
        conf = nginx.conf.read_text().replace("300ms", "300")
    assert failing("next-upstream-tries-long", conf) == {"upstream app"}


def test_linux_gives_up_a_connection_before_a_long_timeout_does(tmp_path: pathlib.Path) -> None:
    """1 s, then 2 s: 2 ^ (tcp_syn_retries + 1) - 1 in all, where the first are not repeated at an even pace."""
    inside = location("/long", f"proxy_pass http://{GONE};", "proxy_connect_timeout 600;")
    inside += location("/short", f"proxy_pass http://{GONE};", "proxy_connect_timeout 500ms;")
    with pair() as (netns, _):
        (link,) = json.loads(netns.run("ip", "-j", "link", "show", "type", "veth").stdout)
        netns.run("ip", "neigh", "add", GONE, "lladdr", "02:00:00:00:00:09", "dev", link["ifname"])
        netns.sysctl(net__ipv4__tcp_syn_retries="1")
        if netns.run("sysctl", "-n", "net.ipv4.tcp_syn_linear_timeouts", check=False).stdout:
            netns.sysctl(net__ipv4__tcp_syn_linear_timeouts="0")
        with running(netns, tmp_path, server(tmp_path, inside)) as nginx:
            long, short = (Answer(tmp_path / "http", path) for path in ("/long", "/short"))
            assert said(nginx, "connect() failed (110: Connection timed out)") == 1
            assert said(nginx, "upstream timed out (110: Connection timed out) while connecting") == 1
            conf = nginx.conf.read_text()
    # A connection that the kernel gave up is an error; only one that nginx gave up is a timeout.
    assert (long.status, short.status) == (502, 504)
    assert long.seconds == pytest.approx(3, abs=0.7)
    assert short.seconds == pytest.approx(0.5, abs=0.3)
    (item,) = failing("backend-connect-timeout-long", conf)
    assert "/long" in item


def test_only_with_socket_keepalive_does_the_kernel_ask_after_a_silent_backend(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    to = "proxy_pass http://127.0.0.1:8080; proxy_read_timeout 1d;"
    http = server(tmp_path, location("/late/1/off", to) + location("/late/1/on", to, "proxy_socket_keepalive on;"))
    http += "    server {\n        listen 127.0.0.1:8080;\n"
    http += location("/", f"proxy_pass http://unix:{tmp_path}/origin:;") + "    }\n"
    with origin(tmp_path / "origin") as backend, running(netns, tmp_path, http, binary=binary) as nginx:
        timers = {}
        for path in ("/late/1/off", "/late/1/on"):
            client = asking(tmp_path / "http", path)
            assert until(lambda path=path: f"GET {path}" in backend.seen)
            timers[path] = "timer:(keepalive" in netns.run("ss", "-tnoH", "dst", "127.0.0.1:8080").stdout
            client.close()
            assert until(lambda: not netns.run("ss", "-tnH", "state", "established").stdout.strip())
        conf = nginx.conf.read_text()
    assert timers == {"/late/1/off": False, "/late/1/on": True}
    found = states("dead-backend-unnoticed", conf, nginx_version=version_of(binary))
    assert {item.split()[1]: state for item, state in found.items()} == {"/late/1/off": "fail", "/late/1/on": "pass"}
