"""What it costs to count 40,000 connections: our collector, ss and psutil, in one run and in turns.

Two network namespaces joined by a veth; one holds the accepted ends of 40,000 connections in several processes, and
the counting is done there. Needs root and iproute2.
"""

from __future__ import annotations

import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import cpu, medians, table  # noqa: E402 (the path to it is set above)
from support.netns import Netns, pair  # noqa: E402

HOLDERS = 4
"""Processes on each side: one alone may not hold 40,000 descriptors everywhere."""
EACH = 10_000
ROUNDS = 7
PORT = 8000
SERVER = "10.9.0.1"

OURS = """
import time
from advisor.collect.sockets import read_sockets
from advisor.system import System
begun = time.process_time()
found = read_sockets(System(), frozenset({ports}))
spent = time.process_time() - begun
aged = sum(sum(one.idle.counts) for one in found.listeners if one.idle)
print(sum(found.states.values()), spent, aged)
"""
PSUTIL = """
import time
import psutil
begun = time.process_time()
found = len(psutil.net_connections("tcp"))
print(found, time.process_time() - begun)
"""


def main() -> None:
    """Make the connections, and have them counted inside."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        sys.stdout.write("counting 40,000 connections: left out, needs root and iproute2\n")
        return
    with pair() as (web, crowd):
        for number in range(HOLDERS):
            ready(web, "hold", number)
            ready(crowd, "connect", number)
        subprocess.run(web.argv(sys.executable, str(HERE), "measure"), check=True, timeout=600)


def ready(side: Netns, role: str, number: int) -> None:
    """Start one process of a side, and wait until it listens, or until its connections stand."""
    process = side.start(sys.executable, str(HERE), role, str(number), stdout=subprocess.PIPE, text=True)
    with process.stdout as said:
        if said.readline() != "ready\n":
            raise SystemExit("the connections could not be made")


def measure() -> None:
    """Count in turns; every count must be the same."""
    counted: dict[str, set[int]] = {}
    inside: dict[str, list[float]] = {}
    ports = set(range(PORT, PORT + HOLDERS))
    programs = {"read_sockets": OURS.format(ports="()"), "psutil.net_connections": PSUTIL}
    programs["read_sockets, with idle ages"] = OURS.format(ports=ports)

    def python(name: str) -> float:
        seconds, said = cpu([sys.executable, "-c", programs[name]])
        count, spent, *_ = said.split()
        counted.setdefault(name, set()).add(int(count))
        inside.setdefault(name, []).append(float(spent))
        return seconds

    def ss() -> float:
        seconds, said = cpu(["ss", "-tanH"])
        counted.setdefault("ss -tanH", set()).add(len(said.splitlines()))
        return seconds

    whole = medians(
        {
            "read_sockets": lambda: python("read_sockets"),
            "ss -tanH": ss,
            "psutil.net_connections": lambda: python("psutil.net_connections"),
            "read_sockets, with idle ages": lambda: python("read_sockets, with idle ages"),
            "ss starting": lambda: cpu(["ss", "-V"])[0],
        },
        ROUNDS,
    )
    if len(set.union(*counted.values())) != 1:
        raise SystemExit(f"the counts differ: {counted}")
    starting = whole.pop("ss starting")
    total = counted["ss -tanH"].pop()
    table(f"counting {total:,} sockets, whole process, median of {ROUNDS} (all counts equal)", whole, "ss -tanH")
    spent = {name: statistics.median(times[1:]) for name, times in inside.items()}
    spent = {name: spent.get(name, whole["ss -tanH"] - starting) for name in whole}
    table("the same without starting the process (ss: less 'ss -V')", spent, "ss -tanH")


def hold(number: int) -> None:
    """Accept and keep."""
    server = socket.create_server(("", PORT + number), backlog=4096)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdout.close()
    kept = [server.accept()[0] for _ in range(EACH)]
    time.sleep(600)
    del kept


def connect(number: int) -> None:
    """Connect and keep."""
    kept = [socket.create_connection((SERVER, PORT + number), 30) for _ in range(EACH)]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    time.sleep(600)
    del kept


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    match sys.argv[1:]:
        case ["hold", number]:
            hold(int(number))
        case ["connect", number]:
            connect(int(number))
        case ["measure"]:
            measure()
        case _:
            main()
