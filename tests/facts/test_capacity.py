"""What workers are allowed, what that takes, what they use: counted from a configuration and processes."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.engine.cases import snapshot_of
from advisor.errors import Unread
from advisor.facts.capacity import CONNECTION, CapacityFacts
from advisor.facts.derive import Facts
from advisor.records import replace


def capacity(nginx: str, **given: Any) -> CapacityFacts:
    return Facts(snapshot_of({"nginx": nginx, **given})).nginx.capacity


def processes(*workers: dict[str, int], leaving: int = 0, started: int = 0) -> dict[str, Any]:
    rows = [{"pid": 10 + n, "started": started, **row} for n, row in enumerate(workers)]
    old = [{"pid": 90 + n, "started": 0} for n in range(leaving)]
    return {"master": {"pid": 1, "started": 0}, "workers": rows, "leaving": old}


HOST = {"kernel": "6.1.0", "cpus": 6, "memory": 2**30, "cgroup": {}}


def test_descriptors_are_added_up() -> None:
    found = capacity(
        "error_log /e.log; error_log syslog:server=a; events { worker_connections 1000; }\n"
        "http { access_log /a.log; open_file_cache max=50 inactive=20s;\n"
        "server { listen 80; listen 443 ssl; access_log off; }\n"
        "server { listen 80; access_log /a.log combined; open_file_cache max=7; error_log stderr; } }"
    )
    assert found.cached_files == 57
    assert found.descriptors == 1000 + 57 + len({"80", "443"}) + len({"/e.log", "/a.log"})


def test_defaults() -> None:
    found = capacity("events { }", host=HOST)
    assert (found.connections, found.processes, found.auto) == (512, 1, False)
    assert found.reserved == 512 * CONNECTION
    assert found.masks is None
    assert found.long_connections is None


def test_auto_counts_the_cpus_that_are_online() -> None:
    assert capacity("worker_processes auto; events { }", host=HOST).processes == 6
    with pytest.raises(Unread, match="not given"):
        _ = capacity("worker_processes auto; events { }").processes
    with pytest.raises(Unread, match="'many'"):
        _ = capacity("worker_processes many; events { }").processes


def test_a_part_of_a_configuration_has_no_top() -> None:
    assert capacity("server { listen 80; }").main == []
    (main,) = capacity("worker_processes 2; events { }").main
    assert (main.id, main.location.line) == ("main", 1)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("map $http_upgrade $up { default upgrade; '' close; }", "map $http_upgrade at /etc/nginx/nginx.conf:1"),
        ("proxy_read_timeout 5m;", "proxy_read_timeout 5m at /etc/nginx/nginx.conf:1"),
        ("server { location / { grpc_pass grpc://a; } }", "grpc_pass at /etc/nginx/nginx.conf:1"),
        ("proxy_read_timeout 299s;", None),
        ("map $http_host $up { default a; }", None),
    ],
)
def test_what_makes_connections_long(line: str, why: str | None) -> None:
    assert capacity(f"events {{ }} http {{ {line} }}").long_connections == why


def test_the_fullest_worker_counts() -> None:
    rows = processes(
        {"nofile": 1024, "descriptors": 40, "sockets": 31}, {"nofile": 512, "descriptors": 300, "sockets": 250}
    )
    found = capacity("events { }", processes=rows)
    # One socket of each worker leads to the other one.
    assert (found.nofile, found.open, found.taken, found.running) == (512, 300, 249, 2)


def test_what_of_the_processes_is_not_known() -> None:
    found = capacity("events { }", processes=processes({"nofile": 1024}, {}))
    for name in ("nofile", "open", "taken"):
        with pytest.raises(Unread, match="of the workers could not be read"):
            getattr(found, name)
    with pytest.raises(Unread, match="no worker"):
        _ = capacity("events { }", processes=processes()).taken


def test_old_workers_have_been_leaving_at_least_since_the_new_ones_came() -> None:
    rows = processes({}, {}, leaving=3, started=1000)
    found = capacity("events { }", processes=rows, taken="1970-01-01T01:00:00Z")
    assert (found.leaving, found.leaving_for, found.running, found.running_for) == (3, 2600, 2, 2600)


def test_a_patch_that_reloads_moves_them() -> None:
    snapshot = replace(
        snapshot_of({"nginx": "events { }", "processes": processes({"nofile": 1})}), moved={"processes": "a reload"}
    )
    with pytest.raises(Unread, match="a reload"):
        _ = Facts(snapshot).nginx.capacity.nofile


def test_what_a_control_group_allows() -> None:
    limited = {**HOST, "cgroup": {"cpus": 1.5, "memory": 2**20}}
    host = Facts(snapshot_of({"host": limited})).host
    assert (host.cpu_quota, host.memory_allowed) == (1.5, 2**20)
    free = Facts(snapshot_of({"host": HOST})).host
    assert (free.cpu_quota, free.memory_allowed) == (None, 2**30)
    unknown = Facts(snapshot_of({"host": {"kernel": "6.1.0", "memory": 5}})).host
    with pytest.raises(Unread, match="control group"):
        _ = unknown.cpu_quota
