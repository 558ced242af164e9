"""``advisor gate`` with a baseline, on files that change: what was there stays silent, whatever it is called now."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from advisor.cli.main import run

MAIN = "events { }\nhttp { include conf.d/*.conf; }\n"
SHARED = """keepalive_timeout 3000;
location ~ php$ { tcp_nodelay off; fastcgi_pass 10.0.0.1:9000; fastcgi_connect_timeout 600; }
"""
PART = """server {
    server_name a.example;
    location /a/ { proxy_pass http://10.0.0.1; proxy_http_version 1.1; proxy_set_header Connection upgrade; }
    location / { proxy_pass http://10.0.0.1; }
}
"""
"""Of one location it is known that it takes a new connection each time; of the other, where the part is included."""


@pytest.fixture(autouse=True)
def repository(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one, which is the current folder."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> None:
    path = pathlib.Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def held() -> None:
    assert run(["gate", "--write-baseline", "b.json"]) == 0


def said(*arguments: str) -> tuple[int, list[tuple[str, str]], list[str]]:
    """Exit code, rule and place of what is new, the rules of what is fixed; all counts."""
    policy = ["--fail-on", "info", "--min-confidence", "potential", "--preview"]
    code = run(["gate", "--baseline", "b.json", *policy, "-f", "json=o.json", *arguments])
    report: dict[str, Any] = json.loads(pathlib.Path("o.json").read_bytes())
    new = [(one["rule"], one["place"]) for one in report["findings"] if one["state"] == "fail"]
    return code, new, [one["rule"] for one in report["fixed"]]


def test_a_finding_is_known_though_its_rule_can_not_be_judged_everywhere() -> None:
    write("part.conf", PART)
    held()
    assert "upstream-not-reused" in pathlib.Path("b.json").read_text()
    assert said() == (0, [], [])


def test_what_a_rule_can_not_judge_everywhere_is_not_told_as_fixed_and_stays() -> None:
    write("part.conf", PART)
    held()
    before = pathlib.Path("b.json").read_text()
    write("part.conf", PART.replace("Connection upgrade", 'Connection ""'))
    assert said("--prune") == (0, [], [])
    assert pathlib.Path("b.json").read_text() == before


def test_a_key_that_no_file_sets_any_more_is_told_as_fixed() -> None:
    """Its rule can't be judged then: it asks for the kernel, too, which no file tells."""
    write("sysctl.d/60-web.conf", "net.core.somaxconn = 512\n")
    held()
    assert "somaxconn-lowered" in pathlib.Path("b.json").read_text()
    write("sysctl.d/60-web.conf", "net.ipv4.tcp_sack = 1\n")
    assert said("--prune") == (0, [], ["somaxconn-lowered"])
    assert "somaxconn-lowered" not in pathlib.Path("b.json").read_text()


def test_one_more_server_that_includes_a_file_is_no_other_place() -> None:
    write("nginx.conf", MAIN)
    write("shared.inc", SHARED)
    write("conf.d/m.conf", "server { server_name m.example; include shared.inc; }")
    held()
    write("conf.d/a.conf", "server { server_name a.example; include shared.inc; }")
    assert said() == (0, [], [])
    write("conf.d/b.conf", "server { server_name b.example; tcp_nodelay off; }")
    assert said() == (1, [("tcp-nodelay-off", "server b.example")], [])
    write("shared.inc", "# nothing is left\n")
    assert said()[2] == ["backend-connect-timeout-long", "keepalive-timeout-long", "tcp-nodelay-off"]


def test_what_is_gone_is_told_as_fixed_though_the_rule_can_not_judge_another_place() -> None:
    write("part.conf", PART.replace("10.0.0.1;", "10.0.0.2;", 1))
    held()
    assert "http://10.0.0.2" in pathlib.Path("b.json").read_text()
    write("part.conf", "server {\n    location / { proxy_pass http://10.0.0.1; }\n}\n")
    assert said() == (0, [], ["upstream-not-reused"])


def test_one_more_host_that_includes_a_file_is_no_other_place() -> None:
    write("shared.inc", SHARED)
    write("m/nginx.conf", "events { } http { server { server_name m.example; include ../shared.inc; } }")
    held()
    write("a/nginx.conf", "events { } http { server { server_name a.example; include ../shared.inc; } }")
    assert said() == (0, [], [])


@pytest.mark.parametrize("git", [True, False])
def test_the_current_folder_makes_no_odds(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, *, git: bool
) -> None:
    """What was not looked at, and is there, is neither new nor fixed; names are told from where the baseline lies."""
    if not git:
        (tmp_path / ".git").rmdir()
    for name in ("a", "b"):
        write(f"{name}/nginx.conf", f"http {{ server {{ server_name {name}; keepalive_timeout 3000; }} }}")
    held()
    baseline = pathlib.Path("b.json").read_bytes()
    for folder, path in (
        (tmp_path, "a"),
        (tmp_path / "a", "."),
        (tmp_path / "a", "../b"),
        (tmp_path.parent, tmp_path / "b"),
    ):
        monkeypatch.chdir(folder)
        held_in = [
            "--baseline",
            str(tmp_path / "b.json"),
            "--prune",
            "--fail-on",
            "info",
            "--min-confidence",
            "potential",
        ]
        assert run(["gate", str(path), *held_in]) == 0
        assert (tmp_path / "b.json").read_bytes() == baseline
