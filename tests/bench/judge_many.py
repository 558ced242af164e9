"""What judging costs: a snapshot of 50 listeners and 200 destinations, and nginx with 20 servers, by all rules.

Each round computes every fact anew: once with the configuration scanned and its tree grown, as reading it leaves it,
and once from its bytes alone, as a snapshot is that was kept in a file.
Then what a whole audit of this host costs beside a program of typer's that does nothing.
"""

from __future__ import annotations

import gc
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE.parent))

from audit_config import HEAD, SERVER  # noqa: E402 (the path to it is set above)
from support.cost import cpu, medians, table  # noqa: E402 (likewise)
from support.snapshots import ages_of, nginx_of, snapshot_with  # noqa: E402 (likewise)

from advisor.catalog.counters import COUNTERS  # noqa: E402 (likewise)
from advisor.engine.judge import judge  # noqa: E402 (likewise)
from advisor.engine.rule import Rule  # noqa: E402 (likewise)
from advisor.facts.derive import Facts  # noqa: E402 (likewise)
from advisor.jobs import load  # noqa: E402 (likewise)
from advisor.snapshot.model import (  # noqa: E402 (likewise)
    Destination,
    ErrorLog,
    Held,
    Host,
    Listener,
    Process,
    Processes,
    Reading,
    Snapshot,
    Sockets,
    SysctlFile,
    Sysctls,
)

LIVE = {
    "net.core.somaxconn": "65535",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_local_reserved_ports": "",
    "net.ipv4.ip_unprivileged_port_start": "1024",
    "net.ipv4.tcp_tw_reuse": "2",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.tcp_max_tw_buckets": "262144",
    "net.ipv4.tcp_ehash_entries": "524288",
    "net.ipv4.tcp_mem": "186000\t248000\t372000",
}
ROUNDS = 51
SERVERS, LISTENERS, DESTINATIONS = 20, 50, 200
GOAL_S = 0.010
ABOVE_TYPER_S = 0.100
STARTS = 15

EMPTY = """\
import typer
app = typer.Typer()
@app.command()
def main(number: int = 1) -> None: ...
app()
"""


def main() -> None:
    """Judge, then start."""
    judging()
    starting()


def judging() -> None:
    """Medians of many rounds, in CPU time of this process, which looks for garbage as seldom as the command does."""
    gc.set_threshold(3_000_000, 10, 10)
    rules, kept = load.rules(), snapshot()
    first = timed(rules, fresh(kept))
    rounds = [(timed(rules, fresh(kept)), timed(rules, kept)) for _ in range(ROUNDS)]
    unscanned, scanned = (statistics.median(column) for column in zip(*rounds, strict=True))
    verdicts = judge(rules, Facts(kept))
    failing = sum(one.finding is not None for one in verdicts)
    said = f"{len(rules)} rules, {len(verdicts):,} verdicts, {failing} findings"
    sys.stdout.write(
        f"judging {LISTENERS} listeners, {DESTINATIONS} destinations and {SERVERS} servers: {said}\n"
        f"  as it was collected, its configuration scanned: median of {ROUNDS} {1000 * scanned:.1f} ms CPU,"
        f" the least {1000 * min(rounds, key=lambda pair: pair[1])[1]:.1f} ms\n"
        f"  from the bytes of its configuration: median {1000 * unscanned:.1f} ms CPU,"
        f" the least {1000 * min(rounds)[0]:.1f} ms\n"
        f"  the first, which compiles the rules: {1000 * first:.0f} ms\n"
        f"  as it was collected, at most {1000 * GOAL_S:g} ms: {'met' if scanned <= GOAL_S else 'MISSED'}\n\n"
    )


def timed(rules: list[Rule], kept: Snapshot) -> float:
    """CPU seconds of judging it, every fact computed anew."""
    begun = time.process_time()
    judge(rules, Facts(kept))
    return time.process_time() - begun


def starting() -> None:
    """Whole processes, in turns."""
    python = pathlib.Path(sys.executable)
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(EMPTY)
        script.flush()
        audit = [str(python.parent / "advisor"), "audit", "--sample", "0"]
        rows = medians(
            {
                "an empty typer command": lambda: cpu([str(python), script.name])[0],
                "advisor audit --sample 0": lambda: cpu(audit, (0, 3))[0],
            },
            STARTS,
        )
    table(f"auditing this host, whole process, median of {STARTS}", rows, "an empty typer command")
    above = rows["advisor audit --sample 0"] - rows["an empty typer command"]
    met = "met" if above <= ABOVE_TYPER_S else "MISSED"
    sys.stdout.write(f"  above it: {1000 * above:+.0f} ms (at most {1000 * ABOVE_TYPER_S:g} ms: {met})\n")


def fresh(kept: Snapshot) -> Snapshot:
    """The same snapshot, as if it had just been read."""
    assert kept.nginx is not None
    kept.nginx.__dict__.pop("grown", None)
    for file in kept.nginx.files.values():
        file.__dict__.pop("scanned", None)
    return kept


def snapshot() -> Snapshot:
    """A host that is well, with many sockets."""
    return snapshot_with(
        host=Host(name="web-7", kernel="6.1.0", cpus=16, memory=64 * 2**30, uptime=864_000.0),
        sysctls=Sysctls(values=LIVE),
        sysctl_files=[SysctlFile(path="/etc/sysctl.d/90-web.conf", content=b"net.core.somaxconn = 65535\n")],
        counters={name: Reading(first=0, last=90 * (name == "Tcp.PassiveOpens")) for name in COUNTERS},
        sockets=sockets(),
        nginx=nginx_of({"/etc/nginx/nginx.conf": configuration()}, version="1.22.1"),
        processes=processes(),
        held=[Held(pid=at, name="java", state="CLOSE_WAIT", remote=f"10.0.{at}.9:3306", count=3, ages=ages_of({2: 3}))
              for at in range(20)],
        error_log=[ErrorLog(path="/var/log/nginx/error.log", size=10, read=10)],
        sample=1.0,
    )  # fmt: skip


def processes() -> Processes:
    """A master and a worker for each CPU."""
    workers = [Process(pid=1001 + at, started=1000.0, nofile=65536, descriptors=900, sockets=800) for at in range(16)]
    return Processes(master=Process(pid=1000, started=1000.0), workers=workers)


def sockets() -> Sockets:
    """Listeners of nginx and others; destinations as a proxy has them."""
    listeners = [
        Listener(
            address="0.0.0.0",  # noqa: S104 (a row of a table, nothing is bound)
            port=443 if at == 0 else 2000 + at,
            states={"ESTABLISHED": 800, "TIME_WAIT": 20},
            queue=0,
            limit=4096,
            drops=Reading(first=0, last=0),
            idle=ages_of({1: 300, 10: 300, 44: 200}),
            clients=700,
            top_clients={f"192.0.2.{client}": 3 for client in range(20)},
        )
        for at in range(LISTENERS)
    ]
    destinations = [
        Destination(
            local="10.9.0.1",
            remote=f"10.0.0.{at}",
            port=8080,
            ports=120,
            states={"ESTABLISHED": 100, "TIME_WAIT": 20},
            odd=20,
            time_wait=ages_of({2.5: 2, 10: 3, 44: 10, 59.9: 5}),
        )
        for at in range(DESTINATIONS)
    ]
    states = {"ESTABLISHED": 60_000, "TIME_WAIT": 5_000, "LISTEN": LISTENERS}
    return Sockets(method="SOCK_DIAG", states=states, listeners=listeners, destinations=destinations)


def configuration() -> bytes:
    """Twenty sites of a proxy."""
    reused = '    proxy_http_version 1.1;\n    proxy_set_header Connection "";\n'
    blocks = (SERVER.format(number=number, high=0, low=number) for number in range(SERVERS))
    text = "".join([HEAD, reused, *blocks, "}\n"])
    return text.replace("Host $host;", 'Host $host;\n            proxy_set_header Connection "";').encode()


if __name__ == "__main__":
    main()
