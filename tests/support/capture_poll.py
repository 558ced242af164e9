"""What the kernel says of every TCP connection of a namespace, asked hundreds of times a second by SOCK_DIAG.

``capture_poll.py`` prints ``ready``, asks until a line comes on its standard input (or for `LONGEST` seconds), and
prints one JSON object: ``polls``, pairs of nanoseconds since the epoch before and after each question, and ``seen``, a
list of ``[local address, local port, remote address, remote port, [[poll, state], ...]]``: from that poll on it was in
that state, 0 where it was not there.
"""

from __future__ import annotations

import bisect
import json
import pathlib
import select
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

LONGEST = 60
PAUSE = 0.002
End = tuple[bytes, int]
"""An address of 4 or 16 bytes, and a port."""


class Poll:
    """A poller at work in a namespace; once stopped it knows what was seen."""

    def __init__(self, ns: Any) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = ns.start(sys.executable, str(pathlib.Path(__file__).resolve()), **pipes)
        assert self.process.stdout.readline() == "ready\n"
        self.polls: list[tuple[int, int]] = []
        self.seen: dict[tuple[End, End], list[tuple[int, int]]] = {}

    def stopped(self) -> Poll:
        """End it, and take what it found."""
        said = json.loads(self.process.communicate("\n", timeout=20)[0])
        self.polls = [(before, after) for before, after in said["polls"]]
        for local, port, remote, to, changes in said["seen"]:
            ends = (bytes.fromhex(local), port), (bytes.fromhex(remote), to)
            self.seen[ends] = [(poll, state) for poll, state in changes]
        return self

    def between(self, local: End, remote: End, since: int, until: int) -> Iterator[int]:
        """The state of one connection in each poll that lies wholly between two times; 0 where it was not there."""
        changes = self.seen.get((local, remote), [])
        for number in range(bisect.bisect_left(self.polls, (since, since)), len(self.polls)):
            if self.polls[number][1] > until:
                return
            place = bisect.bisect_right(changes, (number, sys.maxsize))
            yield changes[place - 1][1] if place else 0


def main() -> None:
    """Ask, again and again."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
    from advisor.catalog.tcp import CONNECTIONS  # noqa: PLC0415 (a test that imports this file has the path)
    from advisor.collect.netlink import each  # noqa: PLC0415 (likewise)

    polls: list[tuple[int, int]] = []
    seen: dict[tuple[str, int, str, int], list[tuple[int, int]]] = defaultdict(list)
    states: dict[tuple[str, int, str, int], int] = {}
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    end = time.monotonic() + LONGEST
    while time.monotonic() < end and not select.select([sys.stdin], [], [], PAUSE)[0]:
        before = time.time_ns()
        found = {
            (one.source.hex(), one.sport, one.destination.hex(), one.dport): one.state for one in each(CONNECTIONS)
        }
        polls.append((before, time.time_ns()))
        for key in found.keys() | states.keys():
            if found.get(key, 0) != states.get(key, 0):
                seen[key].append((len(polls) - 1, found.get(key, 0)))
        states = found
    sys.stdout.write(json.dumps({"polls": polls, "seen": [[*key, changes] for key, changes in seen.items()]}))


if __name__ == "__main__":
    main()
