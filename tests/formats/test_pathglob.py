"""Patterns for files of a repository."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.pathglob import PathGlob


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("legacy", "a/legacy/nginx.conf"),
        ("legacy/", "legacy/nginx.conf"),
        ("*.conf", "a/b/c.conf"),
        ("a/*.conf", "a/x.conf"),
        ("./a", "a/x.conf"),
        ("a/b", "a/b/c/d.conf"),
        ("**/b/*.conf", "b/x.conf"),
        ("**/b/*.conf", "a/a/b/x.conf"),
        ("a/**", "a/x"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("/etc/*.conf", "/etc/nginx.conf"),
        ("web-?", "hosts/web-7/nginx.conf"),
        ("**", "x"),
        ("**/.ci", "a/.ci/x"),
    ],
)
def test_it_names_a_file_or_a_folder_around_it(pattern: str, path: str) -> None:
    assert PathGlob(pattern).matches(path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a/*.conf", "b/a/x.conf"),
        ("a/*.conf", "a/b/x.conf"),
        ("./a", "b/a"),
        ("a/**", "a"),
        ("/etc", "etc/x"),
        ("a/**/z", "a/b/c"),
        ("legac", "legacy/x"),
        ("*", ".hidden"),
        ("", "x"),
        ("**/x/y", "x/z/y"),
    ],
)
def test_it_names_nothing_else(pattern: str, path: str) -> None:
    assert not PathGlob(pattern).matches(path)


_NAMES = st.text("ab", min_size=1, max_size=2)


@given(st.lists(_NAMES | st.sampled_from(["*", "**", "?"]), min_size=2, max_size=5), st.lists(_NAMES, min_size=1))
def test_it_takes_what_a_regular_expression_takes(parts: list[str], names: list[str]) -> None:
    pieces = [{"*": "[^/]*/", "**": "(?:[^/]*/)*", "?": "[^/]/"}.get(one, one + "/") for one in parts]
    if parts[-1] == "**":
        pieces[-1] = "(?:[^/]*/)+"
    expected = re.match("".join(pieces), "/".join(names) + "/") is not None
    assert PathGlob("/".join(parts)).matches("/".join(names)) == expected


def test_a_pattern_made_to_be_slow_is_not() -> None:
    begun = time.process_time()
    assert not PathGlob("**/a/" * 40 + "b").matches("/".join(["a"] * 1_000))
    assert time.process_time() - begun < 0.5
