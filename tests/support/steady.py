"""The load of `support.load` as a test holds it: started in a namespace, asked for what it holds, ended."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from support import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.netns import Netns


class Steady:
    """A load that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.begun = time.monotonic()

    def moments(self) -> list[dict[str, Any]]:
        """What it held at every moment since it was last asked; ``time`` is `time.monotonic`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the load has ended"
        found: list[dict[str, Any]] = json.loads(answer)
        return found

    def until(self, seconds: float) -> None:
        """Wait until it has run for that long."""
        time.sleep(max(0.0, self.begun + seconds - time.monotonic()))


@contextlib.contextmanager
def steady(ns: Netns, mix: load.Mix) -> Iterator[Steady]:
    """The load, while the block runs; its clients' addresses are made local to the namespace."""
    ns.run("ip", "route", "add", "local", mix.network, "dev", "lo")
    program = str(pathlib.Path(load.__file__))
    process = ns.start(
        sys.executable,
        program,
        json.dumps(dataclasses.asdict(mix)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Steady(process)
        finally:
            process.kill()
