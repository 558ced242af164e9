"""The sysctl keys we know: type, unit, range, scope, default, what a change needs and which measurements it moves.

Sources: the kernel's Documentation/networking/ip-sysctl.rst and admin-guide/sysctl/{net,fs}.rst, and its source
where a comment says so. Defaults are those of Linux 6.1 to 6.18; ``None`` where they depend on memory or build.
"""

from __future__ import annotations

from typing import Literal

from advisor.records import dataclass
from advisor.units import NONE, PAGE, B, N, S, Unit

Kind = Literal["int", "vector", "ports", "string"]
Scope = Literal["netns", "global", "read-only in child"]


@dataclass(frozen=True, slots=True)
class Key:
    """One sysctl.

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


@dataclass(frozen=True, slots=True)
class Dead:
    """A key that does not exist or does nothing: since when, and what people wrongly hope from it."""

    since: str
    hope: str
    source: str


_ALL = (
    Key(
        "net.core.somaxconn", unit=N, low=1, high=65535, default="4096", needs=("re-listen",), moves=("listener.limit",)
    ),
    Key("net.core.netdev_max_backlog", unit=N, low=1, high=2**31 - 1, scope="global", default="1000"),
    Key("net.core.netdev_budget", unit=N, low=1, high=2**31 - 1, scope="global", default="300"),
    Key("net.core.default_qdisc", "string", scope="global", needs=("new network device",)),
    Key("net.core.rmem_max", unit=B, low=2304, high=2**31 - 1, scope="read-only in child"),
    Key("net.core.wmem_max", unit=B, low=4608, high=2**31 - 1, scope="read-only in child"),
    Key("net.core.rmem_default", unit=B, low=2304, high=2**31 - 1, scope="read-only in child", default="212992"),
    Key("net.core.wmem_default", unit=B, low=4608, high=2**31 - 1, scope="read-only in child", default="212992"),
    Key(
        "net.ipv4.ip_local_port_range",
        "vector",
        N,
        ("low", "high"),
        low=1,
        high=65535,
        default="32768 60999",
        moves=("destination.full",),
    ),
    Key("net.ipv4.ip_local_reserved_ports", "ports", default="", moves=("destination.full",)),
    Key("net.ipv4.ip_unprivileged_port_start", unit=N, low=0, high=65535, default="1024", writable=False),
    Key("net.ipv4.tcp_abort_on_overflow", low=0, high=1, default="0"),
    Key("net.ipv4.tcp_congestion_control", "string", writable=False),
    Key("net.ipv4.tcp_ehash_entries", unit=N, writable=False, magnitude=True),
    Key("net.ipv4.tcp_fastopen", low=0, high=0x7FF, default="1"),
    Key("net.ipv4.tcp_fin_timeout", unit=S, low=1, high=32767, default="60"),
    Key("net.ipv4.tcp_keepalive_intvl", unit=S, low=1, high=32767, default="75"),
    Key("net.ipv4.tcp_keepalive_probes", unit=N, low=1, high=127, default="9"),
    Key("net.ipv4.tcp_keepalive_time", unit=S, low=1, high=32767, default="7200"),
    Key("net.ipv4.tcp_max_orphans", unit=N, low=0, high=2**31 - 1, scope="global"),
    Key("net.ipv4.tcp_max_syn_backlog", unit=N, low=1, high=2**31 - 1),
    Key(
        "net.ipv4.tcp_max_tw_buckets",
        unit=N,
        low=1,
        high=2**31 - 1,
        moves=("counter.TcpExt.TCPTimeWaitOverflow",),
    ),
    Key("net.ipv4.tcp_mem", "vector", PAGE, ("low", "pressure", "high"), low=0, scope="global", writable=False),
    Key("net.ipv4.tcp_moderate_rcvbuf", low=0, high=1, default="1"),
    Key("net.ipv4.tcp_mtu_probing", low=0, high=2, default="0"),
    Key("net.ipv4.tcp_notsent_lowat", unit=B, low=0, high=2**32 - 1, default="4294967295"),
    Key("net.ipv4.tcp_orphan_retries", unit=N, low=0, high=255, default="0"),
    Key("net.ipv4.tcp_retries2", unit=N, low=1, high=255, default="15"),
    Key("net.ipv4.tcp_rmem", "vector", B, ("min", "default", "max"), low=1, high=2**31 - 1),
    Key("net.ipv4.tcp_sack", low=0, high=1, default="1"),
    Key("net.ipv4.tcp_slow_start_after_idle", low=0, high=1, default="1"),
    Key("net.ipv4.tcp_syn_retries", unit=N, low=1, high=127, default="6"),
    Key("net.ipv4.tcp_synack_retries", unit=N, low=0, high=255, default="5"),
    Key("net.ipv4.tcp_syncookies", low=0, high=2, default="1"),
    Key("net.ipv4.tcp_timestamps", low=0, high=2, default="1"),
    Key("net.ipv4.tcp_tw_reuse", low=0, high=2, default="2", moves=("destination.full",)),
    Key("net.ipv4.tcp_tw_reuse_delay", unit=S, low=1, high=60000, default="1000", scale=0.001, writable=False),
    Key("net.ipv4.tcp_window_scaling", low=0, high=1, default="1"),
    Key("net.ipv4.tcp_wmem", "vector", B, ("min", "default", "max"), low=1, high=2**31 - 1),
    Key("net.netfilter.nf_conntrack_buckets", unit=N, scope="read-only in child", writable=False),
    Key("net.netfilter.nf_conntrack_count", unit=N, writable=False),
    Key("net.netfilter.nf_conntrack_max", unit=N, low=1, high=2**31 - 1, scope="read-only in child"),
    Key("fs.file-max", unit=N, low=1, scope="global"),
    Key("fs.nr_open", unit=N, low=1, high=2**31 - 1, scope="global", default="1048576"),
)

KEYS: dict[str, Key] = {key.name: key for key in _ALL}

DEAD: dict[str, Dead] = {
    "net.ipv4.tcp_tw_recycle": Dead(
        "removed in Linux 4.12",
        "fewer TIME_WAIT sockets; while it worked it refused clients behind NAT",
        "kernel commit 4396e46187ca (tcp: remove tcp_tw_recycle)",
    ),
    "net.ipv4.tcp_fack": Dead(
        "without effect since Linux 4.15", "better loss recovery; RACK does that now", "kernel:ip-sysctl.rst"
    ),
    "net.ipv4.tcp_low_latency": Dead(
        "without effect since Linux 4.14", "lower latency; what it switched off is gone", "kernel:ip-sysctl.rst"
    ),
    "net.ipv4.tcp_adv_win_scale": Dead(
        "obsolete since Linux 6.6", "larger windows; the kernel measures the scale now", "kernel:ip-sysctl.rst"
    ),
    "net.ipv4.tcp_collapse_max_bytes": Dead(
        "never in the mainline kernel", "shorter receive stalls; only a patched kernel has it", "kernel:ip-sysctl.rst"
    ),
    "net.ipv4.netfilter.ip_conntrack_max": Dead(
        "gone with the old ip_conntrack module",
        "a larger connection table; that is net.netfilter.nf_conntrack_max now",
        "kernel:nf_conntrack-sysctl.rst",
    ),
}
"""Keys that do nothing, by name."""


def lookup(dotted: str) -> tuple[Key, str | None] | None:
    """The key of a dotted name and, where the name goes one further, its part (``ip_local_port_range.low``)."""
    if (key := KEYS.get(dotted)) is not None:
        return key, None
    name, _, part = dotted.rpartition(".")
    key = KEYS.get(name)
    return (key, part) if key is not None and part in key.parts else None
