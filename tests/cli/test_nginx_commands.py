"""``advisor effective`` and ``advisor upgrade-check`` as a user calls them."""

from __future__ import annotations

import json
import pathlib

import pytest

from advisor.cli.main import run

Captured = pytest.CaptureFixture[str]
TEXT = "events { }\nhttp {\n  keepalive_timeout 75;\n  server { listen 80; location /l { keepalive_timeout 5; } }\n}\n"


@pytest.fixture
def conf(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "nginx.conf"
    path.write_text(TEXT)
    return str(path)


def test_a_value_and_where_it_is_set(conf: str, capsys: Captured) -> None:
    asked = ["effective", "keepalive_timeout", "--location", "/l/x", "--no-host", "--nginx-conf", conf]
    assert run(asked) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"keepalive_timeout 5 · {conf}:4, instead of 75 at {conf}:3" in said


def test_both_formats_at_once(conf: str, tmp_path: pathlib.Path, capsys: Captured) -> None:
    out = tmp_path / "out.json"
    asked = ["effective", "sendfile", "--no-host", "--nginx-conf", conf, "-f", "text", "-f", f"json={out}"]
    assert run([*asked, "--nginx-version", "1.22.1"]) == 0
    assert "sendfile off · nginx's default" in capsys.readouterr().out
    assert json.loads(out.read_text())["report"]["version"] == "1.22.1"


def test_what_a_version_refuses_is_exit_code_1(conf: str, capsys: Captured) -> None:
    assert run(["upgrade-check", "1.22.1", "1.30.0", conf, "--no-host"]) == 0
    pathlib.Path(conf).write_text(TEXT.replace("listen 80;", "listen 80; http2 on;"))
    capsys.readouterr()
    assert run(["upgrade-check", "1.30.0", "1.22.1", conf, "--no-host"]) == 1
    assert "refused: nginx 1.22.1 would not start with it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["effective", "keepalive"], 0, ""),
        (["effective", "keepalve_timeout"], 2, "did you mean 'keepalive_timeout'?"),
        (["effective", "sendfile", "-f", "sarif"], 2, "no such format; known: text, json"),
        (["effective", "sendfile", "--location", "x"], 2, "a URI begins with '/'"),
        (["effective", "sendfile", "--nginx-version", "new"], 2, "write it as nginx -v does"),
        (["effective", "sendfile", "--snapshot", "web.json"], 2, "--snapshot holds the configuration"),
        (["effective"], 2, "DIRECTIVE"),
    ],
)
def test_what_can_not_be_answered(conf: str, capsys: Captured, arguments: list[str], code: int, said: str) -> None:
    assert run([*arguments, "--no-host", "--nginx-conf", conf]) == code
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "nginx.conf"),
        ("http {\n server {\n", "nginx.conf:2"),
        ("http { server { listen 80; http2 perhaps; } }", "'perhaps' is nothing nginx would take for http2"),
    ],
)
def test_a_configuration_that_can_not_be_read(conf: str, capsys: Captured, text: str | None, said: str) -> None:
    pathlib.Path(conf).unlink()
    if text is not None:
        pathlib.Path(conf).write_text(text)
    for asked in (
        ["effective", "keepalive_timeout", "--nginx-conf", conf],
        ["upgrade-check", "1.18.0", "1.30.0", conf],
    ):
        assert run([*asked, "--no-host"]) == 3
        assert said in " ".join(capsys.readouterr().err.split())


def test_what_is_wrong_with_the_files_is_said(conf: str, capsys: Captured) -> None:
    pathlib.Path(conf).write_text(TEXT.replace("http {", "http { include gone.conf;"))
    assert run(["effective", "sendfile", "--no-host", "--nginx-conf", conf]) == 0
    assert "gone.conf" in capsys.readouterr().err


def test_a_host_without_nginx(tmp_path: pathlib.Path, capsys: Captured) -> None:
    (tmp_path / "etc").mkdir()
    assert run(["effective", "sendfile", "--root", str(tmp_path)]) == 3
    assert "nginx's configuration was not read" in capsys.readouterr().err
