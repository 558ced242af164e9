"""The value of a line changes, and no other byte."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from advisor.errors import InputError
from advisor.formats.sysctl import parse
from advisor.formats.sysctl_edit import Value, set_values


@pytest.mark.parametrize(
    ("old", "text", "taken", "new"),
    [
        (b"net.core.somaxconn = 128\n", "4096", 1, b"net.core.somaxconn = 4096\n"),
        (b"net/core/somaxconn=128", "4096", 1, b"net/core/somaxconn=4096"),
        (b" -net.core.x  =\t128 \t\r\n", "4096", 1, b" -net.core.x  =\t4096 \t\r\n"),
        (b"net.core.x = 128 # more\n", "4096", 1, b"net.core.x = 4096 # more\n"),
        (b"net.core.x = 128 # more\n", "4096", None, b"net.core.x = 4096\n"),
        (b"t.mem = 4096\t87380\t 6291456\n", "4096 131072 6291456", 3, b"t.mem = 4096\t131072\t 6291456\n"),
        (b"t.mem = 4096\t87380\n", "4096 131072 6291456", 3, b"t.mem = 4096 131072 6291456\n"),
        (b"t.range = 32768 60999 \xe9\n", "1024 65535", 2, b"t.range = 1024 65535 \xe9\n"),
        (b"t.ports =\n", "8080,9000-9002", None, b"t.ports = 8080,9000-9002\n"),
        (b"t.ports = \r\n", "8080", None, b"t.ports = 8080\r\n"),
        (b"t.ports =\r\n", "8080", None, b"t.ports = 8080\r\n"),
        (b"t.ports = 8080\n", "", None, b"t.ports = \n"),
        (b"t.name = reno = 1\n", "bbr", None, b"t.name = bbr\n"),
    ],
)
def test_one_line(old: bytes, text: str, taken: int | None, new: bytes) -> None:
    around = b"; caf\xe9\r\nvm.swappiness = 1\n", b"# \xff\xfe\nvm.swappiness = 2"
    data = around[0] + old + (around[1] if old.endswith(b"\n") else b"")
    after, parts = set_values(data, "f", {3: Value(text, taken)})
    assert after == around[0] + new + (around[1] if old.endswith(b"\n") else b"")
    assert list(parts) == [3]


@pytest.mark.parametrize(
    ("data", "line", "text"),
    [
        (b"a.b = 1\n", 1, "2\nc.d = 3"),
        (b"a.b = 1\n", 1, "2\0"),
        (b"a.b = 1\n", 1, "2\r3"),
        (b"a.b = 1\n# c\n", 2, "2"),
        (b"a.b = 1\n", 7, "2"),
        (b"-a.b\n", 1, "2"),
        (b"- a.b = 1\n", 1, "2"),
        (b"a.b = 1\rc.d = 2\n", 1, "2"),
        (b"a.b = 1\0\n", 1, "2"),
        (b"a.b = 1\n", 1, "\udce9"),
    ],
)
def test_what_would_change_more_or_is_no_setting_is_refused(data: bytes, line: int, text: str) -> None:
    with pytest.raises(InputError, match=r"^f:?\d*: "):
        set_values(data, "f", {line: Value(text)})


LINES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.builds(
            lambda lead, key, gap, value, end: lead + key + gap + value + end,
            st.sampled_from([b"", b" ", b"-", b"\t", b"\xef\xbb\xbf", b"# ", b"- "]),
            st.sampled_from([b"net.core.a", b"net/ipv4/b", b"fs.c", b"net.*.d"]),
            st.sampled_from([b"=", b" = ", b"\t=\t", b" =", b"", b"=="]),
            st.sampled_from([b"1", b"1 2 3", b"1\t2", b"", b"caf\xe9", b"1 # x", b"\xc2\xa0 7", b"1\x0b2"]),
            st.sampled_from([b"", b" ", b"\r", b"\r\r", b"\t\r"]),
        ),
    ),
    max_size=8,
).map(b"\n".join)
TEXTS = st.sampled_from(["4096", "1 2 3", "9 8", "bbr", "80,90-99", ""])


@settings(max_examples=300)
@given(LINES, st.data(), TEXTS, st.booleans())
def test_everything_else_stays(data: bytes, draw: st.DataObject, text: str, numbers_only: bool) -> None:  # noqa: FBT001 (drawn)
    taken = len(text.split()) if numbers_only and text else None
    before = parse(data, "f")
    plain = [one for one in before.settings if one.only is None]
    assume(plain)
    chosen = draw.draw(st.lists(st.sampled_from(plain), min_size=1, max_size=3, unique=True))
    after, parts = set_values(data, "f", {one.line: Value(text, taken) for one in chosen})
    numbers = {one.line for one in chosen}
    for number, (was, now) in enumerate(zip(data.split(b"\n"), after.split(b"\n"), strict=True), 1):
        key = len(was.partition(b"=")[0])
        assert was == now or (number in numbers and was[:key] == now[:key] and was.count(b"\r") == now.count(b"\r"))
    read = {one.line: one for one in parse(after, "f").settings}
    assert all(read[one.line].value.split()[:taken] == text.split()[:taken] for one in chosen)
    assert parts.keys() == numbers
    assert set_values(after, "f", {one: Value(text, taken) for one in numbers})[0] == after
