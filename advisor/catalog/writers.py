"""Programs that set sysctls after systemd-sysctl has run at boot, and what they set without being asked.

ufw and TuneD read files of their own, which are read as theirs. Of the others only the presence is seen.
Sources: ufw(8); tuned-main.conf(5), tuned-profiles(7); kubernetes.io, the reference of kube-proxy's configuration
(conntrack); the kubelet's --protect-kernel-defaults; docs.docker.com, packet filtering.
"""

from __future__ import annotations

SYSTEMD_SYSCTL = "systemd-sysctl"
"""Not a third writer: the program that reads sysctl.d at boot, where it is installed."""
UFW = "ufw"
TUNED = "TuneD"
"""Reads /run/sysctl.d, /etc/sysctl.d and /etc/sysctl.conf again after its own: these win (``reapply_sysctl``)."""
TUNED_LAST = "TuneD with reapply_sysctl = 0"

SETS: dict[str, dict[str, str | None]] = {
    "kube-proxy": {
        "net.netfilter.nf_conntrack_max": None,
        "net.netfilter.nf_conntrack_tcp_timeout_established": "86400",
        "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
    },
    "kubelet": {
        "vm.overcommit_memory": "1",
        "vm.panic_on_oom": "0",
        "kernel.panic": "10",
        "kernel.panic_on_oops": "1",
    },
    "Docker": {"net.ipv4.ip_forward": "1"},
}
"""By program: the keys, and their values where they do not depend on the machine."""
