"""What it costs to count 20,000, 200,000 and 500,000 sockets: our collectors, ss and psutil, in turns in one run.

Two network namespaces joined by a veth; one holds the sockets in several processes, with 15 % of them in TIME_WAIT and
a twentieth of the rest in CLOSE_WAIT, and the counting is done there. All counts of a round must be equal. The figure
is the CPU time of the whole process, user and system. Needs root and iproute2.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import used  # noqa: E402 (the path to it is set above)
from support.population import populated  # noqa: E402 (likewise)

SIZES = (20_000, 200_000)
TIME_WAIT = 0.15
ROUNDS = 5
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
    "from advisor.collect.owners import read_held\n"
    "print(sum(row.count for row in read_held(System()) if row.state == 'CLOSE_WAIT' and row.pid))\n"
)
PSUTIL = "import psutil\nprint(len(psutil.net_connections('tcp')))\n"
EVERYTHING = "every state, listener, destination"


def main() -> None:
    """Make the sockets, and have them counted inside."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        sys.stdout.write("counting sockets: left out, needs root and iproute2\n")
        return
    for size in SIZES:
        with populated(size, TIME_WAIT) as (web, ports):
            argv = web.argv(sys.executable, str(HERE), "measure", str(size), ",".join(map(str, sorted(ports))))
            subprocess.run(argv, check=True, timeout=280)


def measure(size: int, ports: str) -> None:
    """Count in turns; first while TIME_WAIT stand, then what takes longer than they do."""
    every = [*python(FULL.format(ports="()") + ROWS)]
    for warm in (FULL.format(ports="()") + ROWS, SUMMARY, OWNERS.replace("print(", "0 and print("), "import psutil"):
        used(python(warm)) if size == SIZES[0] else None
    compared({"ss -tanH": ["ss", "-tanH"], EVERYTHING: every, "summary": python(SUMMARY)}, ROUNDS)
    on = [word for port in ports.split(",") for word in ("or", "sport", "=", f":{port}")][1:]
    ours = python(FULL.format(ports=f"[{ports}]") + AGES)
    compared({"ss -tanHi, of the listeners": ["ss", "-tanHi", "state", "established", *on], "with ages": ours}, 1)
    compared({"ss -tanHp, CLOSE_WAIT": ["ss", "-tanHp", "state", "close-wait"], "their owners": python(OWNERS)}, 1)
    compared({"psutil.net_connections": python(PSUTIL), EVERYTHING: every}, 1)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def compared(programs: dict[str, list[str]], rounds: int) -> None:
    """Run in turns, check that all count alike, and print what each took, as multiples of the first, too."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    memory: dict[str, float] = {}
    counts: dict[str, int] = {}
    for _ in range(rounds):
        for name, argv in programs.items():
            spent, memory[name], said = used(argv)
            seconds[name].append(spent)
            counts[name] = counted(said)
    if len(set(counts.values())) > 1:
        raise SystemExit(f"the counts differ: {counts}")
    first = next(iter(programs))
    lines = [f"{counts[first]:,} sockets, median of {rounds}, counted alike: CPU seconds, x {first}, MiB at most"]
    for name, found in seconds.items():
        median = statistics.median(found)
        lines.append(
            f"  {name:<36} {median:8.3f} {median / statistics.median(seconds[first]):8.3f} {memory[name]:7.0f}"
        )
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def counted(said: str) -> int:
    """A number, or lines of ss; tcp_info stands on a line of its own."""
    lines = said.splitlines()
    return int(lines[0]) if len(lines) == 1 and lines[0].isdecimal() else sum(not line[0].isspace() for line in lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(int(sys.argv[2]), sys.argv[3])
    else:
        main()
