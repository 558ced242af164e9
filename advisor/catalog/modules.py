"""Kernel modules that bring sysctls: until one is loaded, its keys are not there to be set.

Sources: kernel:networking/nf_conntrack-sysctl.rst, networking/ipvs-sysctl.rst, man:sysctl.d(5); which modules need
nf_conntrack: their Kconfig in net/netfilter and net/netfilter/ipvs.
"""

from __future__ import annotations

_OF_KEYS = {
    "net.netfilter.nf_conntrack_": "nf_conntrack",
    "net.nf_conntrack_max": "nf_conntrack",
    "net.bridge.bridge-nf-": "br_netfilter",
    "net.ipv4.vs.": "ip_vs",
}
_BRINGING_CONNTRACK = frozenset(
    "nf_nat xt_conntrack xt_connmark xt_connlimit xt_nat xt_MASQUERADE xt_CT nft_ct nft_nat nft_masq nft_chain_nat "  # noqa: SIM905 (short)
    "nf_conncount iptable_nat ip6table_nat ip_vs act_ct openvswitch".split()
)


def module_of(key: str) -> str | None:
    """The module that brings a sysctl; None for those of the kernel itself, and those we do not know."""
    return next((module for start, module in _OF_KEYS.items() if key.startswith(start)), None)


def brings(listed: str, module: str) -> bool:
    """Whether loading one module loads another with it."""
    if listed == module:
        return True
    return module == "nf_conntrack" and (listed.startswith("nf_conntrack_") or listed in _BRINGING_CONNTRACK)
