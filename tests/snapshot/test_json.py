"""A snapshot's JSON: what it holds comes back, and what is no snapshot is refused by the name of the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from support.snapshots import snapshots

from advisor.errors import InputError
from advisor.jobs import load
from advisor.snapshot.json import dumps, loads

if TYPE_CHECKING:
    from advisor.snapshot.model import Snapshot

PLAIN: dict[str, Any] = {"schema": "advisor.snapshot/v1", "advisor": "0", "taken": "2026-01-31T12:00:00Z"}
_PORT = {"port": 80, "connections": 1}
NGINX = {"entry": "/n", "files": {"/n": {"content": "http { }"}}}


@given(snapshots())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(snapshot: Snapshot) -> None:
    assert loads(dumps(snapshot).encode()) == snapshot


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"taken": "yesterday"}, "taken: Value error, expected a time with its zone"),
        ({"taken": "2026-01-31T12:00:00"}, "taken: Value error, expected a time with its zone"),
        ({"nginx": {**NGINX, "version": "1.22.x"}}, "nginx.version: String should match pattern"),
        ({"nginx": {**NGINX, "version": "9" * 5000}}, "nginx.version: String should match pattern"),
        ({"nginx": {**NGINX, "verison": "1"}}, "nginx.verison: Extra inputs are not permitted"),
        ({"processes": {"master": {"pid": -1, "started": 0}}}, "processes.master.pid: Input should be greater"),
        ({"counters": {"a": {"first": 2**64}}}, "counters.a.first: Input should be less"),
        ({"nginx": {"entry": "/n", "files": {"/n": {"content": {"base64": "%"}}}}}, "nginx.files./n.content: Value"),
        ({"nginx": {"entry": "/other", "files": {}}}, "nginx.entry: '/other' is none of nginx.files"),
        (
            {"capture": {"name": "a", "seconds": 1, "packets": 1, "ports": [_PORT | {"cut": {"4737": 1}}]}},
            "capture.ports.0.cut.4737.[key]: Input should be less than 4737",
        ),
        ({"schema": "advisor.snapshot/v2"}, "schema: Input should be 'advisor.snapshot/v1'"),
    ],
)
def test_what_is_no_snapshot_is_refused_by_its_field(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        load.parse(json.dumps(PLAIN | change).encode(), "web.json")
    assert str(caught.value).startswith(f"web.json: {said}")
