"""What it costs to gate a repository, beside crossplane, gixy-ng and gixy-next: whole processes, in turns.

500 nginx files, virtual hosts of 40 to 120 lines, and 50 sysctl files: once as one host, once as ten. All read the same
files. The others know no sysctl files, and read what each main file includes.
"""

from __future__ import annotations

import os
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from support.cost import cpu, medians, table  # noqa: E402 (the path to it is set above)
from support.rivals import PEERS, goal, installed  # noqa: E402 (likewise)

FILES, SYSCTL_FILES = 500, 50
ROUNDS = 5
# a gate and gixy end with 1 when they find something
FINE = (0, 1)

MAIN = """\
user www-data;
worker_processes auto;
pid /run/nginx.pid;
events { worker_connections 4096; multi_accept on; }
http {
    default_type application/octet-stream;
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" "$http_user_agent"';
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 65;
    gzip on;
    gzip_types text/css application/json;
    include sites-enabled/*.conf;
}
"""
POOL = """\
upstream backend_{site} {{
    least_conn;
{servers}    keepalive 32;
}}

server {{
    listen 80;
    listen 443 ssl backlog=4096;
    server_name site{site}.example.com www.site{site}.example.com;
    # the certificates are renewed every month
    ssl_certificate /etc/ssl/site{site}.pem;
    ssl_certificate_key /etc/ssl/site{site}.key;
    ssl_session_cache shared:SSL:10m;
    ssl_session_timeout 1d;
    access_log /var/log/nginx/site{site}.log main buffer=32k flush=5s;
"""
APPLICATION = """\
    location /app{number}/ {{
        proxy_pass http://backend_{site};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_read_timeout {seconds}s;
        client_max_body_size {size}m;
    }}
"""
STATIC = """\
    location ~* \\.(?:css|js|jpe?g|png)$ {
        expires 30d;
        add_header Cache-Control "public, immutable";
        try_files $uri =404;
    }
}
"""
SYSCTLS = (
    "net.core.somaxconn",
    "net.ipv4.tcp_max_syn_backlog",
    "net.core.rmem_max",
    "net.core.netdev_max_backlog",
    "net.ipv4.tcp_max_tw_buckets",
)


def main() -> None:
    """Install the others once, then measure."""
    peers = {f"{name} {version}": script for name, version in PEERS.items() if (script := installed(name, version))}
    for hosts in (1, 10):
        with tempfile.TemporaryDirectory(prefix="advisor-bench-") as folder:
            os.chdir(folder)
            mains = tree(pathlib.Path(), hosts)
            measure(hosts, mains, peers)
            os.chdir("/")


def measure(hosts: int, mains: list[str], peers: dict[str, str]) -> None:
    """Each command over the same files."""
    advisor = str(pathlib.Path(sys.executable).parent / "advisor")
    runs = {
        "advisor gate": [advisor, "gate", "--isolated"],
        "advisor gate -f sarif": [advisor, "gate", "--isolated", "-f", "sarif=gate.sarif"],
        "crossplane.parse": [sys.executable, "-c", parse(mains)],
    }
    rows = medians({name: lambda argv=argv: cpu(argv, FINE)[0] for name, argv in runs.items()}, ROUNDS)
    for name, script in peers.items():
        rows[f"{name}, run once"] = sum(cpu([script, path], FINE)[0] for path in mains)
    title = f"gating {FILES} nginx files and {SYSCTL_FILES} sysctl files of {hosts} host{'s' * (hosts > 1)}"
    table(f"{title}, whole process, median of {ROUNDS}", rows, "crossplane.parse")
    goal("advisor gate / crossplane.parse", rows["advisor gate"], rows["crossplane.parse"], "at most", 3)


def parse(mains: list[str]) -> str:
    """A program that only reads the configurations by crossplane."""
    options = "combine=False, check_ctx=False, check_args=False"
    return f"import crossplane\nfor path in {mains!r}: assert crossplane.parse(path, {options})['status'] == 'ok'"


def tree(top: pathlib.Path, hosts: int) -> list[str]:
    """Write the files; returns the main ones."""
    chance = random.Random(7)  # noqa: S311 (the same files each time)
    mains = []
    for host in range(hosts):
        etc = top / f"host{host}" / "etc"
        (etc / "nginx" / "sites-enabled").mkdir(parents=True)
        (etc / "sysctl.d").mkdir()
        (etc / "nginx" / "nginx.conf").write_text(MAIN)
        mains.append(str(etc / "nginx" / "nginx.conf"))
        for site in range(FILES // hosts - 1):
            (etc / "nginx" / "sites-enabled" / f"site{site}.conf").write_text(virtual_host(chance, site))
        for number in range(SYSCTL_FILES // hosts):
            text = "".join(f"{key} = {chance.randint(1000, 65000)}\n" for key in SYSCTLS)
            (etc / "sysctl.d" / f"{number:02}-tune.conf").write_text(text)
    return mains


def virtual_host(chance: random.Random, site: int) -> str:
    """A site as teams write them."""
    servers = "".join(f"    server 10.{site % 250}.{one}.10:8080;\n" for one in range(chance.randint(2, 6)))
    applications = [
        APPLICATION.format(number=number, site=site, seconds=chance.choice([30, 60, 120]), size=chance.randint(1, 64))
        for number in range(chance.randint(2, 8))
    ]
    return "".join([POOL.format(site=site, servers=servers), *applications, STATIC])


if __name__ == "__main__":
    main()
