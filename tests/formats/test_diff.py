"""Diffs that patch(1) and git take as they are, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.formats.diff import unified

APPLY = {
    "patch": ["patch", "-p1", "-s"],
    "git": ["git", "apply", "--whitespace=nowarn", "-"],
}


def applied(tool: str, folder: Path, old: bytes, diff: bytes, name: str = "etc/x.conf") -> bytes:
    """The old file after a tool applied the diff to it."""
    file = folder / tool / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(old)
    done = subprocess.run(APPLY[tool], input=diff, cwd=folder / tool, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, (done.stdout, done.stderr, diff)
    return file.read_bytes()


def test_one_changed_line() -> None:
    old = b"".join(b"line %d\n" % number for number in range(1, 11))
    expected = b"""\
--- a/etc/x
+++ b/etc/x
@@ -2,7 +2,7 @@
 line 2
 line 3
 line 4
-line 5
+LINE 5
 line 6
 line 7
 line 8
"""
    assert unified(old, old.replace(b"line 5", b"LINE 5"), "/etc/x") == expected


def test_an_empty_range_counts_from_the_line_before() -> None:
    assert unified(b"a\nb\n", b"a\nx\nb\n", "x", 0).splitlines()[2:] == [b"@@ -1,0 +2,1 @@", b"+x"]


def test_equal_files_differ_in_nothing() -> None:
    assert unified(b"a\n", b"a\n", "x") == b""


def test_a_missing_last_line_end_is_said_on_the_side_it_is_missing() -> None:
    assert (
        unified(b"a", b"a\n", "x")
        == b"""\
--- a/x
+++ b/x
@@ -1,1 +1,1 @@
-a
\\ No newline at end of file
+a
"""
    )


def test_an_inserted_line_is_one_line_also_among_lines_that_repeat() -> None:
    server = b"server {\n    listen 80;\n}\n"
    old = server * 5000
    new = server * 2000 + server.replace(b"{\n", b"{\n    keepalive_timeout 60;\n") + server * 2999
    marked = [line for line in unified(old, new, "x").splitlines()[2:] if line[:1] in b"+-"]
    assert marked == [b"+    keepalive_timeout 60;"]


def test_two_hunks_when_the_changes_are_far_apart() -> None:
    old = b"".join(b"%d\n" % number for number in range(40))
    diff = unified(old, old.replace(b"\n3\n", b"\nx\n").replace(b"\n30\n", b"\ny\ny\n"), "x")
    assert [line for line in diff.splitlines() if line.startswith(b"@@")] == [b"@@ -1,7 +1,7 @@", b"@@ -28,7 +28,8 @@"]


def test_files_with_nothing_in_common_take_no_time() -> None:
    start = time.process_time()
    unified(b"a\n" * 300_000, b"b\n" * 300_000, "x")
    assert time.process_time() - start < 3


LINES = ["a", "b", "}", "", "c\r", "\f", "\u2028x", " y"]
TEXTS = st.tuples(st.lists(st.sampled_from(LINES), min_size=1, max_size=20), st.sampled_from(["\n", ""])).map(
    lambda text: ("\n".join(text[0]) + text[1]).encode() + b"\xff"[len(text[1]) :]
)


@pytest.mark.parametrize("tool", APPLY)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TEXTS, new=TEXTS)
def test_real_tools_apply_it_to_the_byte(tool: str, tmp_path: Path, old: bytes, new: bytes) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"needs the command '{tool}'")
    if not old or not new or old == new:
        return  # a file that appears or vanishes is no edit of ours
    assert applied(tool, tmp_path, old, unified(old, new, "/etc/x.conf")) == new


@pytest.mark.parametrize("tool", APPLY)
@pytest.mark.parametrize("name", ["etc/a b.conf", 'etc/a"b\\c.conf', "etc/é.conf", "etc/tab\there.conf"])
def test_odd_names_are_found(tool: str, tmp_path: Path, name: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"needs the command '{tool}'")
    assert applied(tool, tmp_path, b"a\nb\n", unified(b"a\nb\n", b"a\nc\n", name), name) == b"a\nc\n"
