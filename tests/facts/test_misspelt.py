"""A key is taken for misspelt only where a known one is near: what modules and vendors bring is left alone."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.catalog.sysctl import KEYS
from advisor.catalog.sysctl_names import known
from advisor.facts.misspelt import meant


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("net.core.rmem_defualt", "net.core.rmem_default"),
        ("net.ipv4.tcp_max_tw_bucket", "net.ipv4.tcp_max_tw_buckets"),
        ("net.ipv4.tcp_fin_timeouts", "net.ipv4.tcp_fin_timeout"),
        ("net.ipv4.tcp-syncookies", "net.ipv4.tcp_syncookies"),
        ("net.ipv6.tcp_rmem", "net.ipv4.tcp_rmem"),
        ("net.core.tcp_mem", "net.ipv4.tcp_mem"),
        ("net.ip4.tcp_syncookies", "net.ipv4.tcp_syncookies"),
        ("somaxconn", "net.core.somaxconn"),
        ("net.ipv4.conf.eth0.rp_fliter", "net.ipv4.conf.eth0.rp_filter"),
        ("net.ipv4.conf.eth0/100.log_martian", "net.ipv4.conf.eth0/100.log_martians"),
        ("vm.swapiness", "vm.swappiness"),
        ("fs.files-max", "fs.file-max"),
    ],
)
def test_a_slip_is_seen(key: str, right: str) -> None:
    assert meant(key) == right


@pytest.mark.parametrize(
    "key",
    [
        "net.ipv4.tcp_retries3",
        "net.netfilter.nf_log.13",
        "net.ipv4.neigh.default.gc_thresh4",
        "net.ipv4.conf.wg0.rp_filter",
        "net.ipv4.vs.conntrack",
        "net.ipv4.tcp_collapse_max_bytes",
        "net.ipv4.acme_turbo",
        "net.iw_cm.default_backlog",
        "kernel.unprivileged_userns_clone",
        "net.ipv4.icmp_ratelimit_burst",
        "net.ipv4.tcp_*",
        "dirty_bytes",
        "",
        "...",
        "net.ipv4.conf.",
    ],
)
def test_what_nobody_here_knows_is_left_alone(key: str) -> None:
    assert meant(key) is None


def test_every_key_of_this_kernel_is_known_or_resembles_none() -> None:
    """Devices, and what modules of this machine bring, included."""
    root = pathlib.Path("/proc/sys")
    keys = [".".join(path.relative_to(root).parts) for path in root.rglob("*") if path.is_file()]
    assert len(keys) > 500
    assert [key for key in keys if meant(key) is not None] == []


@given(st.sampled_from(sorted(KEYS)), st.data())
def test_one_letter_more_is_always_seen(key: str, data: st.DataObject) -> None:
    folder, _, name = key.rpartition(".")
    at = data.draw(st.integers(min_value=0, max_value=len(name)))
    slip = f"{folder}.{name[:at]}x{name[at:]}"
    right = meant(slip)
    assert slip in known() or right == key or right in known()
