"""What it costs to tell the connections of captures apart: `advisor capture`, tshark, tcptrace and capinfos, in turns.

The captures: 130,000 generated connections in 3.2 million packets, once as headers and once with all payload; and a
real one of wrk and nginx on a loopback interface. Then ten times the first through a pipe, for memory alone. Before
that, each generated connection must have the end states, counts and times it was generated with. The figure is the CPU
time of the whole process, user and system. A target that is missed is said, and is no failure, for other work on the
machine disturbs. What is not installed is left out. Takes 3 GB of disk, and root for the loopback capture.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import used  # noqa: E402 (the path to it is set above)
from support.netns import Netns  # noqa: E402 (likewise)
from support.nginx import running  # noqa: E402 (likewise)

ROUNDS, SLOW, SLOWEST = 5, "tcptrace", "tshark"
"""Rounds of all but the slow ones: tcptrace is run twice, tshark once, amid the others."""
PACKETS = 1_300_000
"""Of the loopback capture."""
SCALE = 10
MOST_MIB = 256
OURS = [str(pathlib.Path(sys.executable).parent / "advisor"), "capture"]
QUIETLY = ["sh", "-c", 'exec "$@" >/dev/null', "sh"]
"""What reads no output stays small: a process is said to need at least what the one that starts it does."""
GENERATOR = [sys.executable, "-m", "support.capture_generator"]
DISK = 3 << 30
HTTP = """\
    keepalive_requests 100;
    server {
        listen 8080;
        location / { return 200 "hello"; }
        location /large { root FOLDER; }
    }
"""


class Target(NamedTuple):
    """How many times as much another tool must take at least."""

    tshark: float
    tcptrace: float | None


def main() -> None:
    """Make them, and measure."""
    with tempfile.TemporaryDirectory(prefix="advisor-bench-") as name:
        folder = pathlib.Path(name)
        if shutil.disk_usage(folder).free < DISK:
            sys.stdout.write("captures: left out, needs 3 GB of disk\n")
            return
        for words, more in (("headers only", []), ("with payload", ["--full"])):
            file = folder / "generated.pcap"
            generate(file, folder / "truth.npy", *more)
            compared(f"130,000 generated connections, {words}", file, Target(20, 4))
        file.unlink()
        with looped(folder) as looping:
            if looping:
                compared("wrk and nginx on a loopback interface", looping, Target(10, None))
        piped()


def generate(file: pathlib.Path, truth: pathlib.Path, *more: str) -> None:
    """Write a capture, and have all of its connections compared with the truth."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    subprocess.run([*GENERATOR, str(file), "--truth", str(truth), *more], check=True, env=environment)
    subprocess.run([sys.executable, str(HERE), "check", str(file), str(truth)], check=True)


def check(file: str, truth: str) -> None:
    """Every connection has its end states, its counts and its times, or the bench ends."""
    import numpy as np  # noqa: PLC0415 (the process that measures stays small: its memory is inherited)
    from support.capture_truth import differences, told  # noqa: PLC0415 (likewise)
    from support.capture_wire import Form  # noqa: PLC0415 (likewise)

    with open(file, "rb") as source:
        columns, endpoints = told(source)
    wrong = differences(np.load(truth), columns, endpoints, Form())
    if wrong:
        raise SystemExit(f"connections that differ from the truth, by field: {wrong}")
    sys.stdout.write(f"{len(columns):,} connections, all as they were generated\n")


def compared(title: str, file: pathlib.Path, target: Target) -> None:
    """Run in turns, and print what each took."""
    tools = {
        "advisor": [*OURS, str(file)],
        "capinfos -c": ["capinfos", "-c", str(file)],
        SLOW: [SLOW, "-n", str(file)],
        SLOWEST: [SLOWEST, "-q", "-z", "conv,tcp", "-r", str(file)],
    }
    tools = {name: [*QUIETLY, *argv] for name, argv in tools.items() if shutil.which(argv[0])}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in tools}
    used(tools["advisor"])  # which compiles what it imports, and brings the file into memory
    for turn in range(ROUNDS):
        for name, argv in tools.items():
            if (name != SLOW or turn % 2) and (name != SLOWEST or turn == ROUNDS // 2):
                found[name].append(used(argv)[:2])
    size = file.stat().st_size / 1e6
    lines = [f"{title}: {size:,.0f} MB; CPU seconds (median), x advisor, MiB"]
    medians = {name: statistics.median(seconds for seconds, _ in rows) for name, rows in found.items()}
    for name, rows in found.items():
        ratio = medians[name] / medians["advisor"]
        peak = max(memory for _, memory in rows)
        lines.append(f"  {name:<14}{medians[name]:8.2f}{ratio:8.1f}{peak:7.0f}{_goal(name, ratio, peak, target)}")
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def _goal(name: str, ratio: float, peak: float, target: Target) -> str:
    if name == "advisor":
        return f"  at most {MOST_MIB} MiB: {'met' if peak <= MOST_MIB else 'missed'}"
    least = {SLOWEST: target.tshark, SLOW: target.tcptrace}.get(name)
    return "" if least is None else f"  at least {least:g} x: {'met' if ratio >= least else 'missed'}"


@contextlib.contextmanager
def looped(folder: pathlib.Path) -> Iterator[pathlib.Path | None]:
    """A capture of what wrk asks nginx, small answers and large ones; None where it can't be made."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "nginx", "wrk", "tcpdump"))):
        sys.stdout.write("the loopback capture is left out: it needs root, iproute2, nginx, wrk and tcpdump\n")
        yield None
        return
    file = folder / "looped.pcap"
    (folder / "large").write_bytes(bytes(300_000))
    ns = Netns()
    try:
        with running(ns, folder / "nginx", HTTP.replace("FOLDER", str(folder)), workers=2):
            argv = [
                "tcpdump",
                "-Z",
                "root",
                "-i",
                "lo",
                "-s",
                "128",
                "-B",
                "262144",
                "-c",
                str(PACKETS),
                "-w",
                str(file),
            ]
            tcpdump = ns.start(*argv, stderr=subprocess.DEVNULL)
            for path in ("/", "/large"):
                ns.start("wrk", "-t1", "-c32", "-d60", f"http://127.0.0.1:8080{path}", stdout=subprocess.DEVNULL)
            tcpdump.wait(60)
    finally:
        ns.close()
    yield file


def piped() -> None:
    """Ten times as much, in ten times the time: it is never on disk, and must not be in memory either."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    generator = subprocess.Popen(
        [*GENERATOR, "-", "--scale", str(SCALE)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    ours = subprocess.Popen([*OURS, "-"], stdin=generator.stdout, stdout=subprocess.DEVNULL)
    assert generator.stdout is not None
    generator.stdout.close()
    _, status, usage = os.wait4(ours.pid, 0)
    ours.returncode = os.waitstatus_to_exitcode(status)
    if generator.wait(60) or ours.returncode:
        raise SystemExit(f"the pipe broke: the generator {generator.returncode}, advisor {ours.returncode}")
    peak = usage.ru_maxrss / 1024
    said = "met" if peak <= MOST_MIB else "missed"
    seconds = usage.ru_utime + usage.ru_stime
    sys.stdout.write(f"{SCALE} x the first through a pipe: {seconds:.1f} CPU s, {peak:.0f} MiB at most; ")
    sys.stdout.write(f"at most {MOST_MIB} MiB: {said}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(*sys.argv[2:])
    else:
        main()
