"""``advisor gate`` from arguments to exit code, over small repositories."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest
from support.snapshots import snapshot_with

from advisor.cli.main import run
from advisor.jobs import keep

LONG = "events { }\nhttp { keepalive_timeout 300; server { listen 80; } }\n"
OFF = "net.ipv4.tcp_timestamps = 0\n"
SMALL = "# a small host\nnet.core.somaxconn = 128\n"
DEEP = "events { }\nhttp { server { listen 80 backlog=4096; server_name a.example; } }\n"

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def repository(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """An empty one, which is the current folder."""
    for name, value in {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**files: str) -> None:
    """Files by name; two underscores stand for a slash, one before conf for a period."""
    for name, text in files.items():
        path = pathlib.Path(name.replace("__", "/").replace("_conf", ".conf").replace("_d/", ".d/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def gate(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    code = run(["gate", *arguments])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("arguments", "code", "end"),
    [
        ([], 0, "gate: passed: no finding counts (high or graver, observed or surer)"),
        (["--fail-on", "medium"], 0, "gate: passed"),
        (["--fail-on", "medium", "--min-confidence", "potential"], 1, "gate: failed: 1 finding counts"),
        (["--fail-on", "medium", "--min-confidence", "potential", "--exit-zero"], 0, "gate: passed (--exit-zero)"),
        (["--ignore", "keepalive-timeout-long", "--fail-on", "info", "--min-confidence", "potential"], 0, "gate: pass"),
        (["--strict"], 3, "gate: failed"),
        (["--strict", "--exit-zero"], 3, "gate: failed"),
    ],
)
def test_it_fails_on_what_is_grave_and_sure(capsys: Captured, arguments: list[str], code: int, end: str) -> None:
    write(nginx_conf=LONG)
    for named in ([], ["nginx.conf"], ["--no-host", "--nginx-conf", "nginx.conf"]):
        found, out, _ = gate(capsys, *named, *arguments)
        assert (found, " ".join(out.split("\n\n")[-1].split())[: len(end)]) == (code, end)


def test_what_can_not_be_judged_is_never_green(capsys: Captured) -> None:
    code, out, _ = gate(capsys)
    assert code == 3
    assert "no nginx configuration, no sysctl file and no snapshot is there" in out
    write(nginx_conf=LONG)
    code, out, _ = gate(capsys, "--select", "close-wait-leak")
    assert code == 3
    assert "gate: failed: nothing could be judged" in out


def test_a_root_or_a_snapshot_that_holds_nothing_is_not_green(capsys: Captured) -> None:
    os.mkdir("image")
    code, out, err = gate(capsys, "--root", "image", "-f", "concise", "--exit-zero")
    what = "no nginx configuration, no sysctl file and nothing of a host was read there; name another place"
    assert (code, out) == (3, f"error: image: {what}\n")
    assert "this is no clean bill" in err
    pathlib.Path("empty.json").write_text(keep.to_json(snapshot_with(), with_config=True))
    assert gate(capsys, "--snapshot", "empty.json")[0] == gate(capsys, "empty.json")[0] == 3
    write(image__etc__sysctl_d__a_conf=SMALL)
    assert gate(capsys, "--root", "image")[0] == 0


def test_what_does_not_parse_fails_closed_and_the_rest_is_told(capsys: Captured) -> None:
    write(web__nginx_conf="http { server { listen 80 } }\n", db__sysctl_d__a_conf=OFF)
    code, out, _ = gate(capsys, "--exit-zero", "-f", "concise")
    assert code == 3
    assert "web/nginx.conf:1:27: error: unexpected '}'" in out
    assert "db/sysctl.d/a.conf:1:27: high[timestamps-off]" in out


def test_nginx_and_sysctl_files_of_a_host_are_judged_together(capsys: Captured) -> None:
    write(nginx__nginx_conf=DEEP, sysctl_d__a_conf=SMALL)
    _, out, _ = gate(capsys, "-f", "concise")
    assert "nginx/nginx.conf:2:17: medium[listen-backlog-capped] backlog 4,096 of 0.0.0.0:80 is cut to" in out
    _, out, _ = gate(capsys, "nginx", "-f", "concise")
    assert "listen-backlog-capped" not in out


def test_a_comment_answers_for_a_finding_and_one_that_covers_nothing_is_told(capsys: Captured) -> None:
    write(sysctl_d__a_conf=f"# advisor: ignore[timestamps-off] the appliance in front breaks with them\n{OFF}")
    code, out, _ = gate(capsys, "-f", "concise")
    assert code == 0
    assert "(does not count: ignored: the appliance in front breaks with them)" in out
    write(sysctl_d__a_conf=f"# advisor: ignore[sack-off] no\n{OFF}net.ipv4.tcp_sack = 1\n")
    code, out, _ = gate(capsys, "-f", "concise")
    assert code == 1
    assert "sysctl.d/a.conf:1:1: low[ignore-unused]" in out


def test_the_configuration_answers_sets_and_excludes(capsys: Captured) -> None:
    write(sysctl_d__a_conf=OFF, old__sysctl_d__b_conf=OFF, third__sysctl_d__c_conf=OFF)
    pathlib.Path("advisor.yaml").write_text(
        "exclude: [third/**]\n"
        "severity: {timestamps-off: critical}\n"
        "ignores:\n"
        "  - {rule: timestamps-off, path: old/**, reason: it is switched off next month, until: '2999-01-01'}\n"
    )
    code, out, _ = gate(capsys, "-f", "concise")
    assert code == 1
    assert sorted(line.split(" ")[0] for line in out.splitlines()) == [
        "old/sysctl.d/b.conf:1:27:",
        "sysctl.d/a.conf:1:27:",
    ]
    assert "sysctl.d/a.conf:1:27: critical[timestamps-off]" in out
    assert "ignored: it is switched off next month" in out
    assert gate(capsys, "--isolated", "-f", "concise")[1].count("high[timestamps-off]") == 3


def test_a_baseline_holds_what_was_there_and_tells_new_from_fixed(capsys: Captured) -> None:
    write(sysctl_d__a_conf=OFF)
    code, out, err = gate(capsys, "--write-baseline", "held.json", "-f", "json=gate.json")
    assert (code, out) == (0, "")
    assert err == "held.json holds 1 finding; from now on: advisor gate --baseline held.json\n"
    assert json.loads(pathlib.Path("gate.json").read_text())["summary"]["suppressed"]["baseline"] == 1
    write(sysctl_d__a_conf=f"\n\n# moved\n{OFF}")
    os.rename("sysctl.d/a.conf", "sysctl.d/b.conf")
    assert gate(capsys, "--baseline", "held.json")[0] == 0
    write(sysctl_d__b_conf=f"{OFF}net.ipv4.tcp_sack = 0\n")
    code, out, _ = gate(capsys, "--baseline", "held.json", "-f", "concise", "--fail-on", "low")
    assert code == 1
    assert "sack-off" in out
    write(sysctl_d__b_conf="net.ipv4.tcp_sack = 1\n")
    code, out, _ = gate(capsys, "--baseline", "held.json", "-f", "json")
    assert json.loads(out)["fixed"] == [{"rule": "timestamps-off", "place": "", "path": "sysctl.d/a.conf", "count": 1}]
    code, _, err = gate(capsys, "--baseline", "held.json", "--prune")
    assert (code, err) == (0, "held.json: 1 finding that is not there any more was taken out\n")
    assert json.loads(pathlib.Path("held.json").read_text())["findings"] == []


def test_a_baseline_follows_a_file_that_is_renamed_and_leaves_alone_what_is_not_looked_at(
    capsys: Captured, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(web__sysctl_d__a_conf=OFF, db__sysctl_d__a_conf=OFF)
    assert gate(capsys, "--write-baseline", "held.json")[0] == 0
    (tmp_path / "else").mkdir()
    monkeypatch.chdir("else")
    os.rename("../web/sysctl.d/a.conf", "../web/sysctl.d/b.conf")
    assert gate(capsys, str(tmp_path / "web"), "--baseline", "../held.json")[0] == 0
    (tmp_path / "web/sysctl.d/c.conf").write_text("net.ipv4.tcp_sack = 0\n")
    code, out, _ = gate(capsys, str(tmp_path / "web"), "--baseline", "../held.json", "--fail-on", "low", "-f", "json")
    assert code == 1
    assert json.loads(out)["fixed"] == []


def test_no_baseline_is_written_of_what_can_not_be_read(capsys: Captured) -> None:
    write(nginx_conf="http {", sysctl_d__a_conf=OFF)
    code, _, err = gate(capsys, "--write-baseline", "held.json")
    assert code == 3
    assert "held.json was not written: not everything could be judged" in err
    assert not os.path.exists("held.json")


def test_a_fix_is_shown_and_written_where_the_value_stands(capsys: Captured) -> None:
    write(nginx__nginx_conf=DEEP, sysctl_d__a_conf=SMALL)
    code, out, err = gate(capsys, "--diff", "--fail-on", "medium", "--min-confidence", "potential")
    assert code == 1
    assert "-net.core.somaxconn = 128\n+net.core.somaxconn = 4096\n" in out
    assert "1 of them can be fixed" in err
    assert pathlib.Path("sysctl.d/a.conf").read_text() == SMALL
    subprocess.run(["git", "apply", "--check", "-"], input=out.encode(), check=True)
    code, out, err = gate(capsys, "--fix", "--fail-on", "medium", "--min-confidence", "potential")
    assert code == 0
    assert "fixed: 1 place in sysctl.d/a.conf" in err
    assert pathlib.Path("sysctl.d/a.conf").read_text() == SMALL.replace("128", "4096")
    assert pathlib.Path("nginx/nginx.conf").read_text() == DEEP


def test_what_a_fix_would_refuse_is_said_where_it_is_shown(capsys: Captured) -> None:
    write(nginx__nginx_conf="events { }\nhttp { include ../all.conf; }\n", all_conf="tcp_nodelay off;\n")
    code, out, err = gate(capsys, "nginx", "--diff", "--unsafe")
    assert (code, "+tcp_nodelay on;" in out) == (0, True)
    assert err.startswith("--fix would refuse: all.conf outside of the paths given; name what is to change\n")
    code, _, err = gate(capsys, "nginx", "--fix", "--unsafe")
    assert (code, err) == (2, "advisor: all.conf lies outside of the paths given; name it, too, or change it by hand\n")
    assert "refuse" not in gate(capsys, "nginx", "all.conf", "--diff", "--unsafe")[2]


def test_what_somebody_answers_for_is_not_fixed(capsys: Captured) -> None:
    write(nginx__nginx_conf=f"# advisor: ignore-begin[listen-backlog-capped] measured\n{DEEP}# advisor: ignore-end\n")
    write(sysctl_d__a_conf=SMALL)
    assert gate(capsys, "--diff")[1] == ""


def test_unsafe_steps_are_taken_when_asked(capsys: Captured) -> None:
    write(sysctl_d__a_conf=OFF)
    assert gate(capsys, "--diff")[1] == ""
    assert "+net.ipv4.tcp_timestamps = 1" in gate(capsys, "--diff", "--unsafe")[1]


def test_reports_go_to_files_and_the_github_summary(
    capsys: Captured, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sysctl_d__a_conf=OFF)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    code, out, _ = gate(capsys, "-f", "github", "-f", "sarif=a.sarif", "-f", "junit=j.xml", "-f", "markdown=m.md")
    assert code == 1
    assert out.startswith("::error file=sysctl.d/a.conf,line=1,")
    assert json.loads(pathlib.Path("a.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "timestamps-off"
    assert "<testsuites" in pathlib.Path("j.xml").read_text()
    assert "timestamps-off" in (tmp_path / "summary.md").read_text()


def test_paths_in_reports_begin_at_the_top_of_the_repository(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    write(web__sysctl_d__a_conf=OFF)
    monkeypatch.chdir("web")
    assert json.loads(gate(capsys, "-f", "gitlab")[1])[0]["location"]["path"] == "web/sysctl.d/a.conf"
    assert gate(capsys, "-f", "concise")[1].startswith("sysctl.d/a.conf:1:27:")


def test_an_error_reaches_the_reports_of_machines_too(capsys: Captured) -> None:
    write(sysctl_d__a_conf=OFF)
    pathlib.Path("advisor.yaml").write_text("fail_on: hihg\n")
    code, out, err = gate(capsys, "-f", "sarif=a.sarif", "-f", "text")
    assert (code, out) == (2, "")
    assert err.startswith("advisor: advisor.yaml:1:1: fail_on: ")
    (invocation,) = json.loads(pathlib.Path("a.sarif").read_text())["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)


def test_a_snapshot_is_judged_as_before(capsys: Captured) -> None:
    pathlib.Path("web-7.json").write_text(keep.to_json(snapshot_with(), with_config=True))
    for arguments in (["--snapshot", "web-7.json"], ["web-7.json"], []):
        code, out, _ = gate(capsys, *arguments, "--select", "close-wait-leak")
        assert code == 3
        assert "nothing could be judged" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "--no-host"], "contradict"),
        (["--fix", "--diff"], "ask for one of them"),
        (["--fix", "--write-baseline", "b.json"], "ask for one of them"),
        (["--diff", "-f", "json"], "send formats to files"),
        (["--fix", "--host"], "--fix and --diff are for files"),
        (["--diff", "--nginx-conf", "nginx.conf"], "--fix and --diff are for files"),
        (["nginx.conf", "--snapshot", "a.json"], "PATHS are judged by themselves"),
        (["nginx.conf", "--capture", "a.pcap"], "PATHS are judged by themselves"),
        (["--prune"], "--prune needs --baseline"),
        (["--baseline", "nowhere.json"], "nowhere.json: the baseline can't be read"),
        (["--fail-on", "dire"], "'dire' is no severity; known: "),
        (["--min-confidence", "dire"], "'dire' is no confidence; known: "),
        (["-f", "yaml"], "no such format; known: text, concise, json"),
    ],
)
def test_what_can_not_be_meant(capsys: Captured, arguments: list[str], said: str) -> None:
    write(nginx_conf=LONG)
    code, _, err = gate(capsys, *arguments)
    assert code == 2
    assert said in err


def test_the_gate_s_own_findings_are_explained(capsys: Captured) -> None:
    write(sysctl_d__a_conf=f"# advisor: ignore[sack-off] no\nnet.ipv4.tcp_sack = 1\n{OFF}")
    assert gate(capsys, "-f", "sarif=a.sarif")[0] == 1
    (told,) = json.loads(pathlib.Path("a.sarif").read_text())["runs"]
    ids = [rule["id"] for rule in told["tool"]["driver"]["rules"]]
    assert {(ids[result["ruleIndex"]], result["ruleId"]) for result in told["results"]} == {
        ("timestamps-off", "timestamps-off"),
        ("ignore-unused", "ignore-unused"),
    }
    assert run(["explain", "ignore-unused"]) == 0
    assert "An ignore covers no finding" in capsys.readouterr().out


def test_what_is_passed_over_is_told(capsys: Captured) -> None:
    write(nginx_conf=LONG, README="what this is\n", skipped_conf=LONG)
    pathlib.Path("nginx.conf.j2").write_text("events { }\nhttp { keepalive_timeout {{ seconds }}; }\n")
    _, told, _ = gate(capsys, "--exclude", "skipped.conf")
    assert "looked at 4 files, and passed over: excluded (1), templates (1)\n" in told
    assert "passed over" not in gate(capsys, "nginx.conf")[1]


def test_a_host_that_owns_no_file_is_told_where_all_was_looked_at(capsys: Captured) -> None:
    write(**{"nginx_conf": LONG, "advisor.yaml": "hosts:\n  web: {paths: [nginx.conf]}\n  old: {paths: [gone/**]}\n"})
    said = "hosts: old: none of the files that were found belongs to it; correct its paths"
    _, told, _ = gate(capsys, "-f", "json")
    assert json.loads(told)["problems"] == [{"source": "configuration", "why": said}]
    assert json.loads(gate(capsys, "nginx.conf", "-f", "json")[1])["problems"] == []
