"""Dumps as real versions of nginx print them: every file back byte for byte, findings and patches on the originals."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.nginx import DEBIAN

from advisor.collect.nginx_find import Asked, read_configuration
from advisor.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from support.netns import Netns

FILES = {
    "plain": b"add_header A 1;\n",
    "no line feed at the end": b"# c\nadd_header A 2; # no line feed",
    "crlf": b"add_header A 3;\r\n# x\r\n",
    "latin-1": b"# caf\xe9\nadd_header A '\xff';",
    "empty": b"",
    "only line feeds": b"\n\n\n",
    "blanks": b" \t ",
    "long": b"#" + b"x" * 4_000 + b"\n# " + b"y" * 4_000 + b"\nadd_header A 4;",
    "many": b"".join(b"add_header A%d %d;\n" % (i, i) for i in range(3000)),
    "looks like nginx's": b"# configuration file /etc/nginx/nginx.conf:\nadd_header A 5;\n# configuration file /x:\n",
    "names itself": b"# configuration file NAME:\nadd_header A 6;\n",
    "hides another": b'add_header A "\n# configuration file OTHER:\n";\n',
}
"""What is included; NAME is the file's own path, OTHER that of a file which is included, too."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "conf"
    (folder / "d").mkdir(parents=True)
    for number, content in enumerate(FILES.values()):
        path = folder / f"d/{number:02}.conf"
        named = content.replace(b"NAME", str(path).encode())
        path.write_bytes(named.replace(b"OTHER", str(folder / "twice").encode()))
    (folder / "twice").write_bytes(b"add_header B 1;\n")
    (folder / "nginx.conf").write_text(
        f"error_log {tmp_path}/log;\npid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off;\n"
        "    include d/*.conf;\n    include twice;\n    include ./d//00.conf;\n    include none/*;\n"
        "    server { listen 8080; keepalive_timeout 65; include twice; include ../conf/d/1?.conf; } }"
    )
    return folder


def dumped(netns: Netns, tree: Path, binary: str) -> bytes:
    """What ``nginx -T`` prints, with what it says on standard error."""
    argv = netns.argv(binary, "-e", str(tree.parent / "log"), "-c", str(tree / "nginx.conf"), "-T")
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tree, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.real("nginx")
@pytest.mark.parametrize("terminal", [False, True])
def test_every_file_comes_back_byte_for_byte(
    netns: Netns, tree: Path, tmp_path: Path, binary: str, *, terminal: bool
) -> None:
    dump = dumped(netns, tree, binary)
    assert b"syntax is ok" in dump
    (tmp_path / "dump").write_bytes(dump.replace(b"\n", b"\r\n") if terminal else dump)
    config, problems = read_configuration(System(), Asked(str(tmp_path / "dump")), None)
    assert problems == []
    on_disk, _ = read_configuration(System(), Asked(str(tree / "nginx.conf")), None)
    assert {path: file.content for path, file in config.files.items()} == {
        path: file.content for path, file in on_disk.files.items()
    }
    assert len(config.files) == len(FILES) + 2
    assert config.includes == on_disk.includes


@pytest.mark.real("nginx", "patch")
def test_findings_and_the_patch_stand_on_the_original_files(netns: Netns, tree: Path, tmp_path: Path) -> None:
    dump = dumped(netns, tree, DEBIAN)
    given = ["--no-host", "--nginx-conf", "-", "--param", "load_balancer_idle=600 s"]
    advisor = [sys.executable, "-m", "advisor"]
    report = json.loads(
        subprocess.run([*advisor, "audit", *given, "-f", "json"], input=dump, capture_output=True, check=True).stdout
    )
    found = [one["location"] for one in report["findings"] if one["rule"] == "keepalive-below-balancer"]
    assert (str(tree / "nginx.conf"), 9) in [(one["file"], one["line"]) for one in found]
    out = tmp_path / "out"
    subprocess.run([*advisor, "patch", *given, "--unsafe", "-o", str(out)], input=dump, capture_output=True, check=True)
    before = (tree / "nginx.conf").read_bytes()
    applied = ["patch", "-p1", "-d", "/", "-i", str(out / "nginx.diff")]
    subprocess.run(applied, capture_output=True, check=True, timeout=60)
    after = (tree / "nginx.conf").read_bytes()
    assert after == before.replace(b"keepalive_timeout 65;", b"keepalive_timeout 605;")
    assert after != before
