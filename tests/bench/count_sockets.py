"""What it costs to count 20,000, 200,000 and 500,000 sockets: our collectors, ss and psutil, in turns in one run.

Two network namespaces joined by a veth; one holds the sockets in several processes, with 15 % of them in TIME_WAIT and
a twentieth of the rest in CLOSE_WAIT, and the counting is done there. All counts of a round must be equal. The figure
is the CPU time of the whole process, user and system. Beside each ratio stands what it should be at most: one that is
missed is said, and is no failure, for other work on the machine disturbs. Needs root and iproute2.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import counted  # noqa: E402 (the path to it is set above)
from support.population import LONGEST, populated  # noqa: E402 (likewise)

SIZES = (20_000, 200_000, 500_000)
TIME_WAIT = 0.15
ROUNDS = 7
"""Of what is quick: TIME_WAIT lasts for 60 s, in which they must be over."""

HEAD = "from advisor.system import System\n"
FULL = HEAD + "from advisor.collect.sockets import read_sockets\nfound = read_sockets(System(), frozenset({ports}))\n"
ROWS = (
    "of_rows = sum(sum(row.states.values()) for row in [*found.listeners, *found.destinations])\n"
    "assert of_rows + found.states['LISTEN'] == sum(found.states.values())\nprint(of_rows + found.states['LISTEN'])\n"
)
AGES = "print(sum(sum(one.idle.counts) for one in found.listeners if one.idle))\n"
SUMMARY = HEAD + "from advisor.collect.summary import read_states\nprint(sum(read_states(System()).values()))\n"
OWNERS = HEAD + (
    "from advisor.collect import descriptors\n"
    "from advisor.collect.owners import read_held\n"
    "descriptors.CPU_S = 60\n"  # all owners, though an audit would stop after 2 s
    "from advisor.snapshot.counted import Listener, Sockets\n"
    "listeners = [Listener(address='', port=port) for port in [{ports}]]\n"
    "known = Sockets(method='SOCK_DIAG', states={{}}, listeners=listeners)\n"
    "print(sum(row.count for row in read_held(System(), known) if row.state == 'CLOSE_WAIT' and row.pid))\n"
)
PSUTIL = "import psutil\nprint(len(psutil.net_connections('tcp')))\n"
EVERYTHING = "every state, listener, destination"
SS, SS_OWNERS, PSUTIL_CALL = "ss -tanH", "ss -tanHp in CLOSE_WAIT", "psutil.net_connections"
TARGETS = {(SS, EVERYTHING): 0.5, (SS, "summary"): 0.1, (SS_OWNERS, "owners"): 0.2, (PSUTIL_CALL, EVERYTHING): 0.05}
"""CPU time at most, as a multiple of what others take for the same question."""
LEAST_S = 0.45
"""Where the others take less CPU time, Python's start is most of ours, and no target stands."""


def main() -> None:
    """Make the sockets, and have them counted inside."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        sys.stdout.write("counting sockets: left out, needs root and iproute2\n")
        return
    for size in SIZES:
        sys.stdout.write(f"{size:,} sockets\n")
        sys.stdout.flush()
        with populated(size, TIME_WAIT) as (web, ports):
            argv = web.argv(sys.executable, str(HERE), "measure", ",".join(map(str, sorted(ports))))
            subprocess.run(argv, check=True, timeout=LONGEST)


def measure(ports: str) -> None:
    """Count in turns; first while TIME_WAIT stand, then what takes longer than they do."""
    every = python(FULL.format(ports="()") + ROWS)
    for program in (FULL.format(ports="()") + ROWS, SUMMARY, "import advisor.collect.owners, psutil\nprint(0)"):
        counted(python(program))  # which compiles what it imports
    compared({SS: ["ss", "-tanH"], EVERYTHING: every, "summary": python(SUMMARY)}, ROUNDS)
    on = [word for port in ports.split(",") for word in ("or", "sport", "=", f":{port}")][1:]
    ours = python(FULL.format(ports=f"[{ports}]") + AGES)
    compared({"ss -tanHi of the listeners": ["ss", "-tanHi", "state", "established", *on], "with ages": ours}, 1)
    compared(
        {
            SS_OWNERS: ["ss", "-tanHp", "state", "close-wait"],
            "owners": python(OWNERS.format(ports=ports)),
        },
        1,
    )
    while b" tw 0 " not in pathlib.Path("/proc/net/sockstat").read_bytes():
        time.sleep(1)  # psutil shows TIME_WAIT, too, but takes longer than it lasts
    compared({PSUTIL_CALL: python(PSUTIL), EVERYTHING: every}, 3, slow=PSUTIL_CALL)


def python(program: str) -> list[str]:
    """A process of its own."""
    return [sys.executable, "-c", program]


def compared(programs: dict[str, list[str]], rounds: int, slow: str = "") -> None:
    """Run in turns, check that all count alike, and print what each took, as multiples of the first, too.

    What is slow is run once.
    """
    found = {name: [counted(argv)] for name, argv in programs.items()}
    for _ in range(rounds - 1):
        for name in programs.keys() - {slow}:
            found[name].append(counted(programs[name]))
    counts = {count for rows in found.values() for _, _, count in rows}
    if len(counts) > 1:
        raise SystemExit(f"the counts differ: { {name: [row[2] for row in rows] for name, rows in found.items()} }")
    head = f"{counts.pop():,} sockets, counted alike by all; median of {rounds}: CPU seconds, ratio (of the least), MiB"
    sys.stdout.write("\n".join([f"  {head}", *_rows(found), ""]))
    sys.stdout.flush()


def _rows(found: dict[str, list[tuple[float, float, int]]]) -> Iterator[str]:
    first = next(iter(found))
    medians = {name: statistics.median(row[0] for row in rows) for name, rows in found.items()}
    least = {name: min(row[0] for row in rows) for name, rows in found.items()}
    for name, rows in found.items():
        ratio = medians[name] / medians[first]
        said = f"    {name:<36}{medians[name]:8.3f}{ratio:8.3f}{least[name] / least[first]:9.3f}"
        said += f"{max(row[1] for row in rows):6.0f}"
        target = TARGETS.get((first, name))
        if target is not None and medians[first] >= LEAST_S:
            said += f"  target {target}: {'met' if ratio <= target else 'missed'}"
        yield said


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2])
    else:
        main()
