"""Configurations that are broken, or meant to break a reader: one clear error each, in bounded memory and time."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BOUNDS = ["prlimit", f"--as={1536 * 1024 * 1024}", "--cpu=20"]
"""Memory that is addressed, in bytes, and CPU seconds: no measure, but what no input may need."""

Tree = Callable[[pathlib.Path], None]


def write(path: pathlib.Path, data: bytes) -> None:
    path.write_bytes(data)


def include(what: str) -> Tree:
    """A main file that includes it, in its third line."""
    return lambda folder: write(folder / "n.conf", f"events {{}}\nhttp {{\n    include {what};\n}}\n".encode())


def text(data: bytes) -> Tree:
    """A main file."""
    return lambda folder: write(folder / "n.conf", data)


def files(**named: bytes) -> Tree:
    """Several files; ``n`` is the main one."""

    def make(folder: pathlib.Path) -> None:
        for name, data in named.items():
            write(folder / (f"{name}.conf" if name == "n" else name), data)

    return make


def both(*trees: Tree) -> Tree:
    def make(folder: pathlib.Path) -> None:
        for one in trees:
            one(folder)

    return make


def crowd(folder: pathlib.Path) -> None:
    """100,000 files, in memory where that is possible: a disk takes many seconds to make and remove them."""
    (folder / "d").symlink_to(tempfile.mkdtemp(dir=next(filter(os.path.isdir, ["/dev/shm"]), None)))  # noqa: S108 (mkdtemp)
    for i in range(100_000):
        os.mknod(folder / "d" / str(i))


def listening(folder: pathlib.Path) -> None:
    here = socket.socket(socket.AF_UNIX)
    with here:
        here.bind(str(folder / "s"))


def sparse(name: str, size: int) -> Tree:
    def make(folder: pathlib.Path) -> None:
        write(folder / name, b"")
        os.truncate(folder / name, size)

    return make


def odd_name(folder: pathlib.Path) -> None:
    write(folder / "a\n\x1b[31mb.conf", b"x;\n}")


def bad_bytes(folder: pathlib.Path) -> None:
    with open(os.fsencode(folder) + b"/\xff.conf", "wb") as file:
        file.write(b"x;")


HOSTILE: dict[str, tuple[Tree, str]] = {
    "files that double each other": (
        files(
            n=b"include 0;", **{str(i): b"include %d;include %d;" % (i + 1, i + 1) for i in range(40)}, **{"40": b"x;"}
        ),
        "{}/20: with all it includes it has more than 2,000,000 statements; include less in it",
    ),
    "cut off in a block": (text(b"http {\n server {\n  listen 80;\n"), "n.conf:2: the block 'server' that opens here"),
    "cut off in a word": (text(b"events {}\nuse"), "n.conf:2: 'use' has no ';' before the end of the file; add it"),
    "cut off after a backslash": (text(b"a;\nb \\"), "n.conf:2: the file ends in a backslash"),
    "a quote that never ends": (text(b"a;\nb 'c;\n" + b"d;\n" * 9999), "n.conf:2: the ' that opens here is never"),
    "a quote of 1 MB that never ends": (text(b'a "' + b"x" * 1_000_000), 'n.conf:1: the " that opens here is never'),
    "a word of 1 MB that never ends": (text(b"a " + b"x" * 1_000_000), "n.conf:1: 'a' has no ';' before the end"),
    "Lua that never ends": (
        text(b"init_by_lua_block {\n" + b"{}" * 500_000),
        "n.conf:1: the block 'init_by_lua",
    ),
    "Lua's quotes that never end": (
        text(b"init_by_lua_block {" + b"'\\" * 500_000),
        "n.conf:1: the block 'init_by_lua",
    ),
    "too many closing braces": (text(b"a {}\n}"), "n.conf:2: unexpected '}': no block is open here; remove it"),
    "100,000 open braces": (text(b"a{" * 100_000), "n.conf:1: blocks nested deeper than 200; flatten them"),
    "100,000 pairs of braces": (text(b"a{" * 100_000 + b"}" * 100_000), "n.conf:1: blocks nested deeper than 200"),
    "NUL bytes": (text(b"a;\n" + b"\0" * 1_000_000), "n.conf:2: a NUL byte: not text"),
    "UTF-16": (text("events {}".encode("utf-16")), "n.conf:1: a NUL byte: not text; if it is UTF-16, save it as UTF-8"),
    "a program": (lambda folder: write(folder / "n.conf", pathlib.Path(sys.executable).read_bytes()[:9999]), "a NUL"),
    "too many words": (text(b"a " * 2_000_001), "n.conf:1: more than 2,000,000 words in one file; split it"),
    "too large": (sparse("n.conf", 16 * 1024 * 1024 + 1), "n.conf: larger than the 16 MiB that are read of one file"),
    "too large for a dump": (sparse("n.conf", 256 * 1024 * 1024 + 1), "larger than the 268435456 bytes"),
    "a template": (text(b"{% for x in y %}\nlisten 80;\n"), "n.conf:1: '{%' looks like an unrendered template"),
    "nothing there": (lambda _: None, "can't read {}/n.conf: No such file or directory; correct the path"),
    "a folder": (lambda folder: (folder / "n.conf").mkdir(), "can't read {}/n.conf: not a regular file; correct the"),
    "a FIFO": (lambda folder: os.mkfifo(folder / "n.conf"), "can't read {}/n.conf: not a regular file; correct the"),
    "a link to itself": (lambda folder: (folder / "n.conf").symlink_to("n.conf"), "Too many levels of symbolic links"),
    "includes itself": (files(n=b"a;\ninclude n.conf;"), "include cycle: {}/n.conf:2 -> {}/n.conf; nginx ends on it"),
    "includes itself by a pattern": (
        files(n=b"include *.conf;"),
        "include cycle: {}/n.conf:1 -> {}/n.conf; nginx ends",
    ),
    "includes in a circle": (
        files(n=b"include a;", a=b"x;\ninclude b;", b=b"y;\ny;\ninclude a;"),
        "include cycle: {}/a:2 -> {}/b:3 -> {}/a; nginx ends on it with a crash: remove one of them",
    ),
    "a glob over 100,000 files": (
        both(include("d/*"), crowd),
        "n.conf:3: can't read {}/d/*: it names more than 10,000",
    ),
    "folders and folders": (
        include("/*/../*/../*/../*/../*/../*/../*/../*/../*/../*/.."),
        "n.conf:3: can't read /*/..",
    ),
    "includes a link to itself": (
        both(include("l"), lambda folder: (folder / "l").symlink_to("l")),
        "n.conf:3: can't read {}/l: Too many levels of symbolic links; correct the path",
    ),
    "includes links in a circle": (
        both(
            include("d/*"),
            lambda folder: (folder / "d").mkdir(),
            lambda folder: (folder / "d/x").symlink_to("y"),
            lambda folder: (folder / "d/y").symlink_to("x"),
        ),
        "n.conf:3: can't read {}/d/x: Too many levels of symbolic links",
    ),
    "includes a FIFO": (
        both(include("p"), lambda folder: os.mkfifo(folder / "p")),
        "n.conf:3: can't read {}/p: not a regular file",
    ),
    "includes a device": (include("/dev/zero"), "n.conf:3: can't read /dev/zero: not a regular file"),
    "includes a terminal": (include("/dev/tty"), "n.conf:3: can't read /dev/tty: not a regular file"),
    "includes a socket": (both(include("s"), listening), "n.conf:3: can't read {}/s: not a regular file"),
    "includes a folder": (include("."), "n.conf:3: can't read {}: not a regular file"),
    "includes a huge file": (
        both(include("big"), sparse("big", 10**12)),
        "n.conf:3: can't read {}/big: larger than the 16777216 bytes",
    ),
    "includes a name that is too long": (include("x" * 5000), "File name too long; correct the path"),
    "includes a name that ends a line": (
        both(include("*b.conf"), odd_name),
        "advisor: {}/a\\n\\x1b[31mb.conf:2: unexpected '}': no block is open here",
    ),
    "includes a name that is not UTF-8": (both(include("?.conf"), bad_bytes), "n.conf:3: {}/\\xff.conf is a path that"),
    "a dump of nothing": (
        text(b"nginx: [emerg] no\n"),
        "n.conf: no file is in it, nginx only says 'nginx: [emerg]",
    ),
    "a dump of 100,001 files": (
        text(b"".join(b"# configuration file /f%d:\n\n" % i for i in range(100_002))),
        "n.conf: more than 100,000 files are in it",
    ),
    "a dump of what cannot be told apart": (
        text(
            b"# configuration file /n:\ninclude /a;\n# configuration file /a:\nx;\n\n# configuration file /a:\ny;\n\n"
        ),
        "n.conf: '# configuration file /a:' stands in it twice",
    ),
    "a dump that was cut off": (
        text(b"# configuration file /n:\ninclude /a;\n\n# configuration file /a:\nb {\n"),
        "/a:1: ",
    ),
}


def audit(*arguments: str, before: tuple[str, ...] = (), **options: Any) -> subprocess.CompletedProcess[bytes]:
    asked = [*BOUNDS, *before, sys.executable, "-m", "advisor", "audit", "--no-host", *arguments]
    return subprocess.run(asked, capture_output=True, cwd=ROOT, timeout=300, check=False, **options)


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line of error."""
    assert (done.returncode, done.stdout) == (3, b""), done.stderr.decode()
    line = done.stderr.decode()
    assert line.startswith("advisor: ")
    assert line.count("\n") == 1
    assert line.removesuffix("\n").isprintable()
    assert len(line) < 6000
    return line


@pytest.mark.parametrize("name", HOSTILE)
def test_one_clear_error(tmp_path: pathlib.Path, name: str) -> None:
    make, expected = HOSTILE[name]
    try:
        make(tmp_path)
        line = said(audit("--nginx-conf", str(tmp_path / "n.conf")))
    finally:
        if (tmp_path / "d").is_symlink():
            shutil.rmtree((tmp_path / "d").readlink())
    assert expected.replace("{}", str(tmp_path)) in line


def test_a_file_we_may_not_read(tmp_path: pathlib.Path) -> None:
    """As one without root's right to pass over permissions."""
    include("secret")(tmp_path)
    (tmp_path / "secret").touch(mode=0)
    capabilities = "-dac_override,-dac_read_search"
    drop = ("setpriv", f"--bounding-set={capabilities}", f"--inh-caps={capabilities}")
    without = () if os.geteuid() else drop
    line = said(audit("--nginx-conf", str(tmp_path / "n.conf"), before=without))
    assert f"n.conf:3: can't read {tmp_path}/secret: Permission denied; run as root" in line


def test_standard_input_that_is_closed_or_without_end() -> None:
    line = said(audit("--nginx-conf", "-", before=("sh", "-c", '"$@" <&-', "sh")))
    assert line == "advisor: <stdin>: can't be read: it is closed; pipe in a file, or name one\n"
    with open("/dev/zero", "rb") as zeros:
        line = said(audit("--nginx-conf", "-", stdin=zeros))
    assert "<stdin>: can't be read: larger than the 268435456 bytes" in line
    assert said(audit("--nginx-conf", "-", input=b"a {\n")) == (
        "advisor: <stdin>:1: the block 'a' that opens here is never closed; add its '}'\n"
    )


def test_what_is_large_and_sound_is_read(tmp_path: pathlib.Path) -> None:
    """2,000 files, and words of 1 MB, which nginx would refuse: that is said, and the rest is judged."""
    (tmp_path / "d").mkdir()
    for i in range(2000):
        write(tmp_path / "d" / f"{i:04}", b"# %d\nserver { listen %d; }\n" % (i, 1024 + i))
    write(tmp_path / "n.conf", b"http { include d/*; }\nx '" + b"w" * 1_000_000 + b"';\n")
    done = audit("--nginx-conf", str(tmp_path / "n.conf"), "-f", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"n.conf:2: a word of more than 4,095 bytes, which nginx refuses" in done.stdout
