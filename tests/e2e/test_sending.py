"""What rules claim of how responses leave, seen on a real nginx, the old and the new."""

from __future__ import annotations

import contextlib
import gzip
import random
import re
import socket
import statistics
import struct
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from support.audited import failing
from support.inside import ask, connect
from support.nginx import Nginx, newer_only, running

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from support.netns import Netns

pytestmark = pytest.mark.real("nginx")

MIB = 1 << 20


def test_without_nodelay_small_writes_wait(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    """A head and a body in two writes: the second waits for the client's delayed acknowledgement."""
    http = "postpone_output 0;\n" + "".join(
        f"server {{\n listen 127.0.0.1:{port};\n tcp_nodelay {value};\n return 200 a;\n}}\n"
        for port, value in ((80, "on"), (81, "off"))
    )
    with running(netns, tmp_path, http, binary=binary) as nginx:
        assert _typical(netns, 80) < 0.01
        assert _typical(netns, 81) > 0.03
        assert failing(nginx, "tcp-nodelay-off") == ["server 127.0.0.1:81"]


def _typical(netns: Netns, port: int) -> float:
    """The median of 15 answers on one connection, after the kernel has stopped to acknowledge at once."""
    with connect(netns, port) as client:
        taken = []
        for _ in range(30):
            begun = time.monotonic()
            ask(client)
            taken.append(time.monotonic() - begun)
    return statistics.median(taken[15:])


def test_output_that_is_not_postponed_takes_more_packets(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    http = "server {\n listen 127.0.0.1:80;\n return 200 a;\n}\n"
    http += "server {\n listen 127.0.0.1:81;\n postpone_output 0;\n return 200 a;\n}\n"
    with running(netns, tmp_path, http, binary=binary) as nginx:
        assert [_segments(netns, port) for port in (80, 81)] == [1, 2]
        assert failing(nginx, "postpone-output-off") == ["server 127.0.0.1:81"]


def _segments(netns: Netns, port: int) -> int:
    """Segments with data that one answer took (tcpi_data_segs_in of linux/tcp.h)."""
    with connect(netns, port) as client:
        ask(client)
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return int(struct.unpack_from("=I", info, 152)[0])


@contextlib.contextmanager
def traced(nginx: Nginx, folder: pathlib.Path, calls: str) -> Iterator[list[str]]:
    """The system calls of the worker while the block runs; there when it has ended."""
    lines: list[str] = []
    out = folder / "strace"
    argv = ["strace", "-f", "-q", "-e", f"trace={calls}", "-o", str(out), "-p", str(nginx.serving()[0])]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
        time.sleep(0.3)
        yield lines
        tracer.terminate()
        tracer.wait(10)
    lines += out.read_text().splitlines()


@pytest.mark.real("strace")
def test_without_a_limit_one_call_asks_for_the_whole_file(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    size = 4 * MIB
    with (tmp_path / "big").open("wb") as file:
        file.truncate(size)
    http = f"sendfile on;\nroot {tmp_path};\nserver {{\n listen 127.0.0.1:80;\n}}\n"
    http += "server {\n listen 127.0.0.1:81;\n sendfile_max_chunk 0;\n}\n"
    most = []
    with running(netns, tmp_path / "nginx", http, binary=binary) as nginx:
        for port in (80, 81):
            with traced(nginx, tmp_path, "sendfile") as lines, connect(netns, port) as client:
                assert len(ask(client, "/big")[1]) == size
            most.append(max(int(number) for line in lines for number in re.findall(r"sendfile\(.*?, (\d+)\)", line)))
        # The first piece ends at a page of memory, past the limit.
        assert 2 * MIB <= most[0] < 2 * MIB + 8192
        assert most[1] == size
    nginx.write("sendfile on;\nserver {\n listen 127.0.0.1:81;\n sendfile_max_chunk 0;\n sendfile on;\n}\n")
    assert failing(nginx, "sendfile-unlimited") == ["server 127.0.0.1:81"]


@newer_only
@pytest.mark.real("strace")
@pytest.mark.parametrize(
    ("line", "calls"),
    [("sendfile on;", {"sendfile"}), ("", {"io_submit"}), ("directio 4k;", {"io_submit", "O_DIRECT"})],
)
def test_aio_alone_is_unused_or_reads_through_the_page_cache(
    netns: Netns, tmp_path: pathlib.Path, binary: str, line: str, calls: set[str]
) -> None:
    """io_submit() is asynchronous for files opened with O_DIRECT only. Debian's nginx is built without it."""
    (tmp_path / "big").write_bytes(bytes(MIB))
    http = f"aio on;\n{line}\nroot {tmp_path};\nserver {{\n listen 127.0.0.1:80;\n}}\n"
    with running(netns, tmp_path / "nginx", http, binary=binary) as nginx:
        with traced(nginx, tmp_path, "io_submit,fcntl,sendfile") as lines, connect(netns, 80) as client:
            assert len(ask(client, "/big")[1]) == MIB
        assert {word for word in ("sendfile", "io_submit", "O_DIRECT") if any(word in one for one in lines)} == calls
        assert bool(failing(nginx, "aio-inert")) is ("O_DIRECT" not in calls)


def test_send_lowat_is_refused_by_linux(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    nginx = Nginx(netns, tmp_path, binary=binary)
    nginx.write("send_lowat 12000;\n")
    said = nginx.test()
    assert said.returncode == 0
    assert '"send_lowat" is not supported, ignored' in said.stderr
    assert failing(nginx, "send-lowat-ignored") == ["http"]


def test_revalidation_and_ranges_need_their_directives(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    (tmp_path / "page").write_bytes(bytes(1000))
    http = f"root {tmp_path};\nserver {{\n listen 127.0.0.1:80;\n}}\n"
    http += "server {\n listen 127.0.0.1:81;\n etag off;\n if_modified_since off;\n max_ranges 0;\n}\n"
    with running(netns, tmp_path / "nginx", http, binary=binary) as nginx:
        statuses = []
        for port in (80, 81):
            with connect(netns, port) as client:
                head, _ = ask(client, "/page")
                date = next(line for line in head.split("\r\n") if line.startswith("Last-Modified: "))
                marks = [line for line in head.split("\r\n") if line.startswith("ETag: ")]
                wanted = [f"If-Modified-Since{date.removeprefix('Last-Modified')}"]
                wanted += [f"If-None-Match{mark.removeprefix('ETag')}" for mark in marks]
                again, _ = ask(client, "/page", "a", *wanted, "Connection: close")
            with connect(netns, port) as client:
                part, body = ask(client, "/page", "a", "Range: bytes=10-19")
            statuses.append((again.split()[1], part.split()[1], len(body)))
        assert statuses == [("304", "206", 10), ("200", "200", 1000)]
        assert failing(nginx, "revalidation-off") == failing(nginx, "ranges-off") == ["server 127.0.0.1:81"]


def test_what_is_dense_or_tiny_does_not_become_smaller(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    photo = random.Random(1).randbytes(20_000)  # noqa: S311 (bytes that stay the same, no secret)
    tiny = b'{"id":17,"ok":true,"name":"a user"}'
    (tmp_path / "photo.jpg").write_bytes(photo)
    (tmp_path / "tiny.json").write_bytes(tiny)
    http = (
        f"root {tmp_path};\ntypes {{\n image/jpeg jpg;\n application/json json;\n}}\n"
        "gzip on;\ngzip_types image/jpeg application/json;\ngzip_min_length 1;\n"
        "server {\n listen 127.0.0.1:80;\n}\n"
    )
    with running(netns, tmp_path / "nginx", http, binary=binary) as nginx:
        for name, plain in (("photo.jpg", photo), ("tiny.json", tiny)):
            with connect(netns, 80) as client:
                head, body = ask(client, f"/{name}", "a", "Accept-Encoding: gzip", "Connection: close")
            assert "Content-Encoding: gzip" in head
            assert "Accept-Ranges" not in head
            packed = _unchunked(body)
            assert gzip.decompress(packed) == plain
            assert len(packed) > len(plain)
        assert failing(nginx, "gzip-compressed-formats") == failing(nginx, "gzip-tiny") == ["http"]


def _unchunked(body: bytes) -> bytes:
    out = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        out, body = out + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return out


def test_only_html_is_compressed_unless_types_are_named(netns: Netns, tmp_path: pathlib.Path, binary: str) -> None:
    for name in ("a.html", "a.css"):
        (tmp_path / name).write_text("body { color: red }\n" * 100)
    http = f"root {tmp_path};\ntypes {{\n text/html html;\n text/css css;\n}}\ngzip on;\ngzip_comp_level 5;\n"
    with running(netns, tmp_path / "nginx", http + "server {\n listen 127.0.0.1:80;\n}\n", binary=binary) as nginx:
        packed = {}
        for name in ("a.html", "a.css"):
            with connect(netns, 80) as client:
                head, _ = ask(client, f"/{name}", "a", "Accept-Encoding: gzip", "Connection: close")
            packed[name] = "Content-Encoding: gzip" in head
        assert packed == {"a.html": True, "a.css": False}
        assert failing(nginx, "gzip-html-only") == ["http"]


@pytest.mark.parametrize(("value", "left"), [("on", 1), ("clean", 0), ("off", 0)])
def test_bodies_that_are_kept_stay(netns: Netns, tmp_path: pathlib.Path, binary: str, value: str, left: int) -> None:
    http = (
        f"client_body_in_file_only {value};\n"
        "server {\n listen 127.0.0.1:80;\n location / {\n  proxy_pass http://127.0.0.1:81;\n }\n}\n"
        "server {\n listen 127.0.0.1:81;\n return 200 a;\n}\n"
    )
    with running(netns, tmp_path, http, binary=binary) as nginx:
        with connect(netns, 80) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            while client.recv(1 << 16):
                pass
        assert _files(tmp_path / "client_body", left) == ["hello"] * left
        assert bool(failing(nginx, "request-bodies-kept")) is bool(left)


def _files(folder: pathlib.Path, wanted: int) -> list[str]:
    """What stands in its files, as soon as there are so many: nginx cleans up once the client has closed."""
    end = time.monotonic() + 5
    while True:
        found = [path.read_text() for path in folder.rglob("*") if path.is_file()]
        if len(found) == wanted or time.monotonic() > end:
            return found
        time.sleep(0.01)
