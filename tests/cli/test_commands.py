"""Arguments in, exit code out; every failure is one clear message on standard error, never a traceback."""

from __future__ import annotations

import io
import json
import pathlib
import stat
import sys

import pytest
from support.snapshots import SITE, ages_of, nginx_of, snapshot_with

from advisor.cli.main import run
from advisor.jobs import keep
from advisor.snapshot.model import Held, Snapshot, Sysctls

LONG = "http { keepalive_timeout 300; server { listen 80; } }\n"
FINE = "http { keepalive_timeout 60; server { listen 80; } }\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)


def nginx(folder: pathlib.Path, text: str = LONG) -> list[str]:
    path = folder / "nginx.conf"
    path.write_text(text)
    return ["--no-host", "--nginx-conf", str(path)]


def kept(folder: pathlib.Path, snapshot: Snapshot) -> str:
    path = folder / "snapshot.json"
    path.write_text(keep.to_json(snapshot, with_config=True))
    return str(path)


def failed(capsys: Captured, code: int, *arguments: str) -> str:
    """Run a command line that must fail; its one message."""
    assert run([*arguments]) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.err.strip()
    return said.err


def test_audit_is_fine_with_findings(tmp_path: pathlib.Path, capsys: Captured) -> None:
    assert run(["audit", *nginx(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "medium[keepalive-timeout-long]" in said.out
    assert f"{tmp_path}/nginx.conf:1:26" in said.out
    assert said.err == ""


def test_an_audit_that_judged_nothing_says_so(tmp_path: pathlib.Path, capsys: Captured) -> None:
    assert run(["audit", "--select", "close-wait-leak", *nginx(tmp_path)]) == 3
    assert "close-wait-leak" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--param", "load_balancer_idle"], "write NAME=QUANTITY"),
        (
            ["--param", "load_balancer_idel=60 s"],
            "no such site fact; known: backend_capacity, backend_idle, load_balancer_idle",
        ),
        (["--param", "load_balancer_idle=60 sockets"], "expected seconds"),
        (["--param", "load_balancer_idle=soon"], "'soon' is not a quantity"),
        (["--param", "load_balancer_idle=-5 s"], "a negative value has no meaning"),
        (["--param", "keepalive-timeout-long.longst=60 s"], "did you mean 'keepalive-timeout-long.longest'"),
        (["--param", "keepalive-timeout-long.longest=60"], "expected seconds"),
        (["--select", "keepalive-timeout-lon"], "did you mean 'keepalive-timeout-long'"),
        (["--ignore", "nothing-like-it"], "no rule is called 'nothing-like-it'"),
        (["-f", "yaml"], "no such format; known: text, json"),
        (["-f", "text", "-f", "json"], "two formats for standard output"),
        (["--nginx-version", "one"], "--nginx-version one: write it as nginx -v does"),
        (["--sample", "-1"], "--sample"),
        (["--sample", "soon"], "--sample"),
        (["--wrong"], "--wrong"),
        (["--root", "/nowhere/at/all"], "--root /nowhere/at/all: there is no such folder"),
        (["--snapshot", "x.json"], "--snapshot holds all that is judged"),
    ],
)
def test_an_argument_that_cannot_be_meant(
    tmp_path: pathlib.Path, capsys: Captured, arguments: list[str], said: str
) -> None:
    assert said in " ".join(failed(capsys, 2, "audit", *nginx(tmp_path), *arguments).replace("│", " ").split())


def test_no_host_and_no_file_leaves_nothing(capsys: Captured) -> None:
    assert "leaves nothing to judge" in failed(capsys, 2, "audit", "--no-host")


@pytest.mark.parametrize("option", ["--nginx-conf", "--sysctl-file"])
def test_a_file_that_is_not_there(capsys: Captured, option: str) -> None:
    said = failed(capsys, 3, "audit", "--no-host", option, "/nowhere/file.conf")
    assert "/nowhere/file.conf" in said
    assert "No such file" in said


def test_a_broken_configuration_is_told_by_file_and_line(tmp_path: pathlib.Path, capsys: Captured) -> None:
    said = failed(capsys, 3, "audit", *nginx(tmp_path, "http {\n    server {\n        listen 80\n    }\n}\n"))
    assert f"{tmp_path}/nginx.conf:4: unexpected '}}': 'listen' before it has no ';'" in said


def test_a_broken_file_that_is_included_is_told_by_its_own_name(tmp_path: pathlib.Path, capsys: Captured) -> None:
    (tmp_path / "site.conf").write_text("server {\n}\n}\n")
    assert f"{tmp_path}/site.conf:3" in failed(capsys, 3, "audit", *nginx(tmp_path, "http { include site.conf; }"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"schema": "advisor.snapshot/v9", "advisor": "1", "taken": ""}',
        b'{"schema": "advisor.snapshot/v1", "advisor": "1", "taken": "", "sockets": {"method": "guess"}}',
        b'{"schema": "advisor.snapshot/v1", "advisor": "1", "taken": "", "site": {"load_balancer_idle": "soon"}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_snapshot(tmp_path: pathlib.Path, capsys: Captured, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    assert failed(capsys, 3, "audit", "--snapshot", str(path)).startswith(f"advisor: {path}")


def test_a_snapshot_that_is_not_there(capsys: Captured) -> None:
    assert "/nowhere.json can't be read: No such file" in failed(capsys, 3, "audit", "--snapshot", "/nowhere.json")


def test_a_snapshot_comes_from_standard_input(
    tmp_path: pathlib.Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = keep.to_json(snapshot_with(sysctls=Sysctls(values={"net.ipv4.tcp_fin_timeout": "20"})), with_config=True)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    out = tmp_path / "out.json"
    assert run(["audit", "--snapshot", "-", "-f", "text", "-f", f"json={out}"]) == 0
    assert "low[fin-timeout-lowered]" in capsys.readouterr().out
    found = json.loads(out.read_text())
    assert found["schema"] == "advisor.findings/v1"
    assert [one["rule"] for one in found["findings"]] == ["fin-timeout-lowered"]


def test_an_output_that_cannot_be_written(tmp_path: pathlib.Path, capsys: Captured) -> None:
    arguments = nginx(tmp_path)
    assert "/nowhere/a.json can't be written" in failed(capsys, 3, "audit", *arguments, "-f", "json=/nowhere/a.json")
    assert "/nowhere/s.json can't be written" in failed(capsys, 3, "collect", *arguments, "-o", "/nowhere/s.json")
    assert "can't be written" in failed(capsys, 3, "patch", *arguments, "-o", f"{tmp_path}/nginx.conf/out")


def test_collect_writes_for_its_owner_alone_and_masks(tmp_path: pathlib.Path, capsys: Captured) -> None:
    text = "http { server { listen 80; auth_basic_user_file /srv/secret; } } # password\n"
    out = tmp_path / "s.json"
    assert run(["collect", *nginx(tmp_path, text), "-o", str(out)]) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "secret" not in out.read_text()
    assert "password" not in out.read_text()
    assert "readable by you alone" in capsys.readouterr().err
    assert run(["collect", *nginx(tmp_path, text), "--with-config", "-o", "-"]) == 0
    said = capsys.readouterr()
    assert "secret" in said.out
    assert json.loads(said.out)["nginx"]["entry"] == f"{tmp_path}/nginx.conf"
    assert run(["audit", "--snapshot", str(out)]) == 0


def test_what_a_user_without_root_collects_is_read_back(tmp_path: pathlib.Path, capsys: Captured) -> None:
    """Owners that could not be seen have no pid."""
    held = Held(
        pid=None, name="owner not visible", state="CLOSE_WAIT", remote="10.0.3.9:1", count=200, ages=ages_of({700: 200})
    )
    assert run(["audit", "--snapshot", kept(tmp_path, snapshot_with(held=[held]))]) == 0
    assert "close-wait-leak" in capsys.readouterr().out


def test_patch_writes_the_folder_and_writes_it_again(tmp_path: pathlib.Path, capsys: Captured) -> None:
    out = tmp_path / "out"
    sysctl = tmp_path / "90-web.conf"
    sysctl.write_text("net.ipv4.tcp_fin_timeout=20\n")
    arguments = ["patch", *nginx(tmp_path), "--sysctl-file", str(sysctl), "-o", str(out)]
    assert run([*arguments, "--unsafe"]) == 0
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()) == [
        "README.md",
        "etc/sysctl.d/90-advisor.conf",
        "plan.json",
    ]
    assert "net.ipv4.tcp_fin_timeout = 60    (was 20)" in capsys.readouterr().out
    sysctl.write_text("net.ipv4.tcp_fin_timeout=60\n")
    assert run(arguments) == 0
    assert "nothing is to be changed" in capsys.readouterr().out
    assert not (out / "etc/sysctl.d/90-advisor.conf").exists()


def test_patch_leaves_a_folder_with_other_files_alone(tmp_path: pathlib.Path, capsys: Captured) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    arguments = ["patch", *nginx(tmp_path), "-o", str(tmp_path)]
    assert "which no patch wrote; name a new or empty folder" in failed(capsys, 3, *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nginx.conf", "notes.txt"]
    assert "is there and is no folder" in failed(capsys, 3, *arguments[:-1], str(tmp_path / "notes.txt"))


def test_explain_says_everything_of_a_rule(capsys: Captured) -> None:
    assert run(["explain", "listen-backlog-capped"]) == 0
    said = capsys.readouterr().out
    for part in (
        "listen-backlog-capped: net.core.somaxconn",
        "\nWhy\n",
        "\nLeave it when\n",
        "\nSteps\n",
        "\nSources\n",
    ):
        assert part in said
    assert max(len(line) for line in said.splitlines() if "https://" not in line) <= 80
    assert "did you mean 'listen-backlog-capped'" in failed(capsys, 2, "explain", "listen-backlog-caped")
    assert "RULE" in failed(capsys, 2, "explain")


def test_no_arguments_print_the_help(capsys: Captured) -> None:
    assert run([]) in {0, 2}
    said = capsys.readouterr()
    assert "Usage: " in said.out + said.err


def test_a_masked_snapshot_of_several_files_is_judged(tmp_path: pathlib.Path, capsys: Captured) -> None:
    config = nginx_of(
        {"/etc/nginx/nginx.conf": b"http { include sites/site.conf; }", SITE: b"server { keepalive_timeout 2m; }"}
    )
    path = tmp_path / "m.json"
    path.write_text(keep.to_json(snapshot_with(nginx=config), with_config=False))
    assert run(["audit", "--snapshot", str(path)]) == 0
    assert f"{SITE}:1:28" in capsys.readouterr().out
