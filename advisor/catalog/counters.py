"""The counters and gauges that we read, what each exactly counts, and in which unit.

Sources: the kernel's net/ipv4/{proc,tcp,tcp_input,tcp_ipv4,tcp_minisocks,tcp_timer}.c and networking/snmp_counter.rst
for `Tcp`, `TcpExt` and `sockstat`; net/core/{net-procfs,dev}.c for `softnet`; net/netfilter/nf_conntrack_standalone.c;
net/core/neighbour.c; admin-guide/sysctl/fs.rst for `file`; accounting/psi.rst; admin-guide/cgroup-v2.rst;
networking/statistics.rst for `nic`.
Those of TCP and of nf_conntrack are of one network namespace since it was made, unless a line says otherwise.
"""

from __future__ import annotations

from advisor.units import PAGE, N, S, Unit

_NETNS_GAUGES: dict[str, str] = {
    "Tcp.CurrEstab": "sockets in ESTABLISHED and in CLOSE_WAIT, now",
    "sockstat.sockets.used": "sockets of every protocol, now",
    "sockstat.TCP.inuse": "IPv4 sockets in any state but TIME_WAIT and FIN_WAIT2 without a process, LISTEN included",
    "sockstat.TCP.orphan": "sockets that no process holds any more; of the whole machine",
    "sockstat.TCP.tw": "TIME_WAIT, and FIN_WAIT2 without a process, IPv4 and IPv6",
    "sockstat.TCP.alloc": "TCP sockets allocated, of the whole machine",
    "sockstat.TCP.mem": "pages that TCP's buffers take, of the whole machine",
    "sockstat.TCP6.inuse": "the same of IPv6; IPv4 clients of a [::] listener are counted here",
}

_HOST_GAUGES: dict[str, str] = {
    "file.allocated": "open files (file handles allocated) of the whole machine",
    "arp_cache.entries": "IPv4 neighbours known, of all network namespaces; permanent ones, which have no limit, too",
    "ndisc_cache.entries": "IPv6 neighbours known, likewise",
}

GAUGES: dict[str, str] = {**_NETNS_GAUGES, **_HOST_GAUGES}
"""What stands now: it goes up and down."""

_TCP: dict[str, str] = {
    "ActiveOpens": "connections this host began (CLOSED to SYN_SENT)",
    "PassiveOpens": "connections this host was asked for, once their handshake was complete",
    "AttemptFails": "connections that died in SYN_SENT or SYN_RECV",
    "EstabResets": "connections reset in ESTABLISHED or CLOSE_WAIT",
    "InSegs": "segments received, bad ones included",
    "OutSegs": "segments sent, without those that only retransmit",
    "RetransSegs": "segments retransmitted",
    "InErrs": "segments received with an error, such as a bad checksum",
    "OutRsts": "segments sent with RST",
}

_TCPEXT: dict[str, str] = {
    "ListenOverflows": "SYNs or final ACKs that met a full accept queue; a client's retransmissions count again",
    "ListenDrops": "every drop on a listener: overflows, no memory for a request, half-open ones killed by ICMP",
    "TCPReqQFullDoCookies": "SYNs answered with a cookie because the SYN queue was full",
    "TCPReqQFullDrop": "SYNs dropped because the SYN queue was full and cookies are off",
    "SyncookiesSent": "SYN cookies sent",
    "SyncookiesRecv": "valid SYN cookies that came back",
    "SyncookiesFailed": "invalid SYN cookies that came back",
    "EmbryonicRsts": "half-open requests ended by a reset or a bad segment",
    "TCPDeferAcceptDrop": "final ACKs without data that a listener with TCP_DEFER_ACCEPT ignored",
    "TCPFastOpenListenOverflow": "Fast Open SYNs that met too many Fast Open requests",
    "TCPMigrateReqFailure": "requests that could not move to another listener of their port when theirs closed",
    "TW": "connections that went into TIME_WAIT (or FIN_WAIT2 without a process) for more than 4 s",
    "TWRecycled": "TIME_WAIT that a new outgoing connection took over (tcp_tw_reuse)",
    "TWKilled": "connections that went into TIME_WAIT or FIN_WAIT2 for 4 s or less",
    "TCPTimeWaitOverflow": "connections closed without TIME_WAIT because tcp_max_tw_buckets was reached",
    "PAWSActive": "SYN-ACKs refused because of their timestamp",
    "PAWSEstab": "segments of a connection refused because of their timestamp",
    "PAWSTimewait": "segments for a socket in TIME_WAIT refused because of their timestamp; newer kernels only",
    "TCPAbortOnMemory": "connections reset because of tcp_max_orphans or the last value of tcp_mem",
    "TCPAbortOnTimeout": "connections ended by a timer: retransmissions, probes or keepalive",
    "TCPAbortOnData": "connections reset by a close with SO_LINGER 0 or by data that came after the close",
    "TCPAbortOnClose": "connections reset because they were closed with data unread",
    "TCPAbortOnLinger": "connections reset because of a negative TCP_LINGER2",
    "TCPAbortFailed": "resets that could not be sent for want of memory",
    "TCPMemoryPressures": "times that TCP's memory, of the whole machine, went above the second value of tcp_mem",
    "TCPMemoryPressuresChrono": "milliseconds that TCP's memory, of the whole machine, stayed above it",
    "PruneCalled": "receive queues above their buffer, which the kernel tried to make smaller",
    "RcvPruned": "receive queues from which data was dropped, since that did not suffice",
    "OfoPruned": "queues of out-of-order data that were dropped",
    "TCPRcvCollapsed": "segments merged in a receive queue to save memory",
    "TCPRcvQDrop": "segments dropped for want of receive memory",
    "TCPZeroWindowDrop": "segments dropped because the window was closed",
    "TCPOFODrop": "out-of-order segments dropped for want of receive memory",
    "TCPToZeroWindowAdv": "times that a window was announced closed",
    "TCPWantZeroWindowAdv": "times that a window should have been announced closed, and could not",
    "TCPBacklogDrop": "segments dropped because a busy socket's backlog was full",
    "TCPWqueueTooBig": "segments that were not split because the send queue took too much memory",
    "TCPTimeouts": "retransmission timers that ran out",
    "TCPSynRetrans": "SYNs and SYN-ACKs retransmitted",
    "TCPLostRetransmit": "retransmissions that were lost themselves",
    "TCPSlowStartRetrans": "segments retransmitted after a timeout",
    "TCPKeepAlive": "keepalive probes sent",
}

_SOFTNET: dict[str, str] = {
    "processed": "packets that softirqs took from a queue, of the whole machine",
    "dropped": "packets dropped because a CPU's input queue (netdev_max_backlog, flow limit) was full; of the machine",
    "time_squeeze": "times that a softirq ended with work left, its budget or time being used up; of the machine",
    "flow_limit": "packets of large flows dropped early, the input queue being half full; of the machine",
}

_CONNTRACK: dict[str, str] = {
    "insert_failed": "entries that could not be inserted, mostly because two packets of a new flow raced: harmless",
    "drop": "packets dropped because no entry could be made: the table was full, or memory was short",
    "early_drop": "entries thrown out to make room in a full table",
}

_NEIGHBOURS: dict[str, str] = {
    "arp_cache.table_fulls": "IPv4 neighbours that found no room below gc_thresh3; of all network namespaces",
    "ndisc_cache.table_fulls": "IPv6 neighbours that found no room below gc_thresh3; of all network namespaces",
}

_PSI: dict[str, str] = {
    "cpu.some": "time in which at least one task waited for a CPU, of the whole machine",
    "memory.some": "time in which at least one task waited for memory, of the whole machine",
    "memory.full": "time in which all tasks that were not idle waited for memory, of the whole machine",
    "io.some": "time in which at least one task waited for a disk, of the whole machine",
    "io.full": "time in which all tasks that were not idle waited for disks, of the whole machine",
}

_CGROUP: dict[str, str] = {
    "nr_periods": "periods in which the group around nginx with the tightest CPU quota wanted to run",
    "nr_throttled": "periods of these in which its quota was used up and it stood still",
    "throttled": "time for which it stood still, added up over CPUs",
    "oom_kill": "processes of nginx's control group that were killed because its memory was used up",
}

_NIC: dict[str, str] = {
    "rx_missed_errors": "packets the network cards had no room for: the ring was full; of cards of this namespace",
    "rx_fifo_errors": "packets lost in the cards' own buffers; of cards of this namespace",
    "rx_dropped": "packets the kernel dropped after it took them from a card, those nobody asked for included",
}

COUNTERS: dict[str, str] = {
    **{f"Tcp.{name}": meaning for name, meaning in _TCP.items()},
    **{f"TcpExt.{name}": meaning for name, meaning in _TCPEXT.items()},
    **{f"softnet.{name}": meaning for name, meaning in _SOFTNET.items()},
    **{f"nf_conntrack.{name}": meaning for name, meaning in _CONNTRACK.items()},
    **_NEIGHBOURS,
    **{f"psi.{name}": meaning for name, meaning in _PSI.items()},
    **{f"cgroup.{name}": meaning for name, meaning in _CGROUP.items()},
    **{f"nic.{name}": meaning for name, meaning in _NIC.items()},
    **GAUGES,
}
"""Everything that is read, by the name that rules use."""

_MICROSECONDS = (S, 1e-6)
_MEASURED: dict[str, tuple[Unit, float]] = {
    "sockstat.TCP.mem": (PAGE, 1),
    "TcpExt.TCPMemoryPressuresChrono": (S, 1e-3),
    "cgroup.throttled": _MICROSECONDS,
    **{f"psi.{name}": _MICROSECONDS for name in _PSI},
}


def measure(name: str) -> tuple[Unit, float]:
    """The unit of a counter, and what turns the kernel's number into it: most count things."""
    return _MEASURED.get(name, (N, 1))


FILES: dict[str, str] = {
    "Tcp": "/proc/net/snmp",
    "TcpExt": "/proc/net/netstat",
    "sockstat": "/proc/net/sockstat",
    "softnet": "/proc/net/softnet_stat",
    "nf_conntrack": "/proc/net/stat/nf_conntrack",
    "arp_cache": "/proc/net/stat/arp_cache",
    "ndisc_cache": "/proc/net/stat/ndisc_cache",
    "file": "/proc/sys/fs/file-nr",
    "psi": "/proc/pressure",
    "cgroup": "/sys/fs/cgroup",
    "nic": "/sys/class/net",
}
"""Where the counters of a group stand."""

ABSENT: dict[str, str] = {
    "nf_conntrack": "connection tracking is not loaded",
    "arp_cache": "only the machine's first network namespace shows it",
    "ndisc_cache": "only the machine's first network namespace shows it",
    "psi": "the kernel does not keep it (psi=1 on its command line would)",
    "cgroup": "nginx's control group has no such limit, or could not be read",
    "nic": "/sys shows another network namespace, or none",
}
"""Why the counters of a group may be missing."""
