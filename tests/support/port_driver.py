"""The client and the server of `support.port_peers`, as a test holds them; and what ss shows of ports."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from advisor.facts.derive import Facts
from advisor.jobs import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.netns import Netns

_PEERS = [sys.executable, str(pathlib.Path(__file__).with_name("port_peers.py"))]
_ROOT = pathlib.Path(__file__).parents[2]
_COLLECT = """
import sys
from advisor.collect.run import Request, collect
from advisor.jobs import keep
print("ready", flush=True)
for _ in sys.stdin:
    print(keep.to_json(collect(Request(sample=0)), with_config=True).replace(chr(10), " "), flush=True)
"""
"""What the command does, without its start each time."""


class Client:
    """Takes local ports of a namespace."""

    def __init__(self, process: subprocess.Popen[str], local: str) -> None:
        self.local = local
        self._process = process

    def hold(self, to: str, port: int, count: int, way: str = "plain") -> int:
        """Open so many connections; how many got a port."""
        return self._order(way=way, to=to, port=port, count=count)

    def churn(self, to: str, port: int, seconds: float, *, most: int = 100_000, last: bool = False) -> int:
        """Open and close at most so many one after the other, ``last`` after the other side; how many got a port."""
        return self._order(way="plain", to=to, port=port, seconds=seconds, count=most, last=last)

    def drop(self) -> None:
        """Reset all that are held: none stays in TIME_WAIT."""
        self._order(drop=True)

    def _order(self, **order: Any) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"local": self.local, **order}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextlib.contextmanager
def client(ns: Netns, local: str = "10.9.0.1") -> Iterator[Client]:
    """A client while the block runs."""
    with _started(ns, *_PEERS, "drive") as process:
        yield Client(process, local)


@contextlib.contextmanager
def server(ns: Netns, address: str, *ports: int, deaf: bool = False) -> Iterator[None]:
    """Accept on these ports while the block runs, and close after the other side did; ``deaf``: never."""
    with _started(ns, *_PEERS, "ignore" if deaf else "serve", address, *map(str, ports)):
        yield


@contextlib.contextmanager
def looking(ns: Netns) -> Iterator[Callable[[], Facts]]:
    """Collects in the namespace whenever it is called, and knows what can be known of that."""
    with _started(ns, sys.executable, "-c", _COLLECT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told, heard = process.stdin, process.stdout

        def look() -> Facts:
            told.write("look\n")
            told.flush()
            return Facts(load.parse(heard.readline().encode(), ns.name))

        yield look


@contextlib.contextmanager
def _started(ns: Netns, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = ns.start(*arguments, cwd=_ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline() == "ready\n"
        yield process


def by_hand(ns: Netns) -> dict[str, Counter[str]]:
    """What ``ss -Htan`` prints, grouped: states by remote address and port, without listeners."""
    found: dict[str, Counter[str]] = {}
    for line in ns.run("ss", "-Htan").stdout.splitlines():
        state, _, _, _, remote, *_ = line.split()
        if state != "LISTEN":
            found.setdefault(remote, Counter())[state] += 1
    return found
