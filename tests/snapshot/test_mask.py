"""What a snapshot that is handed on hides, and what stays true of it."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from advisor.errors import InputError
from advisor.formats import sysctl
from advisor.formats.nginx import FREE_FORM, Statement, scan, walk
from advisor.gate.comments import in_nginx, in_sysctl
from advisor.gate.spans import Ignore
from advisor.snapshot.json import dumps
from advisor.snapshot.mask import mask, mask_nginx, mask_sysctl
from advisor.snapshot.model import ConfigFile, Nginx, Snapshot, SysctlFile

KEPT = frozenset({"listen", "include", "server", "upstream"})

SITE = rb"""# the key is hunter2
http {
    map $http_authorization $who { "Bearer hunter2" admin; listen hunter2; include map.d/*; }
    upstream api { server 10.0.0.1:80; }
    server {
        listen 443 ssl;  # hunter2
        auth_basic "hunter2 \" ;{}
 too";
        location /hunter2 { proxy_set_header X-Key 'hunter2'; if ($a = "b") { return 200; } }
        content_by_lua_block { -- hunter2 }
            local t = { ["}"] = 'it\'s hunter2 {' }; local s = [==[ hunter2 } ]==] }
        set $a hun\
ter2${b};
    }
}
"""
HIDDEN = rb"""#xxxxxxxxxxxxxxxxxxx
http {
    map xxxxxxxxxxxxxxxxxxx xxxx { "xxxxxxxxxxxxxx" xxxxx; xxxxxx xxxxxxx; include map.d/*; }
    upstream api { server 10.0.0.1:80; }
    server {
        listen 443 ssl;  #xxxxxxxx
        auth_basic "xxxxxxxxxxxxxx
xxxx";
        location xxxxxxxx { proxy_set_header X-Key 'xxxxxxx'; if (xx x "x") { return xxx; } }
        content_by_lua_block { -- xxxxxxx }
            xxxxx x = { ["}"] = 'xx\'x xxxxxxx {' }; xxxxx x = [==[ xxxxxxx } ]==] }
        set $a xxx\
xxxx$xxx;
    }
}
"""
GAP = st.sampled_from([b" ", b"\n", b"\t ", b"\r\n", b' # c } ; " x\n', b"#\r\n"])
BARE = st.lists(
    st.sampled_from(
        [b"a", b"$", b"${", b"\\;", b"\\\n", b"\\\r", b"\\\\", b"\xff", b"(", b")", b'"', b"#", b"}", b"x"]
    ),
    max_size=5,
).map(lambda parts: b"".join([b"a", *parts]))
QUOTED = st.builds(
    lambda quote, parts, after: quote + b"".join(parts) + quote + after,
    st.sampled_from([b'"', b"'"]),
    st.lists(
        st.sampled_from([b"a", b"\\'", b'\\"', b"\n", b"\r\n", b"\\\\", b" ", b";", b"{", b"#", b"\xff"]), max_size=5
    ),
    st.sampled_from([b"", b"", b")", b"))a"]),
)
NAME = st.sampled_from([b"listen", b"include", b"map", b"server", b"'listen'", b"other"])
WORDS = st.builds(
    lambda name, rest: name + b"".join(gap + word for gap, word in rest),
    NAME | BARE,
    st.lists(st.tuples(GAP, BARE | QUOTED), max_size=3),
)
LUA = st.lists(
    st.sampled_from([b"a1", b"-- }\n", b"[=[ } ]=]", b"'}\\''", b'"{"', b"{ }", b"--[[ } ]]", b" ", b"\xff"]),
    max_size=5,
).map(lambda parts: b"x_by_lua_block $a {" + b"".join(parts) + b"}")
SIMPLE = st.builds(lambda words, gap: words + gap + b";", WORDS, GAP)
TEXT = st.recursive(
    st.lists(SIMPLE | LUA | GAP, max_size=3).map(b"".join),
    lambda inner: st.builds(lambda words, gap, body: words + gap + b"{" + body + b"}", WORDS, GAP, inner),
    max_leaves=5,
)


PARTLY = rb"""http {
    map $http_upgrade $connection { default upgrade; '' close; hunter2 "hunter2"; ~^(hunter2)$ $pass$hunter2; }
    server {
        proxy_set_header connection $connection; proxy_set_header "Host" hunter2.example; grpc_set_header X-A hunter2;
        set $to api; set $to hunter2; set $to "api"; set $to $hunter2:80;
        proxy_pass http://10.0.0.1:80/hunter2; proxy_pass "https://$to$request_uri?key=hunter2";
        proxy_pass http://unix:/run/a.sock:/hunter2; fastcgi_pass unix:/run/b.sock; uwsgi_pass hunter2.example:9000;
    }
}
"""
PARTLY_HIDDEN = rb"""http {
    map $http_upgrade $connection { default upgrade; '' close; xxxxxxx "xxxxxxx"; xx(xxxxxxx)x $xxxx$xxxxxxx; }
    server {
        proxy_set_header connection $connection; proxy_set_header "Host" hunter2.example; grpc_set_header X-A xxxxxxx;
        set $to api; set $to xxxxxxx; set $to "api"; set $to $xxxxxxxxxx;
        proxy_pass http://10.0.0.1:80/xxxxxxx; proxy_pass "https://$to$request_uri?xxxxxxxxxxx";
        proxy_pass http://unix:/run/a.sock:xxxxxxxx; fastcgi_pass unix:/run/b.sock; uwsgi_pass hunter2.example:9000;
    }
}
"""


def test_what_decides_on_reuse_stays_and_nothing_beside_it() -> None:
    kept = KEPT | {"map"}
    assert mask_nginx(PARTLY, "/n", kept, frozenset({"api"})) == PARTLY_HIDDEN
    assert mask_nginx(PARTLY_HIDDEN, "/n", kept, frozenset({"api"})) == PARTLY_HIDDEN


def shape(statements: list[Statement]) -> list[object]:
    """Names (of directives, not of a map's entries), nesting, and where everything stands."""
    return [
        (
            len(around),
            None if any(block.name in FREE_FORM for block in around) else statement.name,
            [(word.start, word.end, word.line, word.quoted) for word in (statement.token, *statement.args)],
            (statement.end, statement.close, statement.opaque),
        )
        for around, statement in walk(statements)
    ]


def test_what_is_hidden_and_what_stays() -> None:
    assert mask_nginx(SITE, "/n", KEPT) == HIDDEN


@given(TEXT)
@example(SITE)
@example(SITE.replace(b"\n", b"\r\n"))
@example(b"\xef\xbb\xbf" + SITE)
@example(b'if ("$a"){ b; }')
@example(b'if ($x = "a"))b(c { d; }')
@example(b"map a b { map { c d; } }")
@example(b"map {map {x_by_lua_block $a {}}}")
@example(b"map {map {default $a;}}")
@example(b'"listen" "80";')
def test_the_law_of_masking_nginx(data: bytes) -> None:
    try:
        statements = scan(data, "/n")
    except InputError:
        assume(False)  # noqa: FBT003 (hypothesis's way to pass over an example)
    masked = mask_nginx(data, "/n", KEPT)
    again = scan(masked, "/n")
    assert len(masked) == len(data)
    assert [at for at, byte in enumerate(masked) if byte == 10] == [at for at, byte in enumerate(data) if byte == 10]
    assert masked.count(b"\r\n") == data.count(b"\r\n")
    assert shape(again) == shape(statements)
    for (around, statement), (_, hidden) in zip(walk(statements), walk(again), strict=True):
        if statement.name in KEPT and not any(block.name in FREE_FORM for block in around):
            assert [word.raw for word in hidden.args] == [word.raw for word in statement.args]
    assert mask_nginx(masked, "/n", KEPT) == masked


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=30))
def test_a_secret_leaves_no_trace(secret: str) -> None:
    word = f"7{secret}7".encode()
    for text in (b"a %b;", b"a '%b';", b"# %b\n", b"map $a $b { %b 1; }", b"a { b_by_lua_block { t = '%b' } }"):
        assert word not in mask_nginx(text % word, "/n", KEPT)


def test_a_file_that_does_not_scan_is_named() -> None:
    with pytest.raises(InputError, match=r"^/n:1: "):
        mask_nginx(b"a {", "/n", KEPT)


def test_sysctl_values_outside_the_catalogue_are_hidden() -> None:
    data = (
        b"# said hunter2\r\n; too\n\nnet.core.somaxconn = 128\nnet/ipv4/tcp_tw_recycle=1\n"
        b"kernel.domainname = hunter2 2\n"
        b"-kernel.secret=1 \nnet.ipv4.* = 1\nkernel.* = 1\nhunter2 \n = 5\na = \xff\n-net.ipv4.tcp_sack\n"
    )
    assert mask_sysctl(data, "/s") == (
        b"# xxxx xxxxxxx\r\n; xxx\n\nnet.core.somaxconn = 128\nnet/ipv4/tcp_tw_recycle=1\n"
        b"kernel.domainname = xxxxxxx x\n"
        b"-kernel.secret=x \nnet.ipv4.* = 1\nkernel.* = x\nxxxxxxx \n x x\na = x\n-net.ipv4.tcp_sack\n"
    )


@given(st.lists(st.sampled_from([b"net.core.somaxconn", b"a.b", b"=", b" ", b"#", b"-", b"\n", b"\r", b"\xff", b"*"])))
def test_the_law_of_masking_sysctl(parts: list[bytes]) -> None:
    data = b"".join(parts)
    masked = mask_sysctl(data, "/s")
    before, after = sysctl.parse(data, "/s"), sysctl.parse(masked, "/s")
    assert len(masked) == len(data)
    assert [(row.key, row.line, row.column) for row in after.settings] == [
        (row.key, row.line, row.column) for row in before.settings
    ]
    assert after.exclusions == before.exclusions
    assert [line for line, _ in after.problems] == [line for line, _ in before.problems]
    assert mask_sysctl(masked, "/s") == masked


def test_what_a_rule_judges_of_any_known_key_stays() -> None:
    data = b"[sysctl]\n[main]\nvm.swappiness = 10 # hunter2\nkernel.secret = 10 # hunter2\nvm.swappiness = hunter2\n"
    assert mask_sysctl(data, "/s") == (
        b"[sysctl]\nxxxxxx\nvm.swappiness = 10 # xxxxxxx\nkernel.secret = xx x xxxxxxx\nvm.swappiness = xxxxxxx\n"
    )


def test_the_whole_snapshot() -> None:
    snapshot = Snapshot(
        advisor="0",
        taken="2026-01-01T00:00:00Z",
        nginx=Nginx(
            entry="/n",
            files={"/n": ConfigFile(content=b"a hunter2; listen 80;", differs="line 1: 'hunter2' is read as 'h'")},
        ),
        sysctl_files=[SysctlFile(path="/s", content=b"kernel.a=hunter2", given=True)],
        problems=[("/s", "/s:1: 'it's hunter2' sets nothing"), ("/n", "/n:1: '/etc/x.conf' is not there")],
        site={"load_balancer_idle": "600 s"},
    )
    masked = mask(snapshot, KEPT)
    assert masked.nginx is not None
    assert masked.sysctl_files is not None
    assert masked.nginx.files["/n"].content == b"a xxxxxxx; listen 80;"
    assert masked.sysctl_files[0].content == b"kernel.a=xxxxxxx"
    assert masked.sysctl_files[0].given
    assert masked.problems == [("/s", "/s:1: '...' sets nothing"), ("/n", "/n:1: '/etc/x.conf' is not there")]
    assert masked.site == snapshot.site
    assert "hunter2" not in dumps(masked)
    assert mask(masked, KEPT) == masked
    assert "hunter2" in dumps(snapshot)


NGINX_IGNORES = b"""# advisor: ignore-begin[sendfile-off, gzip-tiny] hunter2 said so
sendfile off;  # advisor: ignore[sendfile-off] password is hunter2; until 2027-01-31\r
# advisor: ignore-end
#advisor: ignored is hunter2
"""
SYSCTL_IGNORES = b"  ; advisor: ignore[sack-off] hunter2 wants it;  until 2027-01-31\nnet.ipv4.tcp_sack = 0\n"


def test_what_somebody_answers_for_stays_and_the_reason_is_hidden() -> None:
    for data, masked, read in (
        (NGINX_IGNORES, mask_nginx(NGINX_IGNORES, "f", frozenset()), lambda one: in_nginx(one, "f", scan(one, "f"))),
        (SYSCTL_IGNORES, mask_sysctl(SYSCTL_IGNORES, "f"), lambda one: in_sysctl(one, "f")),
    ):
        assert b"hunter2" not in masked
        assert len(masked) == len(data)
        before, after = ([one for one in read(each) if isinstance(one, Ignore)] for each in (data, masked))
        assert [(one.holds, one.until, bool(one.reason)) for one in after] == [
            (one.holds, one.until, bool(one.reason)) for one in before
        ]
        assert before


def test_what_was_not_read_stays_unread() -> None:
    snapshot = Snapshot(advisor="0", taken="2026-01-01T00:00:00Z")
    assert mask(snapshot, KEPT) == snapshot
