"""Sysctls that Kubernetes lets every pod set, since which version of it.

Source: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/ (safe and unsafe sysctls). Any other key of
a namespace is unsafe there: the kubelet of the node must allow it, or the pod does not start.
"""

from __future__ import annotations

SAFE: dict[str, str | None] = {
    "net.ipv4.ip_local_port_range": None,
    "net.ipv4.tcp_syncookies": None,
    "net.ipv4.ip_unprivileged_port_start": "1.22",
    "net.ipv4.ip_local_reserved_ports": "1.27",
    "net.ipv4.tcp_keepalive_time": "1.29",
    "net.ipv4.tcp_fin_timeout": "1.29",
    "net.ipv4.tcp_keepalive_intvl": "1.29",
    "net.ipv4.tcp_keepalive_probes": "1.29",
    "net.ipv4.tcp_rmem": "1.32",
    "net.ipv4.tcp_wmem": "1.32",
    "net.ipv4.tcp_slow_start_after_idle": "1.37",
    "net.ipv4.tcp_notsent_lowat": "1.37",
}
"""None: in every version that knows ``securityContext.sysctls``."""
