"""What the rules about logs, files, caches and limits say of nginx, seen on a real one."""

from __future__ import annotations

import os
import pathlib
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.judged import failing
from support.nginx import running
from support.origin import Answer, ask_at_once, asking, origin, until

if TYPE_CHECKING:
    from support.netns import Netns
    from support.nginx import Nginx

pytestmark = pytest.mark.real("nginx")


def server(folder: pathlib.Path, inside: str, *, socket: str = "http", listen: str = "") -> str:
    return f"    server {{\n        listen unix:{folder}/{socket}{listen};\n{inside}    }}\n"


def location(path: str, *lines: str) -> str:
    return f"        location {path} {{ {' '.join(lines)} }}\n"


def item(folder: pathlib.Path, path: str) -> str:
    return f"location {path} of server unix:{folder}/http"


def written(nginx: Nginx) -> int:
    """The worker's calls of write() and its kin."""
    return psutil.Process(nginx.serving()[0]).io_counters().write_count


def test_a_log_with_a_variable_in_its_path_is_closed_after_every_line(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    log = f"access_log {tmp_path}/$arg_log; return 200;"
    inside = location("/cached", log, "open_log_file_cache max=10;") + location("/each", log)
    with running(netns, tmp_path, server(tmp_path, f"        root {tmp_path};\n{inside}"), binary=binary) as nginx:
        for path in ("cached", "each"):
            Answer(tmp_path / "http", f"/{path}?log={path}.log")
            assert until(lambda path=path: (tmp_path / f"{path}.log").exists())
        opened = {pathlib.Path(file.path).name for file in psutil.Process(nginx.serving()[0]).open_files()}
        conf = nginx.conf.read_text()
    assert "cached.log" in opened
    assert "each.log" not in opened
    assert failing("access-log-opened-per-line", conf) == {item(tmp_path, "/each")}


def test_when_a_line_reaches_the_log(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    logs = {
        "/kept": f"access_log {tmp_path}/kept combined buffer=64k;",
        "/flushed": f"access_log {tmp_path}/flushed combined buffer=64k flush=200ms;",
        "/silenced": f"access_log off; access_log {tmp_path}/silenced;",
        "/plain": f"access_log {tmp_path}/plain;",
    }
    inside = "".join(location(path, log, "return 200;") for path, log in logs.items())
    with running(netns, tmp_path, server(tmp_path, inside), binary=binary) as nginx:
        calls = {}
        for path in logs:
            before = written(nginx)
            for _ in range(20):
                Answer(tmp_path / "http", path)
            calls[path] = written(nginx) - before
        sizes = {path: (tmp_path / path[1:]).stat() for path in logs}
        assert until(lambda: (tmp_path / "flushed").stat().st_size > 0, 2)
        time.sleep(0.3)
        assert (tmp_path / "kept").stat().st_size == 0
        conf = nginx.conf.read_text()
    # One write a request for the line, and those of the answer.
    assert calls["/plain"] == calls["/kept"] + 20
    assert sizes["/plain"].st_size > 0
    assert len((tmp_path / "kept").read_text().splitlines()) == 20
    assert (tmp_path / "silenced").read_text() == ""
    assert failing("access-log-lags", conf) == {item(tmp_path, "/kept")}
    assert failing("access-log-silenced", conf) == {item(tmp_path, "/silenced")}


def test_a_cached_file_is_served_as_it_was(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    cache = "        open_file_cache max=10;\n        open_file_cache_errors on;\n        open_file_cache_valid 1h;\n"
    http = server(tmp_path, f"        root {tmp_path};\n{cache}")
    (tmp_path / "page").write_text("old")
    (tmp_path / "edited").write_text("old")
    with running(netns, tmp_path, http, binary=binary) as nginx:
        assert Answer(tmp_path / "http", "/page").body == b"old"
        assert Answer(tmp_path / "http", "/edited").body == b"old"
        assert Answer(tmp_path / "http", "/new").status == 404
        (tmp_path / "edited").write_text("longer")
        for name in ("page", "new"):
            (tmp_path / "other").write_text("new")
            os.replace(tmp_path / "other", tmp_path / name)
        assert Answer(tmp_path / "http", "/page").body == b"old"
        assert Answer(tmp_path / "http", "/edited").body == b"lon"
        assert Answer(tmp_path / "http", "/new").status == 404
        conf = nginx.conf.read_text()
    assert failing("open-file-cache-stale", conf) == {f"server unix:{tmp_path}/http"}


def test_what_a_cache_stores_and_who_asks_meanwhile(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    to = f"proxy_pass http://unix:{tmp_path}/origin:; proxy_cache one; add_header X-Cache $upstream_cache_status;"
    http = f"    proxy_cache_path {tmp_path}/cache keys_zone=one:1m;\n" + server(
        tmp_path,
        location("/any/stored", to)
        + location("/any/unbuffered", to, "proxy_buffering off;")
        + location("/late/0.3/all", to)
        + location("/late/0.3/first", to, "proxy_cache_lock on;"),
    )
    with origin(tmp_path / "origin") as backend, running(netns, tmp_path, http, binary=binary) as nginx:
        found = {
            path: [Answer(tmp_path / "http", path).headers["X-Cache"] for _ in range(2)]
            for path in ("/any/stored", "/any/unbuffered")
        }
        for path in ("/late/0.3/all", "/late/0.3/first"):
            assert {answer.status for answer in ask_at_once(tmp_path / "http", path, 8)} == {200}
        asked = {path: backend.seen.count(f"GET {path}") for path in ("/late/0.3/all", "/late/0.3/first")}
        conf = nginx.conf.read_text()
    assert found == {"/any/stored": ["MISS", "HIT"], "/any/unbuffered": ["MISS", "MISS"]}
    assert asked == {"/late/0.3/all": 8, "/late/0.3/first": 1}
    assert failing("proxy-cache-unbuffered", conf) == {item(tmp_path, "/any/unbuffered")}
    assert failing("proxy-cache-stampede", conf) == {item(tmp_path, "/any/stored"), item(tmp_path, "/late/0.3/all")}


def test_a_cache_holds_no_more_than_its_zone_has_keys_for(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """About 8,000 keys a megabyte: some 1,000 in 128 KiB, however much the disk may take."""
    http = (
        f"    proxy_cache_path {tmp_path}/cache keys_zone=one:128k max_size=10g use_temp_path=off;\n"
        + server(tmp_path, location("/", f"proxy_pass http://unix:{tmp_path}/backend:;", "proxy_cache one;"))
        + server(tmp_path, location("/", "add_header Cache-Control max-age=60;", "return 200;"), socket="backend")
    )
    with running(netns, tmp_path, http, binary=binary) as nginx:
        for number in range(1300):
            assert Answer(tmp_path / "http", f"/{number}").status == 200
        held = sum(path.is_file() for path in (tmp_path / "cache").rglob("*"))
        conf = nginx.conf.read_text()
    assert held == pytest.approx(1000, rel=0.1)
    assert failing("cache-keys-few", conf) == {"cache one"}


LIMITED = """
    limit_req_zone $uri zone=none:1m rate=5r/s;
    limit_req_zone $uri zone=some:1m rate=2r/s;
    limit_req_zone $binary_remote_addr zone=peer:1m rate=1r/m;
"""
NO_CONTENT = location("/", "try_files /nowhere =204;")
"""An answer that is given after the limits were applied; what return gives comes before."""


def test_how_limits_refuse_and_delay(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = (
        LIMITED
        + server(tmp_path, f"        limit_req zone=none;\n{NO_CONTENT}")
        + server(tmp_path, f"        limit_req zone=some burst=12;\n{NO_CONTENT}", socket="some")
    )
    with running(netns, tmp_path, http, binary=binary) as nginx:
        conf = nginx.conf.read_text()
        refused = sorted(answer.status for answer in ask_at_once(tmp_path / "http", "/", 2))
        waited = sorted(answer.seconds for answer in ask_at_once(tmp_path / "some", "/", 3))
    assert refused == [204, 503]
    assert waited == pytest.approx([0, 0.5, 1.0], abs=0.25)
    assert failing("limit-req-without-burst", conf) == {f"server unix:{tmp_path}/http"}
    assert failing("limit-req-queues-long", conf) == {f"server unix:{tmp_path}/some"}


def test_behind_a_balancer_all_people_are_one_until_their_own_addresses_are_taken(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    listen = " proxy_protocol"
    http = LIMITED + server(tmp_path, f"        limit_req zone=peer;\n{NO_CONTENT}", listen=listen)
    cured = f"    set_real_ip_from unix:;\n    real_ip_header proxy_protocol;\n{http}"
    people = [f"PROXY TCP4 192.0.2.{number} 192.0.2.9 40000 80\r\n".encode() for number in (1, 2)]
    for text, answers, found in ((http, [204, 503], {"limit_req_zone in http"}), (cured, [204, 204], set())):
        with running(netns, tmp_path, text, binary=binary) as nginx:
            assert [Answer(tmp_path / "http", "/", hello=hello).status for hello in people] == answers
            assert failing("balancer-taken-for-client", nginx.conf.read_text()) == found


def test_a_body_of_any_size_is_kept_before_a_backend_is_asked(
    netns: Netns, tmp_path: pathlib.Path, binary: str
) -> None:
    http = "    client_max_body_size 0;\n" + server(
        tmp_path, location("/", f"proxy_pass http://unix:{tmp_path}/origin:;")
    )
    with origin(tmp_path / "origin") as backend, running(netns, tmp_path, http, binary=binary) as nginx:
        client = asking(tmp_path / "http", "/", length=10**12)
        client.sock.sendall(bytes(3_000_000))
        # nginx removes the name of a temporary file at once; what is kept, it holds open.
        worker = psutil.Process(nginx.serving()[0])
        assert until(lambda: kept(worker.pid, tmp_path / "client_body") > 2_000_000)
        assert backend.seen == []
        client.close()
        conf = nginx.conf.read_text()
    assert failing("body-size-unlimited", conf) == {"http"}


def kept(pid: int, folder: pathlib.Path) -> int:
    """The bytes of the files of a folder, names or not, that a process has open."""
    files = pathlib.Path(f"/proc/{pid}/fd").iterdir()
    return sum(file.stat().st_size for file in files if str(file.readlink()).startswith(str(folder)))
