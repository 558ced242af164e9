"""Patterns against the C library's own fnmatch(3), which glob(3) is made of."""

from __future__ import annotations

import ctypes

from hypothesis import example, given
from hypothesis import strategies as st

from advisor.formats.wildcard import Pattern, encoded, part

_PATHNAME, _PERIOD = 1, 4


def libc_matches(pattern: str, name: str) -> bool:
    return ctypes.CDLL(None).fnmatch(encoded(pattern), encoded(name), _PATHNAME | _PERIOD) == 0


PIECES = ["*", "?", *"ab.-]!^:z", "\\a", "\\*", "\\["]
BRACKETS = [
    "[ab]",
    "[!a]",
    "[^-a]",
    "[]a]",
    "[a-z]",
    "[!]]",
    "[!-.]",
    "[[:alpha:]]",
    "[\\]a]",
    "[*?[]",
    "[a-b-c]",
    "[.]",
]


# ASCII, which is the same in every locale that this test may run in. Brackets are whole: of one that is never closed
# fnmatch(3) makes now itself and now nothing.
@given(
    st.lists(st.sampled_from(PIECES + BRACKETS), min_size=1, max_size=6).map("".join),
    st.text("ab.-]!^*\\z[", min_size=1, max_size=6),
)
@example("[a", "[a")
@example("[]-a]", "b")
@example("[a-]", "-")
@example("[z-a]", "m")
@example("[[:alpha:][:digit:]]", "7")
@example("[[:none:]]", "n")
@example("a\\", "a\\")
@example("*a*b*", "xaxbx")
@example("*aa", "aaa")
@example("[.]a", ".a")
def test_a_part_matches_what_fnmatch_matches(pattern: str, name: str) -> None:
    assert (part(pattern).fullmatch(encoded(name)) is not None) == libc_matches(pattern, name)


def test_many_asterisks_take_no_time() -> None:
    """Tried one against the other they would take longer than the universe is old."""
    assert part("*a" * 120 + "b").fullmatch(b"a" * 255) is None


def test_a_byte_is_a_character() -> None:
    assert part("??.conf").fullmatch(encoded("\u00e9.conf")) is not None
    assert part("[\u00e9]*").fullmatch(encoded("\udcff")) is None


def test_a_whole_path_is_matched_part_by_part() -> None:
    pattern = Pattern("/etc/*/a\\b?.conf")
    assert pattern.names("/etc/nginx/abc.conf")
    assert not pattern.names("/etc/nginx/x/abc.conf")
    assert not pattern.names("/etc/.nginx/abc.conf")
