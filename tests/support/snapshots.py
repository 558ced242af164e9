"""Whole snapshots for Hypothesis: values around the thresholds of rules, sources that are missing, and garbage.

What is made could have been read; only what people write (sysctls, files, arguments) is ever nonsense.
"""

from __future__ import annotations

import bisect
from typing import Any

from hypothesis import strategies as st

from advisor import __version__
from advisor.capture.buckets import bucket
from advisor.capture.totals import FIELDS
from advisor.catalog.directives import DIRECTIVES
from advisor.formats.errorlog import KINDS
from advisor.formats.nginx import absolute, scan, walk
from advisor.records import replace
from advisor.remedy.modules import MODULES_LOAD
from advisor.remedy.sysctl import DROPIN
from advisor.snapshot.json import build
from advisor.snapshot.model import (
    IDLE_EDGES,
    SOURCES,
    UDP_SOCKETS,
    Ages,
    Captured,
    CapturedPort,
    CapturedServer,
    Cgroup,
    Claim,
    ConfigFile,
    Destination,
    ErrorLog,
    Held,
    Host,
    Listener,
    Logged,
    Modules,
    Nginx,
    Process,
    Processes,
    Reading,
    Snapshot,
    Sockets,
    SysctlFile,
    Sysctls,
    Unit,
    UnitLimit,
)
from support import kernel_snapshots

TAKEN = 1767225600.0
"""When the snapshots are taken: 2026-01-01, in seconds since the epoch."""
ENTRY = "/etc/nginx/nginx.conf"
SNIPPET = "/etc/nginx/snippet.conf"
SITE = "/etc/nginx/sites/site.conf"

RANGES = [
    "32768\t60999", "10240 65000", "32768 33267", "1025 65535", "1024 65535", "10240 65535", "1 65534",
    "18080 18080", "33267 32768", "1024 70000",
]  # fmt: skip
LIVE = {
    "net.core.somaxconn": ["8", "128", "510", "511", "4096", "65535"],
    "net.ipv4.ip_local_port_range": RANGES,
    "net.ipv4.ip_local_reserved_ports": ["", "15672", "18080,32768-32800", "1-65535", "8080,18080"],
    "net.ipv4.ip_unprivileged_port_start": ["0", "1024", "10240", "20000"],
    "net.ipv4.tcp_tw_reuse": ["0", "1", "2"],
    "net.ipv4.tcp_timestamps": ["0", "1"],
    "net.ipv4.tcp_fin_timeout": ["-5", "0", "5", "14", "15", "20", "59", "60", "61", "120"],
    "net.ipv4.tcp_max_tw_buckets": ["1", "4096", "5000", "19400", "65535", "65536", "262144", "1440000"],
    "net.ipv4.tcp_ehash_entries": ["-8192", "8192", "262144", "524288"],
    "net.ipv4.tcp_mem": ["186000 248000 372000"],
    "net.netfilter.nf_conntrack_max": ["1000", "262144"],
    "net.netfilter.nf_conntrack_count": ["0", "500", "900"],
    "fs.nr_open": ["9", "1048576"],
    "fs.file-max": ["500", "2466177"],
    **kernel_snapshots.LIVE,
}
"""Keys that rules read, with values on both sides of every threshold."""

GARBAGE = ["", "abc", "30 # shorter", "1 2 3", "99999999999999999999", "-1", "1_000", "60000 1024", "7,", "9" * 5000]
DEAD = ["net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_fack"]

ON_DISK = [
    DROPIN,
    "/etc/sysctl.d/10-a.conf",
    "/etc/sysctl.d/99-z.conf",
    "/etc/sysctl.conf",
    "/usr/lib/sysctl.d/99-z.conf",
]
"""In the patch's own stands only what the kernel takes."""
LISTENS = [
    "80", "80 backlog=8", "80 backlog=4096 reuseport", "*:8080 proxy_protocol", "127.0.0.1:8080",
    "127.0.0.1:8080 backlog=65535", "[::]:80 ipv6only=on", "[::1]:443 ssl", "18080 backlog=600", "33000",
    "unix:/run/a.sock", "80 backlog=many", "80 backlog=\u00b2", "443 backlog=-1", "0.0.0.0:70000",
    "[fe80::1%eth0]:80", "81-90", '"80"', "",
]  # fmt: skip
TIMEOUTS = [
    "0", "5", "60", "60s", "75", "75 20", "76", "300", "300 300", "5m 300s", "'300'", "1.5s", "2m", "600s", "620",
    "$var", "1h", "", "300 soon", "74s 500ms",
]  # fmt: skip
ANY = "0.0.0.0"  # noqa: S104 (rows of a table, nothing is bound)
ADDRESSES = [(ANY, 80), (ANY, 8080), ("127.0.0.1", 8080), ("::", 80), ("::1", 443), (ANY, 18080)]
OTHERS = [(ANY, 22), ("127.0.0.1", 15672), ("::", 33000), ("fe80::1%2", 9000)]
COUNTS = st.sampled_from([0, 1, 3, 99, 100, 101, 250, 499, 500, 1000, 40000])
AGES = st.dictionaries(
    st.sampled_from([0, 1, 2.5, 10, 44, 59.9, 60, 61, 75, 80, 200, 300, 700, 3599, 5000, 20000]),
    st.sampled_from([1, 50, 99, 100, 300, 31904]),
    max_size=4,
)
READINGS = st.builds(
    lambda first, more: Reading(first=first, last=None if more is None else max(0, first + more)),
    st.sampled_from([0, 1, 100, 10**9]),
    st.sampled_from([None, -1, 0, 0, 1, 140, 30000]),
)


def ages_of(ages: dict[float, int]) -> Ages:
    """Ages counted in the snapshot's buckets."""
    counts = [0] * (len(IDLE_EDGES) + 1)
    for age, count in ages.items():
        counts[bisect.bisect_left(IDLE_EDGES, age)] += count
    return Ages(counts=counts, oldest=max(ages, default=None))


def nginx_of(files: dict[str, bytes], **options: Any) -> Nginx:
    """A configuration of these files, the first of them the entry; includes name what is among them."""
    entry = next(iter(files))
    includes = {}
    for path, content in files.items():
        for _, statement in walk(scan(content, path)):
            if statement.name == "include" and statement.args:
                pattern = absolute(entry, statement.args[0].text)
                includes[pattern] = [other for other in files if other == pattern]
    contents = {path: ConfigFile(content=content) for path, content in files.items()}
    return Nginx(**{"entry": entry, "files": contents, "includes": includes, **options})


def snapshot_with(**sources: Any) -> Snapshot:
    """A snapshot that holds these fields; every other source is unread."""
    unread = {name: f"{name} was left out" for name in SOURCES if sources.get(name) is None}
    return build({"advisor": __version__, "taken": "2026-01-01T00:00:00+00:00", "unread": unread, **sources})


VALUES = {
    "flag": ["on", "off"],
    "time": ["0", "1s", "60", "75s", "300s", "1h", "500ms", "$var", "soon"],
    "size": ["0", "1k", "16k", "64k", "1m", "2m", "1g", "lots"],
    "count": ["0", "1", "10", "128", "1024", "4096", "65535", "1000000", "-1"],
    "word": ["auto", "off", "on", "1", "4", "9", "none", "threads", "epoll", "select", "$var", "always", "1.1"],
    "words": [
        "off", "none", "builtin", "shared:SSL:1m", "4 8k", "8 1m", "logs/a.log", "/var/log/$host.log main",
        "/var/log/a.log main buffer=64k", "syslog:server=127.0.0.1", "max=1000", "max=200000 inactive=1m",
        "text/css image/png", "*", "127.0.0.1 valid=1h", "error timeout non_idempotent", "1", "Connection close",
        'Connection ""', "Host $host", "stderr debug",
    ],
}  # fmt: skip
"""By the kind of a directive: values on both sides of what is wise, and a few that nginx refuses."""
_TWICE = {"keepalive_timeout", "proxy_pass", "fastcgi_pass", "grpc_pass", "uwsgi_pass", "scgi_pass"}
"""Drawn on their own."""
PASSES = [
    "proxy_pass http://10.9.0.2:8080;", "proxy_pass http://backend;", "proxy_pass http://backend/x;",
    "proxy_pass https://10.9.0.3;", "proxy_pass http://$host;", "fastcgi_pass 127.0.0.1:6379;", "grpc_pass backend;",
    "proxy_pass http://unix:/run/app.sock;", "uwsgi_pass backend;", "fastcgi_pass unix:/run/php.sock;",
]  # fmt: skip
UPSTREAMS = ["keepalive 8;", "keepalive 0;", "least_conn;", "keepalive_timeout 5s;", "zone a 64k;", "hash $uri;"]


@st.composite
def directives(draw: st.DrawFn, letter: str, most: int = 2) -> list[str]:
    """Directives of the catalogue that may stand in such a block, each once; arrays perhaps twice."""
    known = [one for one in DIRECTIVES.values() if letter in one.contexts and one.word not in _TWICE]
    chosen = draw(st.lists(st.sampled_from(known), max_size=most, unique_by=lambda one: one.name))
    return [f"{one.word} {draw(st.sampled_from(VALUES[one.kind]))};" for one in chosen]


@st.composite
def upstreams(draw: st.DrawFn) -> str:
    own = draw(st.lists(st.sampled_from(UPSTREAMS), unique_by=lambda text: text.split()[0], max_size=3))
    there = ["server 10.9.0.2:8080;", *own] if draw(st.booleans()) else [*own, "server 10.9.0.2:8080;"]
    return f"upstream backend {{ {' '.join(there)} }}"


@st.composite
def locations(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["/", "/x", "~ \\.php$", "= /status"]))
    body = draw(st.sampled_from(["", "root /srv;", "include snippet.conf;", "stub_status;", "return 200 '};{';"]))
    timeout = draw(st.sampled_from(["", *(f"keepalive_timeout {text};" for text in TIMEOUTS)]))
    more = [*draw(directives("l")), *draw(st.lists(st.sampled_from(PASSES), max_size=1))]
    return f"location {name} {{ {timeout} {body} {' '.join(more)} }}"


@st.composite
def servers(draw: st.DrawFn) -> str:
    parts = [f"listen {text};" for text in draw(st.lists(st.sampled_from(LISTENS), max_size=3))]
    parts += draw(st.sampled_from([[], ["server_name a.example;"], ["server_name _ b.example;"]]))
    parts += [f"keepalive_timeout {text};" for text in draw(st.lists(st.sampled_from(TIMEOUTS), max_size=1))]
    parts += draw(st.sampled_from([[], ["include snippet.conf;"], ["# a comment; with } in it"]]))
    parts += draw(directives("s"))
    parts += draw(st.lists(locations(), max_size=2))
    return "server {\n    " + "\n    ".join(parts) + "\n}"


@st.composite
def configurations(draw: st.DrawFn) -> Nginx:
    """Up to three files: http around servers, a snippet that several include, a site; any line ending and encoding."""
    http = [f"keepalive_timeout {text};" for text in draw(st.lists(st.sampled_from(TIMEOUTS), max_size=1))]
    http += draw(
        st.lists(
            st.sampled_from(
                [
                    "set_real_ip_from 10.0.0.0/8;",
                    "map $http_x_forwarded_for $who { default a; ~^10 b; }",
                    "add_header X-A 'caf\u00e9';",
                    "include sites/site.conf;",
                    "log_format main '$remote_addr';",
                ]
            ),
            max_size=2,
        )
    )
    http += [
        *draw(directives("h", 4)),
        *draw(st.lists(upstreams(), max_size=1)),
        *draw(st.lists(servers(), max_size=3)),
    ]
    main, events = "\n".join(draw(directives("m"))), " ".join(draw(directives("e")))
    inner = "\n".join(http)
    whole = f"{main}\nevents {{ {events} }}\nhttp {{\n{inner}\n}}\n"
    text = draw(st.sampled_from([whole, whole, whole, f"{inner}\n"]))
    snippet = draw(
        st.sampled_from(["", "keepalive_timeout 300 300;", "gzip on;\nkeepalive_timeout 90s;", "listen 81;"])
    )
    files = {ENTRY: text, SNIPPET: snippet, SITE: draw(servers()) + "\n"}
    ending, encoding = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["utf-8", "latin-1"]))
    last = draw(st.booleans())
    contents = {
        path: (text if last else text.rstrip("\n")).replace("\n", ending).encode(encoding)
        for path, text in files.items()
    }
    found = nginx_of(contents, version=draw(st.sampled_from([None, "1.22.1", "1.31.3"])))
    modified = draw(st.sampled_from([None, 900.0, 1003.0, 5000.0]))
    differs = draw(st.sampled_from([None, None, None, SNIPPET, ENTRY]))
    return replace(
        found,
        files={
            path: replace(file, modified=modified, differs="they part at line 1" if path == differs else None)
            for path, file in found.files.items()
        },
    )


@st.composite
def sysctls(draw: st.DrawFn) -> Sysctls:
    values = {key: draw(st.sampled_from(texts)) for key, texts in LIVE.items()}
    for key in draw(st.lists(st.sampled_from([*LIVE]), max_size=2)):
        fate = draw(st.sampled_from(["garbage", "absent", "gone"]))
        if fate == "garbage":
            values[key] = draw(st.sampled_from(GARBAGE))
        else:
            values.pop(key, None)
    absent = [key for key in LIVE if key not in values][:1]
    return Sysctls(values=values, absent=absent, read_only=draw(st.sampled_from([False, False, False, True])))


@st.composite
def sysctl_files(draw: st.DrawFn, *, given: bool) -> SysctlFile:
    keys = draw(st.lists(st.sampled_from([*LIVE, *DEAD, "vm.swappiness", "net/ipv4/tcp_fin_timeout"]), max_size=4))
    path, lines = draw(st.sampled_from(["/home/me/90-web.conf"] if given else ON_DISK)), ["# tuned by hand"]
    for key in keys:
        texts = LIVE.get(key.replace("/", "."), ["1"])[:7]
        nonsense = [] if path == DROPIN else ["30 # shorter", "abc", "33267 32768"]
        value = draw(st.sampled_from([*texts, *texts, *texts, *nonsense]))
        lines.append(f"{key}{draw(st.sampled_from([' = ', '=']))}{value}")
    return SysctlFile(path=path, content=draw(st.sampled_from(["\n", "\r\n"])).join([*lines, ""]).encode(), given=given)


@st.composite
def listeners(draw: st.DrawFn, where: tuple[str, int]) -> Listener:
    clients = draw(st.sampled_from([None, 0, 3, 99, 100, 9120]))
    established = draw(COUNTS)
    top = draw(st.sampled_from([0, established // 100, established // 20, established]))
    return Listener(
        address=where[0],
        port=where[1],
        states={"ESTABLISHED": established, "CLOSE_WAIT": 1},
        queue=draw(st.sampled_from([None, 0, 3, 8, 9, 512])),
        limit=draw(st.sampled_from([None, 5, 8, 128, 511, 4096])),
        drops=draw(st.one_of(st.none(), READINGS)),
        idle=draw(st.one_of(st.none(), AGES.map(ages_of))),
        clients=clients,
        top_clients={} if not clients else {"192.0.2.1": top, "192.0.2.2": top // 2},
    )


@st.composite
def sockets(draw: st.DrawFn) -> Sockets:
    where = draw(st.lists(st.sampled_from([*ADDRESSES, *OTHERS]), unique=True, max_size=4))
    towards = draw(
        st.lists(st.sampled_from([("10.9.0.2", 8080), ("10.9.0.3", 443), ("127.0.0.1", 6379)]), unique=True, max_size=2)
    )
    found: list[Destination] = []
    for remote, port in towards:
        ports = draw(st.sampled_from([1, 200, 249, 250, 260, 475, 499, 500, 14000, 27000, 55000]))
        waiting = draw(st.sampled_from([0, ports // 2, ports]))
        ages = ages_of({0.5: waiting // 4, 5: waiting // 4, 59: waiting - 2 * (waiting // 4)})
        found.append(
            Destination(
                local="10.9.0.1",
                remote=remote,
                port=port,
                ports=ports,
                states={"TIME_WAIT": waiting},
                odd=draw(st.sampled_from([None, 0, ports // 2, ports])),
                time_wait=draw(st.sampled_from([None, ages])),
            )
        )
    rows = [draw(listeners(one)) for one in where]
    whole = sum(row.states["ESTABLISHED"] for row in rows)
    return Sockets(
        method=draw(st.sampled_from(["SOCK_DIAG", "/proc/net/tcp"])),
        states={"ESTABLISHED": whole + 5, "TIME_WAIT": 30},
        listeners=rows,
        destinations=found,
    )


CLAIMS = st.lists(
    st.sampled_from(
        [
            Claim(
                low=18081, high=18081, protocol="tcp", by="app.socket", file="/etc/systemd/system/app.socket", line=3
            ),
            Claim(low=30000, high=32767, protocol="tcp", by="NodePorts of Kubernetes"),
            Claim(low=51820, high=51820, protocol="udp", by=UDP_SOCKETS),
        ]
    ),
    unique_by=lambda claim: claim.by,
)


@st.composite
def holders(draw: st.DrawFn) -> list[Held]:
    found = []
    for pid, remote in draw(
        st.lists(st.sampled_from([(77, "10.0.3.9:3306"), (None, "[fd00::1]:443")]), unique=True, max_size=2)
    ):
        ages = draw(AGES)
        found.append(
            Held(
                pid=pid,
                name="java" if pid else "not visible without root",
                state=draw(st.sampled_from(["CLOSE_WAIT", "ESTABLISHED"])),
                remote=remote,
                count=sum(ages.values()),
                ages=ages_of(ages),
                nofile=draw(st.sampled_from([None, 200, 65536])),
            )
        )
    return found


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    limits = draw(st.sampled_from([None, Cgroup(), Cgroup(cpus=0.5, memory=2**20), Cgroup(cpus=2.0)]))
    container, netns = draw(st.sampled_from([(None, "host"), (None, "host"), (None, "4026532000"), ("docker", "1")]))
    memory = draw(st.sampled_from([None, 2**30]))
    return Host(name="web-7", kernel="6.1.0", cpus=4, memory=memory, cgroup=limits, container=container, netns=netns)


@st.composite
def processes(draw: st.DrawFn) -> Processes:
    workers = [draw(workers_of(11)), draw(workers_of(12))][: draw(st.integers(0, 2))]
    leaving = [draw(workers_of(13))][: draw(st.integers(0, 1))]
    limit = draw(st.sampled_from(["1024:524288", "65536", "infinity"]))
    lines = [UnitLimit(path="/etc/systemd/system/nginx.service", line=9, name="LimitNOFILE", value=limit)]
    return Processes(
        master=Process(pid=10, started=800.0, nofile_hard=draw(st.sampled_from([None, 4096, 524288]))),
        workers=workers,
        leaving=leaving,
        unit=draw(st.sampled_from([None, Unit(name="nginx.service", limits=lines)])),
        sys_resource=draw(st.sampled_from([None, False, True])),
        timed=draw(st.sampled_from([None, 1.0])),
    )


@st.composite
def modules(draw: st.DrawFn) -> Modules:
    names = st.sampled_from([[], ["nf_conntrack"], ["br_netfilter", "nf_nat"]])
    listed = draw(st.sampled_from(["/etc/modules", MODULES_LOAD]))
    return Modules(loaded=draw(names), builtin=draw(st.one_of(st.none(), names)), at_boot={listed: draw(names)})


@st.composite
def workers_of(draw: st.DrawFn, pid: int) -> Process:
    return Process(
        pid=pid,
        started=draw(st.sampled_from([800.0, 1000.0, 1002.0, 6000.0, TAKEN - 700])),
        nofile=draw(st.sampled_from([None, 256, 1024, 65536])),
        descriptors=draw(st.sampled_from([None, 20, 1000])),
        sockets=draw(st.sampled_from([None, 8, 990])),
        cpu=draw(kernel_snapshots.clock()),
        waited=draw(kernel_snapshots.clock()),
    )


@st.composite
def error_logs(draw: st.DrawFn) -> list[ErrorLog]:
    rows = []
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=3)):
        ages = draw(AGES)
        dated = bool(ages) and draw(st.booleans())
        rows.append(
            Logged(
                kind=kind,
                subject=draw(st.sampled_from([None, "10.0.0.5:80", "unix:/run/a.sock"])),
                count=sum(ages.values()),
                ages=ages_of(ages) if dated else None,
                newest=float(min(ages)) if dated else None,
            )
        )
    unread = draw(st.sampled_from([None, None, "/other.log: Permission denied"]))
    return [ErrorLog(path="/error.log", logged=rows), ErrorLog(path="/other.log", unread=unread)]


LENGTHS = st.dictionaries(
    st.sampled_from([*map(bucket, (0.5, 2, 4.9, 14, 59, 74.9, 75, 119, 300, 301, 5000))]),
    st.sampled_from([1, 40, 250, 3000]),
    max_size=3,
)
"""Idle gaps on both sides of the timeouts that are compared, few and many."""
CAPTURED = [(ANY, 80), ("10.9.0.1", 80), ("10.9.0.1", 8080), ("10.9.0.2", 8080), ("127.0.0.1", 6379), (None, 80)]


@st.composite
def captures(draw: st.DrawFn) -> Captured:
    """What a capture may show of nginx's own ports and of those it calls."""
    where = draw(st.lists(st.sampled_from(CAPTURED), unique=True, max_size=3))
    counts = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from([0, 1, 20, 300, 10**9]), max_size=8)
    servers = [
        CapturedServer(
            address=address,
            port=port,
            local=draw(st.sampled_from([None, True, False])),
            counts=draw(counts),
            client={"TIME_WAIT": 30},
            silent=draw(st.one_of(st.none(), AGES.map(ages_of))),
        )
        for address, port in where
    ]
    ports = [
        CapturedPort(
            port=port,
            connections=draw(COUNTS),
            reused=draw(LENGTHS),
            client_closed=draw(LENGTHS),
            server_closed=draw(LENGTHS),
            cut=draw(LENGTHS),
            missed=draw(st.sampled_from([0, 0, 7])),
            clients=draw(st.sampled_from([0, 3, 900])),
            top=draw(st.sampled_from([0, 40])),
        )
        for port in draw(st.lists(st.sampled_from([80, 443, 8080]), unique=True))
    ]
    seconds = draw(st.sampled_from([0.0, 1.5, 60.0, 3600.0]))
    return Captured(name="web.pcap", seconds=seconds, packets=1000, ports=ports, servers=servers)


@st.composite
def snapshots(draw: st.DrawFn, unread: bool = True) -> Snapshot:  # noqa: FBT001, FBT002 (a strategy's one switch)
    """What collecting may give. With ``unread`` any source may be missing."""
    files = draw(st.lists(sysctl_files(given=False), max_size=3, unique_by=lambda file: file.path))
    files += draw(st.lists(sysctl_files(given=True), max_size=1))
    sources: dict[str, Any] = {
        "host": draw(hosts()),
        "sysctls": draw(sysctls()),
        "sysctl_files": files,
        "counters": draw(
            kernel_snapshots.counters({name: draw(READINGS) for name in ("Tcp.PassiveOpens", "TcpExt.ListenOverflows")})
        ),
        "sockets": draw(sockets()),
        "nginx": draw(configurations()),
        "processes": draw(processes()),
        "modules": draw(modules()),
        "claims": draw(CLAIMS),
        "held": draw(holders()),
        "error_log": draw(error_logs()),
        "kernel_log": draw(kernel_snapshots.kernel_log()),
        "capture": draw(captures()),
    }
    if unread:
        for name in draw(st.lists(st.sampled_from([*sources]), max_size=2)):
            sources[name] = None
    site = draw(st.sampled_from([{}, {}, {}, {"load_balancer_idle": "60 s"}, {"load_balancer_idle": "10 min"}]))
    return snapshot_with(**sources, site=site, sample=draw(st.sampled_from([0, 1.0, 1.003])))
