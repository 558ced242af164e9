"""What the kernel's log means for the namespace that was read."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.derive import Facts

HOST = {"kernel": "6.1.0", "netns": "host"}


def facts(**given: Any) -> Facts:
    return Facts(snapshot_of(given))


@pytest.mark.parametrize(
    ("named", "listeners", "expected"),
    [
        ("10.0.0.1:80", [("10.0.0.1", 80)], True),
        ("10.0.0.1:80", [("10.0.0.2", 80), ("10.0.0.1", 81)], False),
        ("0.0.0.0:80", [("10.0.0.1", 80)], False),
        ("[::]:443", [("::", 443)], True),
        ("[::1]:443", [("::", 443)], False),
        ("80", [("10.0.0.1", 80)], True),
        ("80", [("10.0.0.1", 8080)], False),
        ("80", [], False),
    ],
)
def test_a_flood_is_ours_where_somebody_listens_there(
    named: str,
    listeners: list[tuple[str, int]],
    expected: bool,  # noqa: FBT001 (a parameter of the table)
) -> None:
    rows = [{"address": address, "port": port} for address, port in listeners]
    [one] = facts(kernel_log={"syn_flooding": {named: {5: 1}}}, listeners=rows).kernel_log.syn_flooding
    assert one.listened is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [(HOST, True), ({**HOST, "netns": "4026531999"}, False), ({**HOST, "container": "docker"}, False)],
)
def test_the_log_is_the_machine_s(host: dict[str, str], expected: bool) -> None:  # noqa: FBT001 (likewise)
    [one] = facts(kernel_log={"orphans": {"kernel": {5: 1}}}, host=host).kernel_log.orphans
    assert (one.about, one.whole) == ("kernel", expected)
    with contextlib.nullcontext() if expected else pytest.raises(Unread, match="the whole machine's"):
        assert one.ours


def test_each_kind_is_told_apart_and_dated() -> None:
    log = facts(
        kernel_log={"out_of_memory": {"nginx": {5: 1, 700: 2}, "java": {9: 1}}, "suppressed": {"kernel": {3: 40}}}
    )
    assert [(one.id, one.count, one.newest) for one in log.kernel_log.out_of_memory] == [
        ("nginx", 3, 5.0),
        ("java", 1, 9.0),
    ]
    assert log.kernel_log.tcp_memory == log.kernel_log.file_max == log.kernel_log.crashed == []
    assert log.kernel_log.suppressed == 40


def test_what_was_not_read_is_unread() -> None:
    with pytest.raises(Unread, match="not given"):
        assert facts().kernel_log.orphans is None
    [one] = facts(kernel_log={"orphans": {"kernel": {5: 1}}}).kernel_log.orphans
    with pytest.raises(Unread, match="not given"):
        assert one.ours
