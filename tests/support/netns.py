"""Network namespaces that a test makes and deletes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Netns:
    """One network namespace with its loopback up; what is started in it ends with it."""

    def __init__(self) -> None:
        self.name = f"adv-{uuid.uuid4().hex[:8]}"
        ip("netns", "add", self.name)
        self.started: list[subprocess.Popen[Any]] = []
        self.run("ip", "link", "set", "lo", "up")

    def argv(self, *argv: str) -> list[str]:
        """The command line that runs ``argv`` inside."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run inside, fail loudly."""
        options = {"check": True, "capture_output": True, "text": True, "timeout": 120, **options}
        return subprocess.run(self.argv(*argv), **options)

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[Any]:
        """Start inside; it is ended when the namespace closes."""
        process = subprocess.Popen(self.argv(*argv), **options)
        self.started.append(process)
        return process

    def sysctl(self, **values: str) -> None:
        """Set sysctls inside; ``__`` in a name stands for the dot."""
        for key, value in values.items():
            self.run("sysctl", "-qw", f"{key.replace('__', '.')}={value}")

    def close(self) -> None:
        """End everything inside, then the namespace."""
        for process in self.started:
            process.kill()
        for process in self.started:
            process.wait(10)
        try:
            for pid in self._pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        finally:
            ip("netns", "del", self.name)

    def _pids(self) -> list[int]:
        """Who is inside; ip(8) fails where a process ends while it looks, so it is asked again."""
        for _ in range(4):
            with contextlib.suppress(subprocess.CalledProcessError):
                return [int(pid) for pid in ip("netns", "pids", self.name).split()]
        return [int(pid) for pid in ip("netns", "pids", self.name).split()]


def ip(*argv: str) -> str:
    """Run iproute2's ip."""
    return subprocess.run(["ip", *argv], check=True, capture_output=True, text=True, timeout=30).stdout


@contextlib.contextmanager
def pair(left: str = "10.9.0.1", right: str = "10.9.0.2") -> Iterator[tuple[Netns, Netns]]:
    """Two namespaces joined by a veth, each with one address."""
    with contextlib.ExitStack() as stack:
        a, b = Netns(), Netns()
        stack.callback(b.close)
        stack.callback(a.close)
        names = (f"v{a.name[4:]}a", f"v{a.name[4:]}b")
        ip("link", "add", names[0], "netns", a.name, "type", "veth", "peer", "name", names[1], "netns", b.name)
        for ns, name, address in ((a, names[0], left), (b, names[1], right)):
            ns.run("ip", "addr", "add", f"{address}/24", "dev", name)
            ns.run("ip", "link", "set", name, "up")
        yield a, b
