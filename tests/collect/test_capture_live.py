"""Live captures: tcpdump is run with what was asked and nothing else, bounded, and is gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pty
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.capture_files import pcap
from support.netns import Netns

from advisor.cli import main
from advisor.collect import tcpdump
from advisor.collect.capture import Order

ROOT = pathlib.Path(__file__).parents[2]
ADVISOR = [sys.executable, "-m", "advisor", "capture"]
TALK = """
import socket, time
server = socket.create_server(("127.0.0.1", 8080))
for _ in range(600):
    client = socket.create_connection(("127.0.0.1", 8080))
    other, _ = server.accept()
    client.sendall(b"ping"); other.recv(9); other.sendall(b"pong"); client.recv(9)
    other.close(); client.close()
    time.sleep(0.02)
"""


@pytest.fixture(name="busy")
def _busy(netns: Netns) -> Netns:
    """A namespace in which something connects all the time."""
    netns.start(sys.executable, "-c", TALK)
    return netns


def run(netns: Netns, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = netns.run(*ADVISOR, "--live", *words, cwd=ROOT, check=False)
    assert done.returncode == code, done.stderr
    return done


def tcpdumps(netns: Netns) -> list[int]:
    found = []
    for pid in netns._pids():
        comm = pathlib.Path(f"/proc/{pid}/comm")
        found += [pid] if comm.exists() and comm.read_text() == "tcpdump\n" else []
    return found


@pytest.mark.real("tcpdump")
def test_what_comes_is_shown_kept_and_can_be_read_again(busy: Netns, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kept.pcap"
    ends = ["-i", "lo", "--filter", "tcp port 8080", "--packets", "60"]
    done = run(busy, *ends, "--write", str(path))
    assert "60 packets, 60 of them TCP" in done.stdout
    assert "127.0.0.1:8080  handshake  FIN, FIN  server" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = subprocess.run([*ADVISOR, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    assert again.stdout.splitlines()[3:] == done.stdout.splitlines()[2:]
    refused = run(busy, *ends, "--write", str(path), code=3)
    assert refused.stderr == f"advisor: --write {path}: it is there already; name another, or remove it\n"
    other = tmp_path / "other.pcap"
    ladder = run(busy, *ends, "--write", str(other), "--connection", "2")
    assert "left in: client CLOSED, server TIME_WAIT" in ladder.stdout
    assert tcpdumps(busy) == []


@pytest.mark.real("tcpdump")
def test_the_time_is_kept(busy: Netns) -> None:
    begun = time.monotonic()
    done = run(busy, "-i", "lo", "--seconds", "1")
    assert 1 < time.monotonic() - begun < 10
    assert "handshake  FIN, FIN  server" in done.stdout


@contextlib.contextmanager
def watched(words: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A capture that has told its terminal of packets."""
    screen, its_end = pty.openpty()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=its_end, cwd=ROOT, **options) as process:
        os.close(its_end)
        said = b""
        while b" packets, " not in said:
            said += os.read(screen, 1024)
        yield process
        assert process.wait(20) == 0
    os.close(screen)


@pytest.mark.real("tcpdump")
def test_ctrl_c_ends_with_what_was_seen(busy: Netns) -> None:
    words = busy.argv(*ADVISOR, "--live", "-i", "lo", "--seconds", "60")
    with watched(words, start_new_session=True) as process:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.stdout is not None
        assert "handshake  FIN, FIN  server" in process.stdout.read().decode()
    assert tcpdumps(busy) == []


@pytest.mark.real("tcpdump")
def test_the_pipe_of_a_tcpdump(busy: Netns) -> None:
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(busy.argv("tcpdump", "-Unni", "lo", "-w", "-"), stdout=pipe, stderr=pipe) as theirs,
        watched([*ADVISOR, "-"], stdin=theirs.stdout) as process,
    ):
        theirs.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert "handshake  FIN, FIN  server" in process.stdout.read().decode()


@pytest.mark.real("tcpdump")
def test_what_came_last_is_not_lost(netns: Netns) -> None:
    """The kernel holds packets back for up to a second; who stops at once after them gets them all the same."""
    words = netns.argv(*ADVISOR, "--live", "-i", "lo", "--seconds", "60")
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT) as process:
        begun = time.monotonic()
        while not tcpdumps(netns) and time.monotonic() < begun + 20:
            time.sleep(0.02)
        time.sleep(0.5)
        netns.run(sys.executable, "-c", TALK.replace("range(600)", "range(3)"))
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert "3 connections" in process.stdout.read().decode()


@pytest.mark.real("tcpdump")
def test_what_tcpdump_refuses_is_said_in_its_words(netns: Netns, tmp_path: pathlib.Path) -> None:
    evil = tmp_path / "evil"
    for expression in (f"-w{evil}", f"--write={evil}", "tcp port"):
        done = run(netns, "-i", "lo", "--packets", "1", f"--filter={expression}", code=3)
        assert done.stderr.startswith("advisor: lo: tcpdump can't capture: can't parse filter expression: syntax error")
        assert done.stderr.count("\n") == 1
    assert not evil.exists()
    done = run(netns, "-i", "eth77", "--packets", "1", code=3)
    assert done.stderr == "advisor: eth77: tcpdump can't capture: No such device exists\n"


def test_no_expression_is_an_option() -> None:
    assert tcpdump.arguments("tcpdump", Order("lo", "-w x", None, 3))[-2:] == ["--", "-w x"]
    with pytest.raises(tcpdump.UsageError), tcpdump.live(Order("-D")):
        pass


@pytest.fixture(name="fake")
def _fake(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """A program that stands for tcpdump."""
    path = tmp_path / "tcpdump"
    path.touch(0o755)
    (tmp_path / "head").write_bytes(pcap())
    monkeypatch.setattr(tcpdump, "PROGRAMS", (str(path),))
    return path


LIVE = ["capture", "--live", "-i", "lo", "--seconds", "0.3"]


def test_packets_that_were_lost_are_told(fake: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "5 packets captured\n2,000 odd\n7 packets dropped by kernel\n1 packet dropped by interface"
    fake.write_text(f"#!/bin/sh\ncat {fake.parent}/head\necho '{said}' >&2\n")
    assert main.run(LIVE) == 0
    assert "8 packets were dropped before they could be captured" in " ".join(capsys.readouterr().out.split())


def test_an_end_that_nobody_asked_for_is_told(fake: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.write_text(f"#!/bin/sh\ncat {fake.parent}/head\necho 'tcpdump: pcap_loop: it went down' >&2\nexit 1\n")
    assert main.run(LIVE) == 0
    assert "tcpdump ended early: pcap_loop: it went down\n" in capsys.readouterr().out


def test_a_copy_that_cannot_be_written() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(tcpdump.InputError, match="x can't be written: No space left on device"):
        tcpdump._append(full, memoryview(b"x"), "x")
    os.close(full)


def test_a_tcpdump_that_does_not_end_is_ended(
    fake: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcpdump, "_END", 0.3)
    fake.write_text(
        f"#!{sys.executable}\nimport os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"os.write(1, open('{fake.parent}/head', 'rb').read())\ntime.sleep(60)\n"
    )
    begun = time.monotonic()
    assert main.run(LIVE) == 0
    assert time.monotonic() - begun < 10
    assert "0 connections" in capsys.readouterr().out


def test_who_may_not_capture_is_told_what_to_do(fake: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "tcpdump: lo: You don't have permission to perform this capture on that device"
    fake.write_text(f'#!/bin/sh\necho "{said}" >&2\nexit 1\n')
    assert main.run(LIVE) == 3
    why = "You don't have permission to perform this capture on that device; run it as root"
    assert capsys.readouterr().err == f"advisor: lo: tcpdump can't capture: {why}\n"


def test_without_tcpdump(fake: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.unlink()
    assert main.run(LIVE) == 3
    assert f"advisor: there is no tcpdump in {fake}; install it" in capsys.readouterr().err
