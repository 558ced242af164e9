"""``advisor capture``: table, ladder and JSON of files and pipes, and one clear error for what can't be read."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import Any

import jsonschema
import pytest
from support.capture_files import pcap, record
from support.talk import BEGUN, CLIENT_CLOSES, SERVER, SERVER_CLOSES, SYN_, P, frames

import advisor.report
from advisor.capture.segments import RST
from advisor.cli import main
from advisor.collect.capture import Stream, opened
from advisor.jobs import capture as job
from advisor.report.capture_schema import schema_text

SHIPPED = pathlib.Path(advisor.report.__file__).with_name("capture-v1.schema.json")
TALKS = [
    ([*BEGUN, SERVER_CLOSES[0]._replace(after=5_000), *SERVER_CLOSES[1:]], ("192.0.2.1", 40001)),
    ([*BEGUN, *CLIENT_CLOSES], ("192.0.2.2", 40002)),
    (BEGUN, ("192.0.2.3", 40003)),
    ([SYN_, SYN_], ("192.0.2.4", 40004)),
    ([SYN_, P("<", RST | 16, -5000, 1)], ("192.0.2.4", 40005)),
]
SPARE = b"\0" * 12 + b"\x08\x06" + b"\0" * 46
"""A frame that holds no IP."""


def capture(talks: list[tuple[list[P], tuple[str, int]]]) -> bytes:
    """A pcap file of some conversations, one after another."""
    found, begin = [], 1_700_000_000 * 10**9
    for packets, client in talks:
        each = frames(packets, client, SERVER, begin)
        found += [record(time // 10**9, time % 10**9 // 1000, frame) for time, frame in each]
        begin = each[-1][0] + 10**9
    return pcap() + record(begin // 10**9, 0, SPARE) + b"".join(found)


@pytest.fixture(name="path")
def _path(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "web.pcap"
    path.write_bytes(capture(TALKS))
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main.run(["capture", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_table_and_what_it_comes_to(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, path)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 or len(path) > 80
    assert "28 packets, 27 of them TCP; left out: 1 not IP" in out
    assert "5 connections" in lines
    assert "1  192.0.2.1:40001  198.51.100.1:80  handshake   FIN, FIN  server" in lines
    assert "5  192.0.2.4:40005  198.51.100.1:80  refused     RST       server" in lines
    assert "server port 80: 5 connections, 30 B in, 60 B out, 1 segment sent again" in lines
    assert "  closed   first 1 by the client, 1 by the server; 1 never" in lines
    assert "connection 1" not in out


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code, out, err = said(capsys, "-f", "json", *words)
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    jsonschema.Draft202012Validator(json.loads(SHIPPED.read_text())).validate(found)
    return found


def test_json_by_its_schema(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert SHIPPED.read_text() == schema_text(), "regenerate: advisor.report.capture_schema.schema_text()"
    jsonschema.Draft202012Validator.check_schema(json.loads(SHIPPED.read_text()))
    found = document(capsys, path)
    assert [one["conn_state"] for one in found["connections"]] == ["SF", "SF", "S1", "S0", "REJ"]
    first = found["connections"][0]
    assert first["client"] == {"address": "192.0.2.1", "port": 40001}
    assert first["states"] == {"client": "CLOSED", "server": "TIME_WAIT"}
    assert (first["handshake_ns"], first["idle_ns"], first["closed_first"]) == (2_000_000, 5_000_000_000, "server")
    assert first["packets"] == {"client": 5, "server": 4}
    assert found["capture"]["left_out"] == {"not IP": 1}
    (port,) = found["ports"]
    assert port["counts"]["closed_server"] == 1
    assert port["states"]["server"] == {"CLOSED": 2, "TIME_WAIT": 1, "ESTABLISHED": 1, "not seen": 1}
    assert found["ladders"] == []


def test_json_tells_client_and_server_apart(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(capture([([*BEGUN, *CLIENT_CLOSES[:2]], ("203.0.113.9", 40001))]))
    (one,) = document(capsys, str(path))["connections"]
    assert one["client"] == {"address": "203.0.113.9", "port": 40001}
    assert one["bytes"] == {"client": 10, "server": 20}
    assert one["fins"] == {"client": 1, "server": 0}
    assert one["states"] == {"client": "FIN_WAIT2", "server": "CLOSE_WAIT"}


def test_json_of_a_ladder(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, path, "--connection", "5")
    (ladder,) = found["ladders"]
    assert ladder["connection"] == 5
    assert [(step["from"], step["flags"]) for step in ladder["steps"]] == [
        ("client", ["SYN"]),
        ("server", ["RST", "ACK"]),
    ]
    assert [one["number"] for one in found["connections"]] == [5]


def test_an_empty_capture(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(pcap())
    assert document(capsys, str(path))["connections"] == []
    code, out, _ = said(capsys, str(path))
    assert code == 0
    assert out.endswith("0 packets, 0 of them TCP\n\n0 connections\n")


def test_one_connection_packet_by_packet(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, path, "--connection", "2")
    assert code == 0
    assert "connection 2: 192.0.2.2:40002 -> 198.51.100.1:80" in out
    assert "left in: client TIME_WAIT, server CLOSED; 9 packets, 30 B in all" in out
    assert "Delivery is taken to be immediate" in out
    assert "5 connections" not in out


def test_few_that_match_are_shown_packet_by_packet(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, path, "--host", "192.0.2.4")
    assert [line for line in out.splitlines() if line.startswith("connection ")] == [
        "connection 4: 192.0.2.4:40004 -> 198.51.100.1:80",
        "connection 5: 192.0.2.4:40005 -> 198.51.100.1:80",
    ]
    assert "2 of 5 connections" in out
    _, out, _ = said(capsys, path, "--port", "80")
    assert "connection 1:" not in out
    assert "more than 3 match: --connection N shows one of them packet by packet" in out
    _, out, _ = said(capsys, path, "--port", "80", "--state", "time-wait")
    assert "2 of 5 connections" in out


def test_order_and_limit(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, path, "--sort", "idle", "--limit", "1")
    assert "5 connections; the first 1 by idle (--sort, --limit)" in out
    assert "1  192.0.2.1:40001" in out
    assert "192.0.2.2:40002" not in out
    assert len(document(capsys, path, "--limit", "2")["connections"]) == 2
    assert len(document(capsys, path, "--limit", "0")["connections"]) == 5


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "name a FILE, - for standard input, or --live -i INTERFACE; one of them"),
        (["FILE", "--sort", "name"], "--sort name: there is no such order; known: start, packets, "),
        (["FILE", "--state", "OPEN"], "--state OPEN: there is no such state; known: ESTABLISHED, "),
        (["FILE", "--host", "web.example"], "--host web.example: that is no IP address"),
        (["FILE", "--port", "80.5"], "--port 80.5: write a whole number"),
        (["FILE", "--seconds", "3"], "-i, --filter, --seconds, --packets and --write go with --live"),
        (["FILE", "-f", "xml"], "-f xml: no such format; known: text, json"),
        (["--live"], "--live needs -i INTERFACE"),
        (["--live", "-i", "lo"], "--live needs an end"),
        (["--live", "-i", "a/b", "--seconds", "1"], "-i 'a/b': no name of an interface"),
        (["FILE", "--live", "-i", "lo", "--seconds", "1"], "name a FILE, - for standard input, or --live"),
        (["-", "--connection", "1"], "--connection reads a capture twice"),
        (["--live", "-i", "lo", "--seconds", "1", "--connection", "1"], "--connection reads a capture twice"),
    ],
)
def test_what_cannot_be_meant(words: list[str], error: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, *(path if word == "FILE" else word for word in words))
    assert (code, out) == (2, "")
    assert err.startswith(f"advisor: {error}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "is empty"),
        (b"GET / HTTP/1.1\r\n", "a text file"),
        (pcap()[:20], "a pcap file cut off in its header"),
    ],
)
def test_what_is_no_capture(
    content: bytes, error: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    code, out, err = said(capsys, str(path))
    assert (code, out) == (3, "")
    assert err.startswith(f"advisor: {path}: ")
    assert error in err


def test_what_cannot_be_read(tmp_path: pathlib.Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing")
    assert said(capsys, missing) == (3, "", f"advisor: {missing} can't be read: No such file or directory\n")
    assert said(capsys, str(tmp_path))[2] == f"advisor: {tmp_path} can't be read: it is neither a file nor a pipe\n"
    assert said(capsys, "/dev/null")[0] == 3
    code, _, err = said(capsys, path, "--connection", "6")
    assert (code, err) == (3, f"advisor: {path}: there is no connection 6 among 5\n")


def test_of_a_damaged_file_all_that_can_be_read(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = pathlib.Path(path).read_bytes()
    pathlib.Path(path).write_bytes(whole[:-5])
    code, out, err = said(capsys, path)
    assert code == 3
    assert "27 packets, 26 of them TCP" in out
    assert "5 connections" in out
    assert err.startswith(f"advisor: {path}: byte ")
    assert err.count("\n") == 1
    _, out, _ = said(capsys, path, "-f", "json")
    assert json.loads(out)["capture"]["problem"] == err.strip().removeprefix("advisor: ")


def running(*words: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-m", "advisor", "capture", *words], stdin=pipe, stdout=pipe, stderr=pipe)


def read_by(process: subprocess.Popen[bytes], content: bytes) -> None:
    """Write to its standard input, and wait until it has read all of it."""
    assert process.stdin is not None
    process.stdin.write(content)
    process.stdin.flush()
    begun, left = time.monotonic(), 1
    while left and time.monotonic() < begun + 30:
        time.sleep(0.01)
        (left,) = struct.unpack("i", fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)))
    assert not left


def test_a_pipe_is_read_while_it_comes_and_a_signal_ends_it_with_what_was_seen(path: str) -> None:
    whole = pathlib.Path(path).read_bytes()
    for number in (signal.SIGINT, signal.SIGTERM):
        with running("-", "--limit", "1") as process:
            read_by(process, whole[:-20])
            process.send_signal(number)
            assert process.stdout is not None
            out = process.stdout.read().decode()
            assert process.wait(20) == 0
        assert "standard input" in out
        assert "5 connections" in out


def test_one_signal_is_enough_and_a_second_ends_it_at_once(path: str) -> None:
    with running("-") as process:
        read_by(process, pathlib.Path(path).read_bytes()[:10])
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_file_that_was_not_read_to_its_end_is_no_success(
    path: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(self: Stream, room: memoryview) -> int:
        if self.taken > 500:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(self, room[:1000])

    whole = Stream._from_file
    monkeypatch.setattr(Stream, "_from_file", some)
    code, out, err = said(capsys, path)
    assert (code, err) == (130, "")
    assert re.search(r"interrupted: [1-9]\d% of the file was read", out)
    assert "2 connections\n" in out


def test_the_reader_may_leave(path: str) -> None:
    with running(path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(20) == 141


def on_terminal(*words: str, **environment: str) -> str:
    """What it says on a terminal."""
    screen, its_end = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "advisor", "capture", *words],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env={**inherited, "TERM": "xterm", **environment},
    )
    os.close(its_end)
    said = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while more := os.read(screen, 4096):
            said += more
    process.wait(30)
    os.close(screen)
    return said.decode()


def test_colour_is_for_terminals(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b[1m" in on_terminal(path, "--connection", "1")
    assert "\x1b" not in on_terminal(path, "--connection", "1", NO_COLOR="1").replace("\r\x1b[K", "")
    assert "\x1b" not in said(capsys, path)[1]


def test_a_terminal_is_no_capture() -> None:
    assert "advisor: standard input is no capture; pipe one in" in on_terminal("-")


def test_how_far_it_is_is_said_now_and_then(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_OFTEN", 0)
    told: list[str] = []
    with opened(path) as stream:
        job.look(job.Ask("web.pcap"), stream, told.append)
    assert told == ["100%, 28 packets, 5 connections of web.pcap"]


def test_only_what_is_needed_is_imported(path: str) -> None:
    code = (
        "import sys; from advisor.cli.main import run; run(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); "
        "print(*(name for name in sys.modules if name.startswith('advisor.')), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "capture", path], capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    top, own = (set(line.split()) for line in done.stderr.splitlines())
    assert not top & {"pydantic", "typer", "rich", "crossplane", "psutil", "yaml", "zstandard", "subprocess"}
    assert not own & {"advisor.facts.derive", "advisor.engine.rule", "advisor.snapshot.model", "advisor.collect.run"}
