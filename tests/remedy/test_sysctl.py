"""Wants of sysctls, and the drop-in file."""

from __future__ import annotations

import pytest
from support.snapshots import snapshot_with

from advisor.errors import PlanError, Unread
from advisor.facts.derive import Facts
from advisor.findings import Change, Relation
from advisor.formats.ports import Ports
from advisor.formats.sysctl import parse
from advisor.remedy.lattice import Target, Wants, join
from advisor.remedy.predict import Prediction, predict
from advisor.remedy.sysctl import DROPIN, sysctl_changes
from advisor.snapshot.model import SysctlFile, Sysctls

VALUES = {
    "net.core.somaxconn": "128",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.ip_local_reserved_ports": "8080",
    "net.ipv4.tcp_fin_timeout": "20",
    "net.ipv4.tcp_max_tw_buckets": "5000",
}
RANGE = "net.ipv4.ip_local_port_range"


def predicted(*changes: Change, earlier: str | None = None, given: str | None = None) -> Prediction:
    files = [SysctlFile(path=DROPIN, content=earlier.encode())] if earlier is not None else []
    files += [SysctlFile(path="/g", content=given.encode(), given=True)] if given is not None else []
    wants: dict[Target, Wants] = {}
    for change in changes:
        join(wants, change, "the-rule")
    facts = Facts(snapshot_with(sysctls=Sysctls(values=VALUES), sysctl_files=files))
    return predict(facts, wants, {"the-rule": "what it says"})


def at_least(key: str, value: float) -> Change:
    return Change(key, Relation.AT_LEAST, value)


def lines(found: Prediction) -> list[str]:
    assert found.dropin is not None
    return found.dropin.decode().splitlines()


def test_the_file_says_rule_reason_and_previous_value_above_each_line() -> None:
    found = predicted(
        at_least("net.core.somaxconn", 4096),
        Change("net.ipv4.ip_local_reserved_ports", Relation.INCLUDES, "9000-9002"),
        at_least(f"{RANGE}.high", 65535),
    )
    assert lines(found) == [
        "# Written by advisor. One key a line; delete a line, or this file, to take it back at the next boot.",
        "",
        "# the-rule: what it says",
        "# before: 128",
        "net.core.somaxconn = 4096",
        "",
        "# the-rule: what it says",
        "# before: 32768 60999",
        f"{RANGE} = 32768 65535",
        "",
        "# the-rule: what it says",
        "# before: 8080",
        "net.ipv4.ip_local_reserved_ports = 8080,9000-9002",
    ]
    assert found.dropin is not None
    assert found.dropin.endswith(b"\n")
    read = parse(found.dropin, DROPIN)
    assert read.problems == []
    assert found.snapshot.sysctls is not None
    assert {one.key: one.value for one in read.settings} == {one.key: one.after for one in found.sysctls}
    assert all(found.snapshot.sysctls.values[one.key] == one.value for one in read.settings)


def test_both_ends_of_a_range_are_one_line() -> None:
    (change,) = predicted(at_least(f"{RANGE}.high", 65535), Change(f"{RANGE}.low", Relation.AT_MOST, 10240)).sysctls
    assert (change.before, change.after, change.rules) == ("32768 60999", "10240 65535", ("the-rule",))


def test_what_is_there_already_is_not_written() -> None:
    found = predicted(at_least("net.core.somaxconn", 128))
    assert (found.sysctls, found.dropin) == ([], None)


def test_an_earlier_patch_is_kept() -> None:
    earlier = "# mine\nnet.core.somaxconn=128\nvm.swappiness=1\nnet.ipv4.tcp_fin_timeout=20\n"
    found = lines(predicted(at_least("net.ipv4.tcp_fin_timeout", 60), earlier=earlier))
    assert found[2:] == [
        "# kept from the patch that was here before",
        "net.core.somaxconn = 128",
        "",
        "# kept from the patch that was here before",
        "vm.swappiness = 1",
        "",
        "# the-rule: what it says",
        "# before: 20",
        "net.ipv4.tcp_fin_timeout = 60",
    ]


def test_an_earlier_line_that_is_not_in_force_is_a_change() -> None:
    """``sysctl -p`` applies the whole file, so what it brings back is said and predicted."""
    found = predicted(at_least("net.ipv4.tcp_fin_timeout", 60), earlier="net.core.somaxconn = 4096\n")
    assert [(one.key, one.before, one.after, one.rules, one.needs) for one in found.sysctls] == [
        ("net.core.somaxconn", "128", "4096", (), ("re-listen",)),
        ("net.ipv4.tcp_fin_timeout", "20", "60", ("the-rule",), ()),
    ]
    assert found.snapshot.sysctls is not None
    assert found.snapshot.sysctls.values["net.core.somaxconn"] == "4096"


def test_an_earlier_line_that_a_rule_wants_otherwise_is_replaced() -> None:
    found = predicted(at_least("net.ipv4.tcp_fin_timeout", 20), earlier="net.ipv4.tcp_fin_timeout = 5\n")
    assert "net.ipv4.tcp_fin_timeout = 20" in lines(found)
    assert "net.ipv4.tcp_fin_timeout = 5" not in lines(found)


def test_given_files_are_judged_with_the_drop_in_as_the_last_of_them() -> None:
    found = predicted(at_least("net.ipv4.tcp_fin_timeout", 60), given="net.ipv4.tcp_fin_timeout = 5\n")
    assert found.sysctls[0].before == "5"
    assert Facts(found.snapshot).sysctl.value("net.ipv4.tcp_fin_timeout") == 60


def test_what_was_not_read_is_never_written() -> None:
    with pytest.raises(Unread, match="not collected"):
        predicted(at_least("net.ipv4.tcp_keepalive_time", 1))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (at_least("net.core.somaxconn", 70000), "outside of 1 to 65535"),
        (at_least(f"{RANGE}.high", 70000), "outside of 1 to 65535"),
    ],
)
def test_a_value_the_kernel_would_not_take_is_refused(change: Change, why: str) -> None:
    with pytest.raises(PlanError, match=why):
        predicted(change)


def test_a_list_of_ports_that_readers_would_cut_has_its_smallest_gaps_closed() -> None:
    """Ports picked evenly would take 13,000 bytes; a sixth of that is cut off without a word by sysctl(8)."""
    wanted = ",".join(map(str, range(20000, 25000, 2)))
    found = predicted(Change("net.ipv4.ip_local_reserved_ports", Relation.INCLUDES, f"15672,{wanted},60999"))
    (change,) = found.sysctls
    assert len(change.after) <= 4000
    after = Ports.parse(change.after)
    assert not Ports.parse(f"15672,60999,{wanted}") - after
    assert len(after.ranges) > 500, "no more gaps were closed than that took"
    assert 15673 not in after, "the widest gaps stay open"


def test_a_key_that_no_patch_may_write_is_refused() -> None:
    facts = Facts(snapshot_with(sysctls=Sysctls(values={"net.ipv4.ip_unprivileged_port_start": "1024"})))
    wants: dict[Target, Wants] = {}
    join(wants, Change("net.ipv4.ip_unprivileged_port_start", Relation.AT_MOST, 80), "bad")
    with pytest.raises(PlanError, match="not among the keys a patch may write"):
        sysctl_changes(facts, wants)
