"""Patterns of includes over a tree and over the names in a dump, compared with what the C library's glob(3) says."""

from __future__ import annotations

import ctypes
import os
import pathlib

import pytest

from advisor.collect import globbing
from advisor.collect.globbing import Folders, Glob
from advisor.collect.nginx_files import Dump
from advisor.system import System

FILES = (
    "etc/nginx/sites/a.conf",
    "etc/nginx/sites/b.conf",
    "etc/nginx/sites/B.conf",
    "etc/nginx/sites/.hidden.conf",
    "etc/nginx/sites/c.txt",
    "etc/nginx/sites/*.conf",
    "etc/nginx/sites/\u00e9.conf",
    "etc/nginx/more/a.conf",
    "etc/nginx/.more/a.conf",
    "etc/nginx/x[1].conf",
)
PATTERNS = (
    "/etc/nginx/sites/*.conf",
    "/etc/nginx/sites/.*conf",
    "/etc/*/sites/[a].conf",
    "/etc/nginx/*/a.conf",
    "/etc/nginx//sites/?.txt",
    "/etc/nginx/./s*/a.conf",
    "/etc/nginx/*/../sites/[!a-b].txt",
    "/etc/nginx/sites/\\*.[c]onf",
    "/etc/nginx/sites/[[:upper:]].conf",
    "/etc/nginx/sites/??.conf",
    "/etc/nginx/x[[]1].c*",
    "/etc/nginx/gone/*",
    "/etc/nginx/si*/gone",
    "/etc/nginx/sites/a.conf/*",
    "/etc/nginx/*",
)


class _Found(ctypes.Structure):
    _fields_ = (
        ("count", ctypes.c_size_t),
        ("paths", ctypes.POINTER(ctypes.c_char_p)),
        ("reserved", ctypes.c_char * 128),
    )


def libc_glob(pattern: str) -> list[str]:
    """What glob(3) finds, in any order: how it sorts follows the locale of whoever calls it."""
    library, found = ctypes.CDLL(None), _Found()
    if library.glob(os.fsencode(pattern), 0, None, ctypes.byref(found)):
        return []
    paths = [os.fsdecode(found.paths[i] or b"") for i in range(found.count)]
    library.globfree(ctypes.byref(found))
    return sorted(paths, key=os.fsencode)


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in FILES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return tmp_path


def plain(paths: list[str]) -> list[str]:
    return [path.replace("//", "/") for path in paths]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_names_what_glob_names(tree: pathlib.Path, pattern: str) -> None:
    theirs = [path.removeprefix(str(tree)) for path in libc_glob(f"{tree}{pattern}")]
    if "??" in pattern:  # this test runs in UTF-8, nginx in the C locale, where each byte is a character
        theirs = ["/etc/nginx/sites/\u00e9.conf"]
    assert Glob(System(str(tree))).paths(pattern) == plain(theirs)


@pytest.mark.parametrize("pattern", [one for one in PATTERNS if "/./" not in one and "/../" not in one])
def test_a_dump_names_the_same_files(tree: pathlib.Path, pattern: str) -> None:
    dump = Dump({f"/{name}": b"" for name in FILES})
    assert Glob(dump).paths(pattern) == Glob(System(str(tree))).paths(pattern)


def test_a_link_that_leads_nowhere_or_round_is_named_and_not_entered(tree: pathlib.Path) -> None:
    (tree / "etc/nginx/gone").symlink_to("/nowhere")
    (tree / "etc/nginx/round").symlink_to("round")
    glob = Glob(System(str(tree)))
    assert "/etc/nginx/gone" in glob.paths("/etc/nginx/*")
    assert glob.paths("/etc/nginx/[gr]*/*") == []


def many(count: int) -> Folders:
    return Dump({f"/d/{i}": b"" for i in range(count)})


def test_a_pattern_that_names_too_much_is_refused() -> None:
    assert len(Glob(many(10_000)).paths("/d/*")) == 10_000
    with pytest.raises(OSError, match="it names more than 10,000 files"):
        Glob(many(10_001)).paths("/d/*")


def test_no_folder_is_read_further_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder with more names than can be counted, only as many are looked at as are needed to refuse it."""
    looked = []

    class Endless:
        def names(self, _: str) -> object:
            for i in range(10**9):
                looked.append(i)
                yield str(i)

        def named(self, _: str) -> bool:
            return True

    with pytest.raises(OSError, match="it names more than 10,000 files"):
        Glob(Endless()).paths("/*")  # type: ignore[arg-type]  # a generator is an iterator
    assert len(looked) == 10_001
    monkeypatch.setattr(globbing, "_MOST_LOOKED", 1000)
    with pytest.raises(OSError, match="look at more than 1,000 names"):
        Glob(Endless()).paths("/x*")  # type: ignore[arg-type]  # likewise


def test_all_patterns_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(globbing, "_MOST_LOOKED", 1000)
    glob = Glob(many(100))
    for i in range(8):
        assert glob.paths(f"/d/x{i}*") == []
    with pytest.raises(OSError, match="look at more than 1,000 names"):
        glob.paths("/d/y*")
