# ruff: noqa: INP001 (a script of this example, no package)
# ruff: noqa: S603, S607 (it runs ip, mount, nginx and patch by name, each from a list of arguments)
# ruff: noqa: T201 (it tells the person who waits how far it is)
"""Record snapshot.json and after.json: the incident as it was, and the same load after the patch.

    python3 examples/keepalive-300/record.py        as root, with nginx and iproute2; takes ten minutes

Two network namespaces joined by a veth stand for the web server and for its clients. The server has its own host name
and its own view of /etc, so that nothing of this machine but its kernel, CPUs and memory is in the recording. Four
client processes open 400 connections in 3 s, from 10,000 addresses in turn; each connection sends one GET, reads the
answer and is left idle until nginx closes it. After 300 s as many leave as arrive: 400 / 3 s x 300 s = 40,000.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = 4
"""Processes: one alone may not hold 40,000 descriptors where RLIMIT_NOFILE can't be raised."""
ADDRESSES = 2_500
"""Source addresses of each client process."""
RATE = 400 / 3 / CLIENTS
"""New connections per second of each client process."""
FULL = 380.0
"""Seconds until nothing grows any more: keepalive_timeout, the 60 s of TIME_WAIT, and some to spare."""
AFTER = 150.0
"""The same for the patched keepalive_timeout of 60 s."""
SERVER = ("10.200.0.1", 80)


def main() -> None:
    """Make both sides, wait, record, patch, wait, record."""
    with contextlib.ExitStack() as stack:
        web, crowd = (stack.enter_context(namespace(name)) for name in ("keepalive-300-web", "keepalive-300-crowd"))
        join(web, crowd)
        server = stack.enter_context(child(web, "unshare", "-u", "-m", sys.executable, __file__, "server"))
        said(server, "ready")
        for number in range(CLIENTS):
            stack.enter_context(child(crowd, sys.executable, __file__, "client", str(number)))
        print(f"{FULL:g} s until the server is full")
        time.sleep(FULL)
        ask(server, "collect snapshot.json")
        ask(server, "patch")
        print(f"{AFTER:g} s until the patched server is steady")
        time.sleep(AFTER)
        ask(server, "collect after.json")


@contextlib.contextmanager
def namespace(name: str):  # noqa: ANN201 (a context manager of the name)
    """A network namespace, gone afterwards."""
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        ip("netns", "del", name)


@contextlib.contextmanager
def child(ns: str, *argv: str):  # noqa: ANN201 (a context manager of the process)
    """A process in a namespace, ended and awaited afterwards."""
    command = ["nsenter", f"--net=/run/netns/{ns}", *argv]  # ip netns exec would hide control groups
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def ask(server: subprocess.Popen[str], what: str) -> None:
    """Have the server side do something, and wait until it is done."""
    server.stdin.write(f"{what}\n")
    server.stdin.flush()
    said(server, f"done: {what}")


def said(process: subprocess.Popen[str], line: str) -> None:
    """Wait for a line."""
    found = process.stdout.readline().strip()
    if found != line:
        raise SystemExit(f"expected '{line}' and got '{found}'")
    print(line)


def ip(*argv: str) -> None:
    """Run iproute2's ip."""
    subprocess.run(["ip", *argv], check=True)


def join(web: str, crowd: str) -> None:
    """A veth between both; the crowd may speak from any address of 10.201.0.0/16."""
    ip("link", "add", "web0", "netns", web, "type", "veth", "peer", "name", "crowd0", "netns", crowd)
    for ns, device, address in ((web, "web0", f"{SERVER[0]}/30"), (crowd, "crowd0", "10.200.0.2/30")):
        ip("-n", ns, "addr", "add", address, "dev", device)
        ip("-n", ns, "link", "set", device, "up")
    ip("-n", crowd, "route", "add", "local", "10.201.0.0/16", "dev", "lo")
    ip("-n", web, "route", "add", "10.201.0.0/16", "via", "10.200.0.2")


def serve() -> None:
    """The server side: its own name and files, nginx, and what is asked of it line by line."""
    with tempfile.TemporaryDirectory() as folder:
        furnish(pathlib.Path(folder))
        nginx = subprocess.Popen(["nginx", "-g", "daemon off;"], stdin=subprocess.DEVNULL, stdout=sys.stderr)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            listening()
            print("ready", flush=True)
            for line in sys.stdin:
                what, _, name = line.strip().partition(" ")
                {"collect": collect, "patch": patch}[what](name)
                print(f"done: {line.strip()}", flush=True)
        finally:
            nginx.terminate()
            nginx.wait(60)


def listening() -> None:
    """Wait until nginx answers, for at most 10 s."""
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(SERVER, 5).close()
        time.sleep(0.1)
    raise SystemExit("nginx does not listen")


def furnish(folder: pathlib.Path) -> None:
    """Put the example's files where a host has them, in this mount namespace alone."""
    socket.sethostname("web-7")
    for name in ("nginx", "sysctl.d"):
        (folder / name).mkdir()
        subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)
    (folder / "sysctl.conf").write_bytes((HERE / "sysctl.conf").read_bytes())
    subprocess.run(["mount", "--bind", folder / "sysctl.conf", "/etc/sysctl.conf"], check=True)
    (folder / "kmsg").touch()
    subprocess.run(["mount", "--bind", folder / "kmsg", "/dev/kmsg"], check=True)
    pathlib.Path("/etc/nginx/nginx.conf").write_bytes((HERE / "nginx.conf").read_bytes())
    for path in ("/run", "/var/log/nginx", "/var/lib/nginx", "/usr/lib/sysctl.d"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
    subprocess.run(["sysctl", "-q", "-p", "/etc/sysctl.conf"], check=True)


def advisor(*argv: str) -> None:
    """Run this checkout's advisor."""
    subprocess.run([sys.executable, "-m", "advisor", *argv], check=True, cwd=HERE.parents[1], stdout=sys.stderr)


def collect(name: str) -> None:
    """Record what stands now."""
    target = HERE / name
    advisor("collect", "--with-config", "-o", str(target))
    target.chmod(0o644)


def patch(_: str) -> None:
    """Do what the patch folder's page says."""
    with tempfile.TemporaryDirectory() as folder:
        advisor("patch", "--snapshot", str(HERE / "snapshot.json"), "--unsafe", "-o", folder)
        dropin = "etc/sysctl.d/90-advisor.conf"
        pathlib.Path("/", dropin).write_bytes(pathlib.Path(folder, dropin).read_bytes())
        subprocess.run(["sysctl", "-q", "-p", f"/{dropin}"], check=True)
        subprocess.run(["patch", "-p1", "-d", "/", "-i", f"{folder}/nginx.diff"], check=True, stdout=sys.stderr)
        for later in json.loads(pathlib.Path(folder, "plan.json").read_bytes())["overridden_at_boot"]:
            drop_line(pathlib.Path(later["file"]), later["line"])
    subprocess.run(["nginx", "-s", "reload"], check=True, stdout=sys.stderr)


def drop_line(path: pathlib.Path, number: int) -> None:
    """Delete a line of a file, as the page asks."""
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[number - 1]
    path.write_bytes(b"".join(lines))


def client(number: int) -> None:
    """Connect at a steady rate; one GET each, then idle until the server closes."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    request = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"
    poll, held, made = select.epoll(), {}, 0
    begun = time.monotonic()
    while True:
        while made < (time.monotonic() - begun) * RATE:
            place = number * ADDRESSES + made % ADDRESSES
            one = socket.socket()
            one.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
            one.bind((f"10.201.{place // 250}.{place % 250 + 1}", 0))
            one.connect(SERVER)
            one.sendall(request)
            held[one.fileno()] = one
            poll.register(one, select.EPOLLIN)
            made += 1
        for descriptor, _ in poll.poll(0.02):
            answer = held[descriptor].recv(65536)
            if not answer:
                held.pop(descriptor).close()
            elif not re.match(rb"HTTP/1.1 200 ", answer):
                raise SystemExit(f"the server said {answer[:80]!r}")


if __name__ == "__main__":
    roles = {"server": serve, "client": lambda: client(int(sys.argv[2]))}
    roles[sys.argv[1]]() if len(sys.argv) > 1 else main()
