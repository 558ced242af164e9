"""The counters and gauges we read of /proc/net/{snmp,netstat,sockstat,sockstat6}, and what each exactly counts.

Sources: the kernel's net/ipv4/{proc,tcp,tcp_input,tcp_ipv4,tcp_minisocks,tcp_timer}.c and networking/snmp_counter.rst.
All are of one network namespace since it was made, unless a line says otherwise.
"""

from __future__ import annotations

GAUGES: dict[str, str] = {
    "Tcp.CurrEstab": "sockets in ESTABLISHED and in CLOSE_WAIT, now",
    "sockstat.sockets.used": "sockets of every protocol, now",
    "sockstat.TCP.inuse": "IPv4 sockets in any state but TIME_WAIT and FIN_WAIT2 without a process, LISTEN included",
    "sockstat.TCP.orphan": "sockets that no process holds any more; of the whole machine",
    "sockstat.TCP.tw": "TIME_WAIT, and FIN_WAIT2 without a process, IPv4 and IPv6",
    "sockstat.TCP.alloc": "TCP sockets allocated, of the whole machine",
    "sockstat.TCP.mem": "pages that TCP's buffers take, of the whole machine",
    "sockstat.TCP6.inuse": "the same of IPv6; IPv4 clients of a [::] listener are counted here",
}
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

COUNTERS: dict[str, str] = {
    **{f"Tcp.{name}": meaning for name, meaning in _TCP.items()},
    **{f"TcpExt.{name}": meaning for name, meaning in _TCPEXT.items()},
    **GAUGES,
}
"""Everything that is read, by the name that rules use."""
