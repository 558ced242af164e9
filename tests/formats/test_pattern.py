"""Patterns are matched as PCRE does, or refused; never for long."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.pattern import Pattern, Unsupported


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"\.php$", "/a/index.php", "/a/index.php/x"),
        (r"/\.(?!well-known)", "/.git/config", "/.well-known/acme"),
        (r"^/(?<lang>en|de)/(.*)$", "/de/", "/fr/"),
        (r"^~|\.(?:jpe?g|png)$", "/x.jpeg", "/x.jpg.txt"),
        (r"^/a{2,3}b$", "/aaab", "/ab"),
        (r"^/a{2}$", "/aa", "/aaa"),
        (r"^/[^/.]+$", "/abc", "/a/b"),
        (r"[]x]", "]", "["),
        (r"^[\w.-]+$", "a-b.c", "a b"),
        (r"\bfoo\b", "/foo/", "/food/"),
        (r"^(?=.*a)(?=.*b)", "xbya", "xbyb"),
        (r"^/(a|b(c|d))*z$", "/abcbdz", "/abz"),
        (r"^\x2fq$", "/q", "q"),
        (r"^.$", "x", "é"),
        (r"^/é$", "/é", "/É"),
        (r"a|", "", None),
    ],
)
def test_what_matches(pattern: str, yes: str, no: str | None) -> None:
    assert Pattern(pattern).matches(yes)
    assert no is None or not Pattern(pattern).matches(no)


def test_case_is_ignored_where_that_is_asked() -> None:
    assert Pattern(r"\.PHP$", ignore_case=True).matches("/x.php")
    assert Pattern(r"(?i)[a-c]$").matches("/C")
    assert not Pattern(r"\.PHP$").matches("/x.php")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1", r"the escape '\\1'"),
        (r"(?<=a)b", r"begins with '\(\?<'"),
        (r"(?>a)", r"begins with '\(\?>'"),
        (r"(*UTF8)a", r"begins with '\(\*U'"),
        (r"a++b", "possessive"),
        (r"a**", "a repeat of a repeat"),
        (r"[[:alpha:]]", "POSIX"),
        (r"\p{L}", r"the escape '\\p'"),
        (r"*a", "repeat of nothing"),
        (r"(a", r"a '\(' without"),
        (r"a)", r"a '\)' without"),
        (r"[a", "ends too early"),
        ("a\\", "ends too early"),
        (r"[z-a]", "a range"),
        ("a" * 1001, "longer than 1000"),
        ("(" * 31 + ")" * 31, "nested deeper than 30"),
        (r"(?:(?:a{99}){99}){99}", "more than 5000 states"),
    ],
)
def test_what_is_not_read_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(Unsupported, match=why):
        Pattern(pattern)


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|a)*b", r"^(a|aa)+$", r"(.*.*.*.*)*x$", "(a?){500}" + "a{500}b"])
def test_a_pattern_that_backtracks_without_end_is_quick(pattern: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(Unsupported):
        assert not Pattern(pattern).matches("a" * 2000 + "!")
    assert time.process_time() - begun < 5


def test_too_much_work_is_refused() -> None:
    with pytest.raises(Unsupported, match="take too long"):
        Pattern("(a?){500}a{500}b").matches("a" * 2000)


def test_a_long_text_is_refused() -> None:
    with pytest.raises(Unsupported, match="longer than 2048"):
        Pattern("a").matches("é" * 1025)


_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\W", "^", "$", r"\b", "/", "(?=a)", "(?!b)"])
_REPEATS = st.sampled_from(["", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grouped = st.tuples(st.sampled_from(["(", "(?:"]), inner, _REPEATS).map(lambda one: f"{one[0]}{one[1]}){one[2]}")
    return st.one_of(grouped, st.tuples(inner, inner).map("".join), st.tuples(inner, inner).map("|".join))


_REPEATED = st.tuples(st.sampled_from(["a", "b", ".", "[ab]", r"\w"]), _REPEATS).map("".join)


@given(st.recursive(_REPEATED | _ATOMS, _grown, max_leaves=6), st.text("ab/\n", max_size=6))
def test_it_agrees_with_a_backtracking_engine(pattern: str, text: str) -> None:
    assert Pattern(pattern).matches(text) == (re.search(pattern, text, re.ASCII) is not None)
