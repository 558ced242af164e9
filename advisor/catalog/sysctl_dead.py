"""Keys that do nothing: gone from the kernel, kept there without effect, or never a sysctl at all.

Sources: the kernel's Documentation/networking/ip-sysctl.rst ("legacy option, it has no effect anymore", "Obsolete
since linux-6.6", "this tunable has no effect") and the history of its source.
"""

from __future__ import annotations

from advisor.records import dataclass

_DOCUMENT = "kernel:ip-sysctl.rst"
_CONNTRACK = "kernel:nf_conntrack-sysctl.rst"


@dataclass(frozen=True, slots=True)
class Dead:
    """A key that does not exist or does nothing: since when, and what people wrongly hope from it.

    ``kernel`` is the first release in which that holds; None: every one from 6.1 on. ``idle`` is the value that asks
    for nothing: the key's last default.
    """

    since: str
    hope: str
    source: str
    kernel: str | None = None
    idle: str | None = None


def _conntrack(now: str) -> Dead:
    hope = f"what net.netfilter.{now} sets today"
    return Dead("gone with the old ip_conntrack module", hope, _CONNTRACK)


DEAD: dict[str, Dead] = {
    "net.ipv4.tcp_tw_recycle": Dead(
        "removed in Linux 4.12",
        "fewer TIME_WAIT sockets; while it worked it refused clients behind NAT",
        "kernel commit 4396e46187ca (tcp: remove tcp_tw_recycle)",
        idle="0",
    ),
    "net.ipv4.tcp_fack": Dead(
        "without effect since Linux 4.15", "better loss recovery; RACK does that now", _DOCUMENT, idle="0"
    ),
    "net.ipv4.tcp_low_latency": Dead(
        "without effect since Linux 4.14", "lower latency; what it switched off is gone", _DOCUMENT, idle="0"
    ),
    "net.ipv4.tcp_adv_win_scale": Dead(
        "obsolete since Linux 6.6",
        "larger windows; the kernel measures the scale now",
        _DOCUMENT,
        kernel="6.6",
        idle="1",
    ),
    "net.ipv4.udp_wmem_min": Dead(
        "without effect: UDP's send memory is not accounted so", "room for datagrams to send", _DOCUMENT, idle="4096"
    ),
    "net.ipv4.tcp_collapse_max_bytes": Dead(
        "never in the mainline kernel", "shorter receive stalls; only a patched kernel has it", _DOCUMENT
    ),
    "net.ipv4.tcp_nodelay": Dead(
        "never a sysctl",
        "small segments at once; TCP_NODELAY is an option of each socket, and nginx sets it (tcp_nodelay)",
        "man:tcp(7)",
    ),
    "net.ipv4.tcp_default_win_scale": Dead("removed in Linux 2.6.9", "larger windows", _DOCUMENT),
    "net.ipv4.netfilter.ip_conntrack_max": _conntrack("nf_conntrack_max"),
    "net.ipv4.ip_conntrack_max": _conntrack("nf_conntrack_max"),
    **{
        f"net.ipv4.netfilter.ip_conntrack_tcp_timeout_{state}": _conntrack(f"nf_conntrack_tcp_timeout_{state}")
        for state in ("established", "time_wait", "close_wait", "fin_wait", "syn_sent", "syn_recv")
    },
}
"""Keys that do nothing, by name."""
