"""What it costs to judge nginx configurations, beside crossplane, gixy-ng and gixy-next: whole processes, in turns.

First Debian's stock configuration, then one of 2,000 servers, each with an upstream block and 5 locations (48,010
directives), and one of 8,000. Each of the others gets an environment of its own below .venv, since they install modules
of the same name.
"""

from __future__ import annotations

import pathlib
import statistics
import sys
import tempfile
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import cpu, medians, table, used  # noqa: E402 (the path to it is set above)
from support.rivals import PEERS, goal, installed  # noqa: E402 (likewise)

CONFIG = "/etc/nginx/nginx.conf"
ROUNDS = 7
LARGE_ROUNDS = 3
SERVERS, MORE_SERVERS = 2_000, 8_000
DIRECTIVES = 48_010
# gixy ends with 1 when it finds something
FINE = (0, 1)

HEAD = """\
worker_processes auto;
events { worker_connections 4096; }
http {
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 65;
    default_type application/octet-stream;
    server_tokens off;
    gzip on;
"""
SERVER = """\
    upstream app{number} {{
        server 10.0.{high}.{low}:8080;
        keepalive 16;
    }}
    server {{
        listen 443 ssl;
        server_name site{number}.example.com;
        root /srv/site{number};
        access_log /var/log/nginx/site{number}.log combined;
        add_header Strict-Transport-Security max-age=31536000;
        location / {{
            proxy_pass http://app{number};
            proxy_set_header Host $host;
        }}
        location ~ ^/api/(.*)$ {{
            proxy_pass http://app{number}/$1;
            proxy_read_timeout 60s;
        }}
        location /static/ {{
            expires 1d;
            add_header Cache-Control public;
        }}
        location ~ \\.php$ {{
            fastcgi_pass unix:/run/php.sock;
            fastcgi_index index.php;
        }}
        location = /health {{
            access_log off;
            return 200;
        }}
    }}
"""
"""What sites are made of: a proxied application, an API behind a regular expression, files, PHP, a health check."""


def main() -> None:
    """Install the others once, then measure."""
    peers = {f"{name} {version}": script for name, version in PEERS.items() if (script := installed(name, version))}
    if pathlib.Path(CONFIG).exists():
        stock(peers)
    else:
        sys.stdout.write(f"judging Debian's stock configuration: left out, there is no {CONFIG}\n")
    with tempfile.TemporaryDirectory(prefix="advisor-bench-") as folder:
        large(pathlib.Path(folder), peers)


def stock(peers: dict[str, str]) -> None:
    """A small file: most of it is starting."""
    runs = {"advisor audit": audit(CONFIG), "crossplane.parse": parse(CONFIG)}
    runs |= {name: [script, CONFIG] for name, script in peers.items()}
    rows = medians({name: lambda argv=argv: cpu(argv, FINE)[0] for name, argv in runs.items()}, ROUNDS)
    table(f"judging {CONFIG}, whole process, median of {ROUNDS}", rows, "advisor audit")
    ng, following = (next((rows[name] for name in rows if name.startswith(peer)), None) for peer in PEERS)
    goal("advisor audit / gixy-ng", rows["advisor audit"], ng, "at most", 1.2)
    goal("advisor audit / gixy-next", rows["advisor audit"], following, "at most", 1.0)


def large(folder: pathlib.Path, peers: dict[str, str]) -> None:
    """Thousands of servers: most of it is reading."""
    small, big = (str(write(folder / f"{servers}.conf", servers)) for servers in (SERVERS, MORE_SERVERS))
    found: dict[str, list[tuple[float, float, str]]] = {}
    for rounds, ours, theirs, path in (
        (ROUNDS, "advisor", "crossplane", small),
        (LARGE_ROUNDS, "advisor, large", "large", big),
    ):
        for _ in range(rounds):
            found.setdefault(ours, []).append(used(audit(path), FINE))
            found.setdefault(theirs, []).append(used(parse(path), FINE))
    cost = {name: statistics.median(seconds for seconds, _, _ in rows) for name, rows in found.items()}
    peak = {name: max(memory for _, memory, _ in rows) for name, rows in found.items()}
    rows = {
        f"advisor audit, {SERVERS:,} servers": cost["advisor"],
        f"crossplane.parse, {SERVERS:,} servers": cost["crossplane"],
        f"advisor audit, {MORE_SERVERS:,} servers": cost["advisor, large"],
        f"crossplane.parse, {MORE_SERVERS:,} servers": cost["large"],
    }
    others = {name: beside([script, small], audit(small)) for name, script in peers.items()}
    rows |= {f"{name}, {SERVERS:,} servers, run once": seconds for name, (seconds, _) in others.items()}
    title = f"judging {SERVERS:,} servers with 5 locations each ({DIRECTIVES:,} directives), and {MORE_SERVERS:,}"
    table(f"{title}, median of {ROUNDS} and of {LARGE_ROUNDS}", rows, f"crossplane.parse, {SERVERS:,} servers")
    goal("CPU: advisor audit / crossplane.parse", cost["advisor"], cost["crossplane"], "at most", 2.2)
    goal(f"CPU: {MORE_SERVERS:,} servers / {SERVERS:,}", cost["advisor, large"], cost["advisor"], "at most", 4.4)
    for servers, ours, theirs in ((SERVERS, "advisor", "crossplane"), (MORE_SERVERS, "advisor, large", "large")):
        what = f"peak memory, {servers:,} servers: {peak[ours]:.0f} MiB / crossplane.parse"
        goal(what, peak[ours], peak[theirs], "at most", 3)
    for name, (seconds, meanwhile) in others.items():
        goal(f"CPU: {name} / advisor audit before and after", seconds, meanwhile, "at least", 10)


def beside(other: list[str], own: list[str]) -> tuple[float, float]:
    """What a slow command takes, run once, and what ours takes on the average of just before and just after it."""
    before = cpu(own, FINE)[0]
    seconds = cpu(other, FINE)[0]
    return seconds, (before + cpu(own, FINE)[0]) / 2


def audit(config: str) -> list[str]:
    """The command line of our audit."""
    return [str(pathlib.Path(sys.executable).parent / "advisor"), "audit", "--no-host", "--nginx-conf", config]


def parse(config: str) -> list[str]:
    """A process that only reads a configuration by crossplane."""
    options = "combine=False, check_ctx=False, check_args=False"
    return [sys.executable, "-c", f"import crossplane; assert crossplane.parse({config!r}, {options})['config']"]


def write(path: pathlib.Path, servers: int) -> pathlib.Path:
    """A configuration of so many servers."""
    path.write_text("".join(lines(servers)))
    return path


def lines(servers: int) -> Iterator[str]:
    """Its text."""
    yield HEAD
    yield from (SERVER.format(number=number, high=number // 250, low=number % 250) for number in range(servers))
    yield "}\n"


if __name__ == "__main__":
    main()
