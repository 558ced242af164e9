"""Who holds sockets: each holder has a name of its own, without its pid."""

from __future__ import annotations

from advisor.engine.cases import snapshot_of
from advisor.facts.derive import Facts


def held(pid: int, remote: str, state: str = "CLOSE_WAIT") -> dict[str, object]:
    return {"pid": pid, "name": "worker", "state": state, "remote": remote, "count": 1, "ages": {9: 1}}


def test_two_processes_of_one_name_are_two_holders() -> None:
    rows = [
        held(9, "10.0.0.1:80"),
        held(7, "10.0.0.1:80"),
        held(8, "10.0.0.2:80"),
        held(6, "10.0.0.1:80", "ESTABLISHED"),
    ]
    owners = Facts(snapshot_of({"held": rows})).owners
    assert [(one.id, one.process) for one in owners.close_wait] == [
        ("worker to 10.0.0.1:80", "worker (pid 7)"),
        ("worker to 10.0.0.2:80", "worker (pid 8)"),
        ("worker to 10.0.0.1:80 #2", "worker (pid 9)"),
    ]
    assert [one.id for one in owners.outbound] == ["worker to 10.0.0.1:80"]
