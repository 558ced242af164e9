"""The counters outside of TCP: in trees of every kind of kernel, and on this one."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from advisor.collect.gauges import read_gauges
from advisor.errors import InputError
from advisor.system import System

if TYPE_CHECKING:
    from support.netns import Netns

SOFTNET = "0000000a 00000001 00000002 0 0 0 0 0 0 00000000 00000003\n"
NEIGHBOURS = "entries allocs table_fulls\n00000005 00000001 00000002\n00000005 00000001 00000002\n"
DEV = "Inter-|\n face |\n    lo: 1\n  eth0: 1\n  eth1: 1\n veth7: 1\n"
V2 = "0::/system.slice/nginx.service\n"
GROUP = "sys/fs/cgroup/system.slice"


def tree(root: pathlib.Path, files: dict[str, str]) -> System:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return System(str(root))


def read(root: pathlib.Path, files: dict[str, str], pid: int | None = None) -> dict[str, int]:
    return dict(read_gauges(tree(root, files), pid))


def cards(**counters: dict[str, int]) -> dict[str, str]:
    """A tree of /sys/class/net: a card has a device behind it."""
    files = {"proc/net/dev": DEV}
    for name in ("lo", "eth0", "eth1", "veth7"):
        said = {"rx_missed_errors": 0, "rx_fifo_errors": 0, "rx_dropped": 9, **counters.get(name, {})}
        files |= {f"sys/class/net/{name}/statistics/{counter}": f"{value}\n" for counter, value in said.items()}
    return files | {f"sys/class/net/{name}/device/vendor": "" for name in ("eth0", "eth1")}


def test_each_group_where_it_is_there(tmp_path: pathlib.Path) -> None:
    assert read(tmp_path, {}) == {}
    assert read(
        tmp_path,
        {
            "proc/net/softnet_stat": SOFTNET * 2,
            "proc/net/stat/arp_cache": NEIGHBOURS,
            "proc/net/stat/nf_conntrack": "drop early_drop\n00000001 00000002\n",
            "proc/sys/fs/file-nr": "349\t0\t9\n",
            "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=77\n",
        },
    ) == {
        "softnet.processed": 20,
        "softnet.dropped": 2,
        "softnet.time_squeeze": 4,
        "softnet.flow_limit": 6,
        "arp_cache.entries": 5,
        "arp_cache.allocs": 2,
        "arp_cache.table_fulls": 4,
        "nf_conntrack.drop": 1,
        "nf_conntrack.early_drop": 2,
        "file.allocated": 349,
        "psi.cpu.some": 77,
    }


def test_a_broken_file_is_named_with_its_line(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match=r"^/proc/pressure/io: line 1: no pressure$"):
        read(tmp_path, {"proc/pressure/io": "none\n"})


def test_cards_are_added_up_and_what_has_no_hardware_is_left_out(tmp_path: pathlib.Path) -> None:
    found = read(
        tmp_path, cards(eth0={"rx_missed_errors": 5}, eth1={"rx_missed_errors": 7}, veth7={"rx_dropped": 1000})
    )
    assert found == {"nic.rx_missed_errors": 12, "nic.rx_fifo_errors": 0, "nic.rx_dropped": 18}


def test_a_namespace_without_cards_loses_nothing_on_them(tmp_path: pathlib.Path) -> None:
    files = {"proc/net/dev": DEV.partition("  eth0")[0], "sys/class/net/lo/statistics/rx_dropped": "9\n"}
    assert read(tmp_path, files) == {"nic.rx_missed_errors": 0, "nic.rx_fifo_errors": 0, "nic.rx_dropped": 0}


def test_cards_of_another_namespace_are_not_taken_for_ours(tmp_path: pathlib.Path) -> None:
    """/sys is that of the namespace in which it was mounted; /proc/net/dev is that of the reader."""
    assert read(tmp_path, cards() | {"proc/net/dev": DEV.replace("eth1", "eth9")}) == {}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                f"{GROUP}/cpu.max": "50000 100000\n",
                f"{GROUP}/cpu.stat": "usage_usec 1\nnr_periods 10\nnr_throttled 3\nthrottled_usec 900\n",
                f"{GROUP}/nginx.service/cpu.max": "max 100000\n",
                f"{GROUP}/nginx.service/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
                f"{GROUP}/nginx.service/memory.events": "low 0\noom 2\noom_kill 1\n",
            },
            {"nr_periods": 10, "nr_throttled": 3, "throttled": 900, "oom_kill": 1},
        ),
        ({f"{GROUP}/nginx.service/cpu.stat": "nr_periods 0\n"}, {}),
    ],
    ids=["the slice around it has the quota", "no quota"],
)
def test_the_group_with_the_tightest_quota_counts(
    tmp_path: pathlib.Path, files: dict[str, str], expected: dict[str, int]
) -> None:
    found = read(tmp_path, {"proc/7/cgroup": V2, **files}, 7)
    assert found == {f"cgroup.{name}": value for name, value in expected.items()}
    assert read(tmp_path, {}) == {}, "nobody's, where no nginx runs"


def test_version_1_counts_in_nanoseconds(tmp_path: pathlib.Path) -> None:
    found = read(
        tmp_path,
        {
            "proc/7/cgroup": "4:cpu,cpuacct:/web\n3:memory:/web\n",
            "sys/fs/cgroup/cpu/web/cpu.cfs_quota_us": "10000\n",
            "sys/fs/cgroup/cpu/web/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/web/cpu.stat": "nr_periods 5\nnr_throttled 4\nthrottled_time 7000000\n",
            "sys/fs/cgroup/memory/web/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
        },
        7,
    )
    assert found == {
        "cgroup.nr_periods": 5,
        "cgroup.nr_throttled": 4,
        "cgroup.throttled": 7000,
        "cgroup.oom_kill": 2,
    }


@pytest.mark.real
def test_nobody_needs_root_for_them(inside: Any) -> None:
    found = inside.ask(
        "import os\nfrom advisor.collect.gauges import read_gauges\nos.setgroups([])\nos.setgid(65534)\n"
        "os.setuid(65534)\nanswer = dict(read_gauges(System(), None))"
    )
    assert {"softnet.dropped", "file.allocated", "nf_conntrack.drop"} <= found.keys()


@pytest.mark.real("nft")
def test_a_full_conntrack_table_is_counted(netns: Netns, inside: Any) -> None:
    """The count is the namespace's; the limit is the machine's, so that the drops themselves can't be shown here."""
    before = inside.ask("from advisor.collect.gauges import read_gauges\nanswer = dict(read_gauges(System(), None))")
    netns.run("nft", "add table ip t; add chain ip t c { type filter hook output priority 0; }; "
              "add rule ip t c ct state new accept")  # fmt: skip
    inside.ask(
        "import socket\nserver = socket.create_server(('127.0.0.1', 9000))\n"
        "held = [socket.create_connection(('127.0.0.1', 9000)) for _ in range(40)]\nanswer = 0"
    )
    after = inside.ask(
        "from advisor.collect.sysctl import read_sysctls\nfrom advisor.collect.gauges import read_gauges\n"
        "found = read_sysctls(System()).values\n"
        "answer = [found['net.netfilter.nf_conntrack_count'], dict(read_gauges(System(), None))]"
    )
    assert before["nf_conntrack.drop"] == after[1]["nf_conntrack.drop"] == 0
    assert int(after[0]) == 40


def test_what_nobody_may_read_is_missing(tmp_path: pathlib.Path) -> None:
    system = tree(tmp_path, {"proc/net/softnet_stat": SOFTNET})
    (tmp_path / "proc/pressure").mkdir()
    (tmp_path / "proc/pressure/cpu").symlink_to("/nowhere")
    assert "softnet.dropped" in dict(read_gauges(system, None))
