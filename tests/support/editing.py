"""Random edits of configuration files: some that a baseline must not notice, and some that it must."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from advisor.formats.nginx import Statement, absolute, walk
from advisor.formats.sysctl import parse
from advisor.records import replace
from advisor.snapshot.model import ConfigFile, Nginx, Snapshot, SysctlFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from advisor.findings import Finding

PROSE = (
    "keep this",
    "see ticket 17",
    "it's \"quoted",
    "a { b; c } d",
    "net.core.somaxconn = 1",
    "größe",
    "# # ;",
    "\\",
)

OFFENDING = {
    "keepalive-timeout-long": "keepalive_timeout 3000;",
    "gzip-level-high": "gzip on; gzip_comp_level 9;",
    "ranges-off": "max_ranges 0;",
    "lingering-close-off": "lingering_close off;",
    "request-bodies-kept": "client_body_in_file_only on;",
    "client-abort-ignored": "proxy_ignore_client_abort on;",
    "client-timeout-long": "client_header_timeout 1000;",
    "backend-connect-timeout-long": "location / { proxy_pass http://10.1.2.3; proxy_connect_timeout 600; }",
    "fastcgi-buffering-off": "fastcgi_buffering off;",
    "tcp-nodelay-off": "tcp_nodelay off;",
    "error-log-debug": "error_log /var/log/x.log debug;",
    "send-lowat-ignored": "send_lowat 1k;",
    "postpone-output-off": "postpone_output 0;",
    "keepalive-requests-few": "keepalive_requests 10;",
}
"""What makes a rule find something in any server."""
DEAD = ("net.ipv4.tcp_fack", "net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_low_latency", "net.ipv4.tcp_adv_win_scale")
"""Sysctls that do nothing: each line that sets one is a finding."""


class Edit(NamedTuple):
    """A snapshot after an edit, and what was done, in words."""

    after: Snapshot
    what: str


# --- nginx ---


def with_file(nginx: Nginx, name: str, content: bytes) -> Nginx:
    return replace(nginx, files={**nginx.files, name: ConfigFile(content=content)})


def statements(nginx: Nginx, name: str) -> list[Statement]:
    return [statement for _, statement in walk(nginx.files[name].statements(name))]


def any_file(nginx: Nginx, draw: random.Random) -> tuple[str, list[Statement]]:
    """One of the files that say something."""
    files = [(name, found) for name in nginx.files if (found := statements(nginx, name))]
    return draw.choice(files)


def put(data: bytes, at: int, text: str) -> bytes:
    return data[:at] + text.encode() + data[at:]


def comment_above(nginx: Nginx, draw: random.Random) -> Nginx:
    name, found = any_file(nginx, draw)
    return with_file(nginx, name, put(nginx.files[name].content, draw.choice(found).start, f"# {draw.choice(PROSE)}\n"))


def comment_behind(nginx: Nginx, draw: random.Random) -> Nginx:
    name, found = any_file(nginx, draw)
    one = draw.choice(found)
    at = (one.close if one.opaque else one.end) + 1
    return with_file(nginx, name, put(nginx.files[name].content, at, f" #{draw.choice(PROSE)}\n"))


def blanks(nginx: Nginx, draw: random.Random) -> Nginx:
    name, found = any_file(nginx, draw)
    space = draw.choice(["\n\n\n", "\t", "  ", "\r\n", " \n "])
    return with_file(nginx, name, put(nginx.files[name].content, draw.choice(found).start, space))


def moved_block(nginx: Nginx, draw: random.Random) -> Nginx:
    """Two blocks change places, where their order means nothing to nginx; without such, one moves into a file."""
    name, found = any_file(nginx, draw)
    groups = [nginx.files[name].statements(name), *(one.block for one in found if one.block)]
    pairs = [pair for group in groups for pair in exchangeable(group)]
    if not pairs:
        return moved_out(nginx, draw)
    one, other = draw.choice(pairs)
    data = nginx.files[name].content
    first, second = data[one.start : one.close + 1], data[other.start : other.close + 1]
    between = data[one.close + 1 : other.start]
    return with_file(nginx, name, data[: one.start] + second + between + first + data[other.close + 1 :])


def exchangeable(group: list[Statement]) -> Iterator[tuple[Statement, Statement]]:
    for kind in ("upstream", "map", "location", "server"):
        blocks = [one for one in group if one.name == kind and one.block is not None]
        for at, one in enumerate(blocks[:-1]):
            for other in blocks[at + 1 : at + 4]:
                apart = kind != "server" or not listens(one) & listens(other)
                ordered = kind == "location" and any(text[:1] == "~" for text in one.texts + other.texts)
                between = blocks[at + 1 : blocks.index(other)]
                if apart and not ordered and (kind != "server" or not between):
                    yield one, other


def listens(server: Statement) -> set[str]:
    """Ports, the addresses aside: two servers without a common one never wait for the same connections."""
    words = [one.texts[0] for one in server.block or () if one.name == "listen" and one.texts]
    inside = {word.rpartition(":")[2] for word in words} or {"80"}
    return inside | ({"any"} if any(one.name == "include" for one in server.block or ()) else set())


def moved_out(nginx: Nginx, draw: random.Random) -> Nginx:
    """A block, or a directive, moves into a file of its own, which is included in its place."""
    name, found = any_file(nginx, draw)
    one = draw.choice(found)
    data = nginx.files[name].content
    end = (one.end if one.block is None else one.close) + 1
    new = f"moved-{draw.randrange(10**6)}.conf"
    path = absolute(nginx.entry, new)
    moved = with_file(nginx, name, data[: one.start] + f"include {new};".encode() + data[end:])
    moved = with_file(moved, path, b"# moved\n" + data[one.start : end] + b"\n")
    return replace(moved, includes={**nginx.includes, path: [path]})


def renamed(nginx: Nginx, draw: random.Random) -> Nginx:
    """Every file gets another name; the entry stays in its folder, where includes begin."""
    folder = nginx.entry.rpartition("/")[0]
    new = {
        name: f"{folder}/{draw.choice('abc')}{number}-{draw.randrange(999)}" for number, name in enumerate(nginx.files)
    }
    includes = {pattern: [new.get(path, path) for path in paths] for pattern, paths in nginx.includes.items()}
    files = {new[name]: file for name, file in nginx.files.items()}
    return replace(nginx, entry=new[nginx.entry], files=files, includes=includes)


HARMLESS: tuple[Callable[[Nginx, random.Random], Nginx], ...] = (
    comment_above,
    comment_behind,
    blanks,
    moved_block,
    moved_block,
    moved_out,
    renamed,
)


def harmless(before: Snapshot, draw: random.Random) -> Edit:
    """One to three edits after which every directive says what it said, where it said it."""
    done = []
    after = before
    for edit in draw.choices(SYSCTL_HARMLESS if before.nginx is None else HARMLESS, k=draw.randint(1, 3)):
        done.append(edit.__name__)
        if after.nginx is not None:
            after = replace(after, nginx=edit(after.nginx, draw))
        else:
            after = replace(after, sysctl_files=[edit(file, draw) for file in after.sysctl_files or ()])
    return Edit(after, ", ".join(done))


def removed(before: Snapshot, finding: Finding) -> Edit | None:
    """The directive goes that a finding points at; None where it points at none."""
    nginx, at = before.nginx, finding.location
    if nginx is None or at.file not in nginx.files:
        return None
    for one in statements(nginx, at.file):
        if one.line == at.line and one.name == at.key and one.block is None:
            data = nginx.files[at.file].content
            edited = with_file(nginx, at.file, data[: one.start] + data[one.end + 1 :])
            return Edit(replace(before, nginx=edited), f"removed {one.name}, line {one.line}")
    return None


def worsened(before: Snapshot, draw: random.Random) -> Edit | None:
    """A server is added that a rule finds something in; None where none may stand."""
    nginx = before.nginx
    if nginx is None:
        return None
    places = [
        (name, one)
        for name in nginx.files
        for around, one in walk(nginx.files[name].statements(name))
        if one.name == "server" and one.block is not None and [above.name for above in around] in (["http"], [])
    ]
    if not places:
        return None
    name, one = draw.choice(places)
    rule, said = draw.choice([*OFFENDING.items()])
    number = draw.randrange(10**6)
    server = f"server {{ listen 127.0.0.9:{1024 + number % 60_000}; server_name new-{number}.example; {said} }}\n"
    edited = with_file(nginx, name, put(nginx.files[name].content, one.start, server))
    return Edit(replace(before, nginx=edited), f"added {rule}")


# --- sysctl ---


def commented(file: SysctlFile, draw: random.Random) -> SysctlFile:
    lines = file.content.split(b"\n")
    lines.insert(draw.randrange(len(lines)), f"{draw.choice('#;')} {draw.choice(PROSE)}".encode())
    return replace(file, content=b"\n".join(lines))


def spaced(file: SysctlFile, draw: random.Random) -> SysctlFile:
    lines = file.content.split(b"\n")
    lines.insert(draw.randrange(len(lines)), draw.choice([b"", b"  ", b"\t", b"\r"]))
    return replace(file, content=b"\n".join(lines))


def reordered(file: SysctlFile, draw: random.Random) -> SysctlFile:
    """Two lines of different keys change places, and none of the same keys stands between them."""
    settings = [one for one in parse(file.content, file.path).settings if not one.wild and one.only is None]
    if len(settings) < 2:
        return commented(file, draw)
    at = draw.randrange(len(settings) - 1)
    one, other = settings[at : at + 2]
    if one.key == other.key:
        return commented(file, draw)
    lines = file.content.split(b"\n")
    lines[one.line - 1], lines[other.line - 1] = lines[other.line - 1], lines[one.line - 1]
    return replace(file, content=b"\n".join(lines))


def elsewhere(file: SysctlFile, draw: random.Random) -> SysctlFile:
    return replace(file, path=f"/etc/sysctl.d/{draw.randrange(100)}-{draw.choice('abc')}.conf")


SYSCTL_HARMLESS: tuple[Callable[[SysctlFile, random.Random], SysctlFile], ...] = (
    commented,
    spaced,
    reordered,
    elsewhere,
)


def without_key(before: Snapshot, finding: Finding) -> Edit | None:
    """Every line goes that sets the key a finding is about."""
    key, files = finding.location.key, before.sysctl_files or ()
    if key is None or not files:
        return None
    gone = {
        file.path: {one.line for one in parse(file.content, file.path).settings if one.key == key} for file in files
    }
    edited = [
        replace(file, content=b"\n".join(b"" if number in gone[file.path] else line for number, line in lines(file)))
        for file in files
    ]
    return Edit(replace(before, sysctl_files=edited), f"removed {key}") if any(gone.values()) else None


def lines(file: SysctlFile) -> Iterator[tuple[int, bytes]]:
    return enumerate(file.content.split(b"\n"), 1)


def with_dead_key(before: Snapshot, draw: random.Random) -> Edit:
    """One more line sets a key that does nothing."""
    key = draw.choice(DEAD)
    files = [replace(file, content=file.content + f"\n{key} = 1\n".encode()) for file in before.sysctl_files or ()]
    return Edit(replace(before, sysctl_files=files), f"added {key}")
