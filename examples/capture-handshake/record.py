# ruff: noqa: INP001 (a script of this example, no package)
# ruff: noqa: S603, S607 (it runs ip, nginx, curl and tcpdump by name, each from a list of arguments)
"""Record curl.pcap: curl asks nginx twice, 15 s apart, and once where nobody listens.

    python3 examples/capture-handshake/record.py     as root, with nginx, curl, tcpdump and iproute2; takes 20 seconds

Two network namespaces joined by a veth stand for the web server and for its client; tcpdump listens at the server.
nginx closes an idle connection after the 5 s of nginx.conf. curl, which waits for its next turn meanwhile
(``--rate 4/m``), finds that out when it wants to use the connection again.
"""

from __future__ import annotations

import contextlib
import pathlib
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVER, CLIENT = "10.200.0.1", "10.200.0.2"


def main() -> None:
    """Make both sides, capture, ask."""
    with contextlib.ExitStack() as stack:
        web, user = (
            stack.enter_context(namespace(name)) for name in ("capture-handshake-web", "capture-handshake-user")
        )
        ip("link", "add", "web0", "netns", web, "type", "veth", "peer", "name", "user0", "netns", user)
        for ns, device, address in ((web, "web0", SERVER), (user, "user0", CLIENT)):
            ip("-n", ns, "addr", "add", f"{address}/30", "dev", device)
            ip("-n", ns, "link", "set", device, "up")
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        paths = f"pid {folder}/nginx.pid; error_log {folder}/error.log; daemon off;"
        config = ["-c", str(HERE / "nginx.conf"), "-e", f"{folder}/error.log", "-g", paths]
        stack.enter_context(child(web, signal.SIGQUIT, "nginx", *config))
        target = str(HERE / "curl.pcap")
        stack.enter_context(
            child(web, signal.SIGINT, "tcpdump", "-i", "web0", "-s", "128", "-Z", "root", "-w", target, "tcp")
        )
        time.sleep(2)  # until both are ready
        inside(user, "curl", "-sS", "--rate", "4/m", f"http://{SERVER}/", f"http://{SERVER}/again")
        inside(user, "curl", "-s", f"http://{SERVER}:8080/", check=False)
        time.sleep(2)  # until tcpdump has all of it
    pathlib.Path(target).chmod(0o644)


@contextlib.contextmanager
def namespace(name: str):  # noqa: ANN201 (a context manager of the name)
    """A network namespace, gone afterwards."""
    ip("netns", "add", name)
    try:
        yield name
    finally:
        ip("netns", "del", name)


@contextlib.contextmanager
def child(ns: str, end: signal.Signals, *argv: str):  # noqa: ANN201 (a context manager of the process)
    """A process in a namespace, ended by its signal and awaited afterwards."""
    process = subprocess.Popen(["nsenter", f"--net=/run/netns/{ns}", *argv])
    try:
        yield process
    finally:
        process.send_signal(end)
        process.wait(30)


def inside(ns: str, *argv: str, check: bool = True) -> None:
    """Run a command in a namespace."""
    subprocess.run(["nsenter", f"--net=/run/netns/{ns}", *argv], check=check, timeout=60)


def ip(*argv: str) -> None:
    """Run iproute2's ip."""
    subprocess.run(["ip", *argv], check=True)


if __name__ == "__main__":
    main()
