"""Owners of real sockets that are never closed."""

from __future__ import annotations

import os
import pathlib
import socket
import time
from typing import Any

import pytest

from advisor.collect.descriptors import owners_of
from advisor.collect.owners import read_held
from advisor.errors import InputError
from advisor.system import System

READ = (
    "import os, time\nfrom advisor.collect import descriptors, owners\nfrom advisor.collect.owners import read_held\n"
)


@pytest.mark.real
def test_close_wait_and_many_established_have_an_owner(inside: Any) -> None:
    pid = inside.crowd("leak").pid
    time.sleep(1.1)
    rows = {(row["state"], row["remote"]): row for row in inside.ask(READ + "answer = read_held(System())")}
    assert {key: row["count"] for key, row in rows.items()} == {
        ("CLOSE_WAIT", "127.0.0.1:9100"): 12,
        ("CLOSE_WAIT", "clients of port 9200"): 7,
        ("ESTABLISHED", "127.0.0.1:9300"): 110,
    }
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    for row in rows.values():
        assert (row["pid"], row["name"]) == (pid, pathlib.Path(f"/proc/{pid}/comm").read_text("ascii").strip())
        assert 1.0 < row["ages"]["oldest"] < 10
        assert sum(row["ages"]["counts"]) == row["count"]
        assert row["descriptors"] == descriptors
        assert row["nofile"] > descriptors


@pytest.mark.real
@pytest.mark.parametrize(
    ("before", "name"),
    [
        ("os.setgid(65534); os.setuid(65534)", "owner not visible without root"),
        ("descriptors.MOST_DESCRIPTORS = 0", "owner not looked for: too many descriptors"),
        ("descriptors.CPU_S = -1.0", "owner not looked for: too many descriptors"),
        ("owners._MOST_SOCKETS = 0", "owner not looked for: too many descriptors"),
    ],
)
def test_an_owner_that_is_not_found_says_why(inside: Any, before: str, name: str) -> None:
    inside.crowd("leak")
    rows = inside.ask(READ + before + "\nanswer = read_held(System())")
    assert {(row["pid"], row["name"]) for row in rows} == {(None, name)}
    assert sorted(row["count"] for row in rows) == [7, 12, 110]


@pytest.mark.real
def test_what_waits_to_be_accepted_has_no_process(inside: Any) -> None:
    code = READ + (
        "import socket\nserver = socket.create_server(('127.0.0.1', 9000))\n"
        "for _ in range(3): socket.create_connection(('127.0.0.1', 9000)).close()\n"
        "answer = read_held(System())"
    )
    (row,) = inside.ask(code)
    assert (row["pid"], row["name"], row["count"]) == (None, "no process yet: waiting to be accepted", 3)


@pytest.mark.real
def test_rows_are_bounded_and_none_is_lost(inside: Any) -> None:
    inside.crowd("leak")
    rows = inside.ask(READ + "owners._MOST_ROWS = 1\nanswer = read_held(System())")
    assert [(row["name"], row["state"], row["count"]) for row in rows[1:]] == [("others", "CLOSE_WAIT", 19)]
    assert rows[0]["count"] == 110
    assert sum(rows[1]["ages"]["counts"]) == 19


def test_only_what_is_looked_for_is_found() -> None:
    with socket.socket() as mine, socket.socket():
        inode = os.fstat(mine.fileno()).st_ino
        found, otherwise = owners_of(System(), {inode, 1}, {os.geteuid()})
    assert {key: owner.pid for key, owner in found.items()} == {inode: os.getpid()}
    assert otherwise.pid is None


def test_a_tree_has_no_processes(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="no processes"):
        read_held(System(str(tmp_path)))
