"""The sysctl keys we know: type, unit, range, scope, default, what a change needs and which measurements it moves.

Sources: the kernel's Documentation/networking/{ip-sysctl,nf_conntrack-sysctl}.rst and admin-guide/sysctl/{net,fs}.rst,
and its source where a comment says so. What write() takes was tried on Linux 6.18 where a network namespace has the
key, and read in net/core/sysctl_net_core.c, net/ipv4/sysctl_net_ipv4.c and kernel/sysctl.c for the rest. Defaults are
those of Linux 6.1 to 6.18; ``None`` where they depend on memory or build.
"""

from __future__ import annotations

from typing import Literal

from advisor.records import dataclass
from advisor.units import NONE, PAGE, B, N, S, Unit

Kind = Literal["int", "vector", "ports", "string"]
Scope = Literal["netns", "global", "read-only in child"]
Range = tuple[int, int]

_BIT: Range = (0, 1)
_U8: Range = (0, 255)
_INT: Range = (-(2**31), 2**31 - 1)
_NATURAL: Range = (0, 2**31 - 1)
_POSITIVE: Range = (1, 2**31 - 1)
_UINT: Range = (0, 2**32 - 1)
_LONG: Range = (0, 2**63 - 1)
_ULONG: Range = (0, 2**64 - 1)
_PORT: Range = (1, 65535)
_JIFFIES: Range = (-(2**31) // 100, 2**31 // 100)
"""Seconds that the kernel keeps in ticks: how many depends on its HZ, which is at least 100."""


@dataclass(frozen=True, slots=True)
class Key:
    """One sysctl.

    ``takes`` is what write() accepts, of a vector in each part; ``low`` and ``high`` are what a patch may write.
    ``earlier`` says which default other releases have. ``since`` is the first release with the key; None: 6.1 has it.
    ``scale`` turns the kernel's number into base units (0.001 for milliseconds). ``magnitude``: the sign only says
    that the value is shared with the initial namespace. ``moves`` names measurements that a change moves: they
    follow a model of `advisor.remedy.effects`, or are void. Only ``writable`` keys enter a patch.
    """

    name: str
    kind: Kind = "int"
    unit: Unit = NONE
    parts: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    scope: Scope = "netns"
    default: str | None = None
    needs: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    writable: bool = True
    scale: float = 1
    magnitude: bool = False
    takes: Range = _INT
    earlier: str | None = None
    since: str | None = None


_MOST = 2**31 - 1
_CHILD: Scope = "read-only in child"


def _switch(name: str, default: str, high: int = 1, takes: Range = _U8, moves: tuple[str, ...] = ()) -> Key:
    """A key that is on or off; the kernel keeps it in a byte."""
    return Key(f"net.ipv4.{name}", low=0, high=high, default=default, takes=takes, moves=moves)


def _seconds(name: str, default: str, high: int = _MOST) -> Key:
    return Key(name, unit=S, low=1, high=high, default=default, takes=_JIFFIES)


def _memory(name: str) -> Key:
    """The limits of a protocol's memory, of the whole machine."""
    parts = ("low", "pressure", "high")
    return Key(name, "vector", PAGE, parts, low=0, high=2**52, scope="global", takes=_ULONG)


_ALL = (
    Key(
        "net.core.somaxconn",
        unit=N,
        low=1,
        high=65535,
        default="4096",
        needs=("re-listen",),
        moves=("listener.limit",),
        takes=_NATURAL,
        earlier="128 before 5.4",
    ),
    Key(
        "net.core.netdev_max_backlog",
        unit=N,
        low=1,
        high=_MOST,
        scope="global",
        default="1000",
        moves=("counter.softnet.dropped", "counter.softnet.flow_limit"),
    ),
    Key("net.core.netdev_budget", unit=N, low=1, high=_MOST, scope="global", default="300"),
    Key(
        "net.core.netdev_budget_usecs",
        unit=S,
        low=1,
        high=_MOST,
        scope="global",
        scale=1e-6,
        writable=False,
        takes=_NATURAL,
    ),
    Key("net.core.default_qdisc", "string", scope="global", needs=("new network device",)),
    Key("net.core.optmem_max", unit=B, writable=False, takes=_NATURAL),
    Key(
        "net.core.rmem_max",
        unit=B,
        low=2304,
        high=_MOST,
        scope=_CHILD,
        takes=(2304, _MOST),
        earlier="212992 in 6.1 and 6.12, 4194304 in 6.18",
    ),
    Key(
        "net.core.wmem_max",
        unit=B,
        low=4608,
        high=_MOST,
        scope=_CHILD,
        takes=(4608, _MOST),
        earlier="212992 in 6.1 and 6.12, 4194304 in 6.18",
    ),
    Key("net.core.rmem_default", unit=B, low=2304, high=_MOST, scope=_CHILD, default="212992", takes=(2304, _MOST)),
    Key("net.core.wmem_default", unit=B, low=4608, high=_MOST, scope=_CHILD, default="212992", takes=(4608, _MOST)),
    Key("net.ipv4.ip_forward", low=0, high=1, default="0", writable=False),
    Key(
        "net.ipv4.ip_local_port_range",
        "vector",
        N,
        ("low", "high"),
        low=1,
        high=65535,
        default="32768 60999",
        moves=("destination.full",),
        takes=_PORT,
    ),
    Key("net.ipv4.ip_local_reserved_ports", "ports", default="", moves=("destination.full",)),
    Key("net.ipv4.ip_nonlocal_bind", low=0, high=1, default="0", writable=False, takes=_U8),
    Key(
        "net.ipv4.ip_unprivileged_port_start",
        unit=N,
        low=0,
        high=65535,
        default="1024",
        writable=False,
        takes=(0, 65535),
    ),
    Key("net.ipv4.neigh.default.gc_thresh1", unit=N, low=0, high=_MOST, scope="global", default="128"),
    Key("net.ipv4.neigh.default.gc_thresh2", unit=N, low=0, high=_MOST, scope="global", default="512"),
    Key(
        "net.ipv4.neigh.default.gc_thresh3",
        unit=N,
        low=0,
        high=_MOST,
        scope="global",
        default="1024",
        moves=("counter.arp_cache.table_fulls",),
    ),
    _switch("tcp_abort_on_overflow", "0"),
    Key("net.ipv4.tcp_available_congestion_control", "string", writable=False),
    Key("net.ipv4.tcp_congestion_control", "string", writable=False),
    _switch("tcp_dsack", "1"),
    _switch("tcp_early_demux", "1"),
    Key("net.ipv4.tcp_ehash_entries", unit=N, writable=False, magnitude=True),
    Key("net.ipv4.tcp_fastopen", low=0, high=0x7FF, default="1"),
    Key("net.ipv4.tcp_fin_timeout", unit=S, low=1, high=32767, default="60", takes=_JIFFIES),
    Key("net.ipv4.tcp_keepalive_intvl", unit=S, low=1, high=32767, default="75", takes=_JIFFIES),
    Key("net.ipv4.tcp_keepalive_probes", unit=N, low=1, high=127, default="9", takes=_U8),
    Key("net.ipv4.tcp_keepalive_time", unit=S, low=1, high=32767, default="7200", takes=_JIFFIES),
    Key("net.ipv4.tcp_limit_output_bytes", unit=B, writable=False),
    Key(
        "net.ipv4.tcp_max_orphans",
        unit=N,
        low=0,
        high=_MOST,
        scope="global",
        moves=("counter.TcpExt.TCPAbortOnMemory",),
    ),
    Key("net.ipv4.tcp_max_syn_backlog", unit=N, low=1, high=_MOST),
    Key(
        "net.ipv4.tcp_max_tw_buckets",
        unit=N,
        low=1,
        high=_MOST,
        moves=("counter.TcpExt.TCPTimeWaitOverflow",),
    ),
    _memory("net.ipv4.tcp_mem"),
    _switch("tcp_migrate_req", "0", takes=_BIT),
    _switch("tcp_moderate_rcvbuf", "1"),
    _switch("tcp_mtu_probing", "0", high=2),
    _switch("tcp_no_metrics_save", "0"),
    Key("net.ipv4.tcp_notsent_lowat", unit=B, low=0, high=2**32 - 1, default="4294967295", takes=_UINT),
    Key("net.ipv4.tcp_orphan_retries", unit=N, low=0, high=255, default="0", takes=_U8),
    Key("net.ipv4.tcp_retries1", unit=N, low=0, high=255, default="3", takes=_U8),
    Key("net.ipv4.tcp_retries2", unit=N, low=1, high=255, default="15", takes=_U8),
    _switch("tcp_rfc1337", "0"),
    Key(
        "net.ipv4.tcp_rmem",
        "vector",
        B,
        ("min", "default", "max"),
        low=1,
        high=_MOST,
        takes=_POSITIVE,
        earlier="4096 131072 6291456 in 6.1 and 6.12, 4096 131072 33554432 in 6.18",
    ),
    Key(
        "net.ipv4.tcp_rto_max_ms",
        unit=S,
        low=1000,
        high=120000,
        default="120000",
        scale=0.001,
        writable=False,
        takes=(1000, 120000),
        since="6.15",
    ),
    _switch("tcp_sack", "1"),
    _switch("tcp_slow_start_after_idle", "1"),
    Key("net.ipv4.tcp_syn_retries", unit=N, low=1, high=127, default="6", takes=(1, 127)),
    Key("net.ipv4.tcp_synack_retries", unit=N, low=0, high=255, default="5", takes=_U8),
    _switch("tcp_syncookies", "1", high=2, moves=("counter.TcpExt.TCPReqQFullDrop",)),
    _switch("tcp_timestamps", "1", high=2),
    Key("net.ipv4.tcp_tw_reuse", low=0, high=2, default="2", moves=("destination.full",), takes=(0, 2)),
    Key(
        "net.ipv4.tcp_tw_reuse_delay",
        unit=S,
        low=1,
        high=60000,
        default="1000",
        scale=0.001,
        writable=False,
        takes=(1, 60000),
        since="6.14",
    ),
    _switch("tcp_window_scaling", "1"),
    Key("net.ipv4.tcp_wmem", "vector", B, ("min", "default", "max"), low=1, high=_MOST, takes=_POSITIVE),
    _memory("net.ipv4.udp_mem"),
    Key("net.ipv6.neigh.default.gc_thresh1", unit=N, low=0, high=_MOST, scope="global", default="128"),
    Key("net.ipv6.neigh.default.gc_thresh2", unit=N, low=0, high=_MOST, scope="global", default="512"),
    Key(
        "net.ipv6.neigh.default.gc_thresh3",
        unit=N,
        low=0,
        high=_MOST,
        scope="global",
        default="1024",
        moves=("counter.ndisc_cache.table_fulls",),
    ),
    Key("net.netfilter.nf_conntrack_buckets", unit=N, scope=_CHILD, writable=False),
    Key("net.netfilter.nf_conntrack_count", unit=N, writable=False),
    Key(
        "net.netfilter.nf_conntrack_max",
        unit=N,
        low=1,
        high=_MOST,
        scope=_CHILD,
        moves=("counter.nf_conntrack.drop", "counter.nf_conntrack.early_drop"),
    ),
    _seconds("net.netfilter.nf_conntrack_tcp_timeout_close_wait", "60"),
    _seconds("net.netfilter.nf_conntrack_tcp_timeout_established", "432000"),
    _seconds("net.netfilter.nf_conntrack_tcp_timeout_fin_wait", "120"),
    _seconds("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "120"),
    Key("fs.file-max", unit=N, low=1, scope="global", takes=_LONG),
    Key("fs.nr_open", unit=N, low=1, high=_MOST, scope="global", default="1048576", takes=(64, _MOST)),
)

KEYS: dict[str, Key] = {key.name: key for key in _ALL}


def lookup(dotted: str) -> tuple[Key, str | None] | None:
    """The key of a dotted name and, where the name goes one further, its part (``ip_local_port_range.low``)."""
    if (key := KEYS.get(dotted)) is not None:
        return key, None
    name, _, part = dotted.rpartition(".")
    key = KEYS.get(name)
    return (key, part) if key is not None and part in key.parts else None
