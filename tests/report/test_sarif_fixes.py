"""The fixes of a SARIF log, applied as its specification says, against what ``gate --fix`` writes."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from advisor.collect.run import Request
from advisor.gate.policy import Policy
from advisor.jobs import configure
from advisor.jobs.gate import Asked, Gate
from advisor.remedy.plan import Allowed
from advisor.report.sarif import render

if TYPE_CHECKING:
    import pathlib

    from advisor.jobs.fixed import Fixed

FILES = {
    "etc/nginx/nginx.conf": b"events {}\r\nhttp {\r\n\tsendfile off; # \xe5\x85\xac\r\n"
    b"\tkeepalive_timeout 900;\r\n\tinclude conf.d/*.conf;\r\n}",
    "etc/nginx/conf.d/latin 1.conf": b"# gr\xfcn\nserver { listen 80 backlog=8192; server_name gr\xfcn.example;\n"
    b"  location / { sendfile off; keepalive_timeout 800; }\n}\n",
    "etc/sysctl.d/10-net.conf": b"# \xf0\x9f\x9a\x80\nnet.core.somaxconn = 128\nnet.ipv4.tcp_fin_timeout=10",
}


@pytest.fixture
def told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], Fixed]:
    """The run of a repository's log, and the fix that it tells."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    settings = configure.settings(configure.Asked(isolated=True))
    gate = Gate(Asked(settings, Policy(), dt.date(2026, 1, 1), Request(host=False), ["."]), lambda _: None)
    fixed = gate.cure(Allowed(unsafe=True))
    (run,) = json.loads(render(gate.told(detailed=True, fixed=fixed)))["runs"]
    return run, fixed


def replacements(run: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Every replacement of every fix, once, by file: findings that are cured together share some."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for result in run["results"]:
        for fix in result.get("fixes", ()):
            for change in fix["artifactChanges"]:
                rows = found.setdefault(change["artifactLocation"]["uri"], {})
                rows |= {json.dumps(row): row for row in change["replacements"]}
    return {
        uri: sorted(rows.values(), key=lambda row: row["deletedRegion"]["byteOffset"]) for uri, rows in found.items()
    }


def by_bytes(data: bytes, rows: list[dict[str, Any]]) -> bytes:
    for row in reversed(rows):
        start, length = row["deletedRegion"]["byteOffset"], row["deletedRegion"]["byteLength"]
        new = base64.b64decode(row.get("insertedContent", {"binary": ""})["binary"])
        data = data[:start] + new + data[start + length :]
    return data


def by_columns(data: bytes, rows: list[dict[str, Any]]) -> bytes:
    """For files in UTF-8, whose lines end in LF: a CR before it stands in a column of its own."""
    lines = data.decode().split("\n")
    for row in reversed(rows):
        at = row["deletedRegion"]
        before = "\n".join([*lines[: at["startLine"] - 1], lines[at["startLine"] - 1][: at["startColumn"] - 1]])
        after = "\n".join([lines[at["endLine"] - 1][at["endColumn"] - 1 :], *lines[at["endLine"] :]])
        lines = (before + row.get("insertedContent", {"text": ""})["text"] + after).split("\n")
    return "\n".join(lines).encode()


def test_the_fixes_are_exactly_what_is_written(told: tuple[dict[str, Any], Fixed]) -> None:
    run, fixed = told
    found = {uri.replace("%20", " "): rows for uri, rows in replacements(run).items()}
    assert set(fixed.files) == set(FILES) == set(found), "each file is changed"
    assert {name: by_bytes(FILES[name], rows) for name, rows in found.items()} == {
        name: new for name, (_, new) in fixed.files.items()
    }


@pytest.mark.parametrize("name", ["etc/nginx/nginx.conf", "etc/sysctl.d/10-net.conf"])
def test_lines_and_columns_say_the_same_as_bytes(told: tuple[dict[str, Any], Fixed], name: str) -> None:
    run, fixed = told
    assert by_columns(FILES[name], replacements(run)[name]) == fixed.files[name][1]
