"""Every example's transcript is what its commands print today, and its patch is what they write.

With ADVISOR_UPDATE_GOLDEN=1 both are written anew.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import pytest

from advisor.facts.derive import Facts
from advisor.jobs.load import parse
from advisor.snapshot.model import Snapshot

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
TRANSCRIPTS = sorted(EXAMPLES.glob("*/transcript.txt"))
KEEPALIVE = EXAMPLES / "keepalive-300"
CAPTURE = EXAMPLES / "capture-handshake"
PATCH = "patch"
"""The folder that an example's transcript writes, if it asks for a patch."""


def replay(line: str, folder: pathlib.Path) -> str:
    """What a line of a transcript prints, on a terminal of 80 columns; only advisor and cat are run."""
    command, *arguments = shlex.split(line)
    if command == "cat":
        return "".join((folder / path).read_text() for path in arguments)
    assert command == "advisor", line
    done = subprocess.run(
        [sys.executable, "-m", "advisor", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def replayed(transcript: pathlib.Path, folder: pathlib.Path) -> str:
    """The transcript as it would be now."""
    lines = [line[2:] for line in transcript.read_text().splitlines() if line.startswith("$ ")]
    assert len(lines) >= 2
    return "\n".join(f"$ {line}\n{replay(line, folder)}" for line in lines)


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.parent.name)
def test_the_transcript_and_the_patch_are_what_the_commands_give(
    transcript: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    home = transcript.parent
    folder = tmp_path / home.name
    shutil.copytree(home, folder, ignore=shutil.ignore_patterns(PATCH))
    now = replayed(transcript, folder)
    if os.environ.get("ADVISOR_UPDATE_GOLDEN") == "1":
        transcript.write_text(now)
        shutil.rmtree(home / PATCH, ignore_errors=True)
        if (folder / PATCH).exists():
            shutil.copytree(folder / PATCH, home / PATCH)
    assert now == transcript.read_text()
    assert files(folder / PATCH) == files(home / PATCH)


def test_there_is_an_example_and_each_has_a_story_and_a_transcript() -> None:
    homes = [home for home in EXAMPLES.iterdir() if home.is_dir()]
    assert homes
    for home in homes:
        assert {"README.md", "transcript.txt"} <= {path.name for path in home.iterdir()}, home
        assert ("$ advisor patch" in (home / "transcript.txt").read_text()) == (home / PATCH).exists(), home


def recorded(name: str) -> Snapshot:
    return parse((KEEPALIVE / name).read_bytes(), name)


def test_the_recording_is_of_the_files_that_lie_beside_it() -> None:
    snapshot = recorded("snapshot.json")
    assert snapshot.nginx is not None
    assert snapshot.nginx.files["/etc/nginx/nginx.conf"].content == (KEEPALIVE / "nginx.conf").read_bytes()
    assert snapshot.sysctl_files is not None
    assert {one.path: one.content for one in snapshot.sysctl_files if one.writer is None} == {
        "/etc/sysctl.conf": (KEEPALIVE / "sysctl.conf").read_bytes()
    }


def established(snapshot: Snapshot) -> int:
    """On nginx's one listener."""
    (listener,) = Facts(snapshot).sockets.listeners
    return listener.established


def test_the_patched_server_held_what_the_patch_promised() -> None:
    promised = {one["name"]: one for one in json.loads((KEEPALIVE / PATCH / "plan.json").read_text())["expected"]}
    promise = promised["ESTABLISHED on 0.0.0.0:80"]
    before, after = established(recorded("snapshot.json")), established(recorded("after.json"))
    assert promise["before"] == before
    assert after == pytest.approx(promise["after"], rel=0.02)
    assert after < before / 4
    story = (KEEPALIVE / "README.md").read_text()
    for number in (before, promise["after"], after):
        assert f"{number:,}" in story


def test_the_diff_turns_the_recorded_file_into_the_one_that_was_recorded_afterwards(tmp_path: pathlib.Path) -> None:
    if shutil.which("patch") is None:
        pytest.skip("needs the command 'patch'")
    target = tmp_path / "etc" / "nginx"
    target.mkdir(parents=True)
    shutil.copy(KEEPALIVE / "nginx.conf", target)
    diff = (KEEPALIVE / PATCH / "nginx.diff").read_bytes()
    subprocess.run(["patch", "-p1", "-d", str(tmp_path)], input=diff, check=True, capture_output=True)
    after = recorded("after.json")
    assert after.nginx is not None
    assert (target / "nginx.conf").read_bytes() == after.nginx.files["/etc/nginx/nginx.conf"].content


def test_the_capture_shows_what_its_story_tells() -> None:
    text = (CAPTURE / "transcript.txt").read_text()
    states = [
        (words[1], words[-1]) for words in map(str.split, text.splitlines()) if len(words) > 3 and words[0][0].isdigit()
    ]
    for pair in (
        ("CLOSE_WAIT", "FIN_WAIT1"),
        ("CLOSE_WAIT", "FIN_WAIT2"),
        ("LAST_ACK", "TIME_WAIT"),
        ("TIME_WAIT", "CLOSED"),
    ):
        assert pair in states, pair
    assert "teardown by the server, 5 s after the last data" in text


def test_the_ladder_in_the_readme_is_the_example_s() -> None:
    readme = (EXAMPLES.parent / "README.md").read_text()
    shown = readme.partition("```\n$ advisor capture curl.pcap --connection 1\n")[2].partition("\n```")[0]
    assert len(shown.splitlines()) > 15
    assert shown in (CAPTURE / "transcript.txt").read_text()
