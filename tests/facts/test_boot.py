"""Which file has the last word at boot, and what each line sets."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.snapshots import snapshot_with

from advisor.errors import Unread
from advisor.facts.boot import Assignment, Boot
from advisor.facts.boot_readers import target
from advisor.facts.derive import Facts
from advisor.formats.sysctl import PROCPS, SYSTEMD
from advisor.snapshot.model import SysctlFile, Sysctls

KEY = "net.core.somaxconn"
A, B = "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-b.conf"


def facts(files: dict[str, str]) -> Facts:
    return Facts(
        snapshot_with(sysctl_files=[SysctlFile(path=path, content=text.encode()) for path, text in files.items()])
    )


def lines(files: dict[str, str]) -> list[Assignment]:
    return facts(files).boot.assignments


def test_every_line_is_an_item_and_repeated_keys_are_numbered() -> None:
    found = lines({A: f"{KEY}=1\n# no\n{KEY} = 2\n", B: f"{KEY}=3"})
    assert [(one.id, one.value, one.location.line) for one in found] == [
        (f"{KEY} in {A}", "1", 1),
        (f"{KEY} in {A} #2", "2", 3),
        (f"{KEY} in {B}", "3", 1),
    ]
    assert (found[1].location.file, found[1].location.column, found[1].location.excerpt) == (A, 22, f"{KEY} = 2")


def test_the_link_to_sysctl_conf_is_that_file() -> None:
    same = {"/etc/sysctl.d/99-sysctl.conf": f"{KEY}=1", "/etc/sysctl.conf": f"{KEY}=1"}
    assert [one.file.path for one in lines(same)] == ["/etc/sysctl.conf"]
    other = {**same, "/etc/sysctl.d/99-sysctl.conf": f"{KEY}=2"}
    assert len(lines(other)) == 2


def test_files_that_were_not_read_are_unread() -> None:
    with pytest.raises(Unread, match="sysctl_files was left out"):
        assert Facts(snapshot_with()).boot.assignments


def boot_of(*files: SysctlFile | tuple[str, str], **sources: Any) -> Boot:
    read = [
        file if isinstance(file, SysctlFile) else SysctlFile(path=file[0], content=file[1].encode()) for file in files
    ]
    return Facts(snapshot_with(sysctl_files=read, **sources)).boot


def test_a_file_that_nobody_reads_sets_nothing() -> None:
    found = boot_of(
        (A, ""), ("/usr/lib/sysctl.d/10-a.conf", f"{KEY}=1"), ("/etc/sysctl.d/b", f"{KEY}=2"), ("/x", f"{KEY}=3")
    )
    assert found.assignments == []
    assert found.keys == []


def test_given_files_are_no_files_of_boot() -> None:
    found = boot_of(SysctlFile(path=A, content=f"{KEY}=1".encode(), given=True))
    assert [one.value for one in found.assignments] == ["1"]
    assert found.keys == []


def test_tuned_quotes_and_raises() -> None:
    found = boot_of(SysctlFile(path="/t", content=f'{KEY}=">2048"\n'.encode(), writer="TuneD"))
    assert [one.value for one in found.assignments] == ["2048"]


def test_a_file_that_could_not_be_read_makes_what_is_read_after_boot_unknown() -> None:
    hidden = SysctlFile(path=B, content=b"", unread="Permission denied")
    with pytest.raises(Unread, match=f"{B} can't be read: Permission denied"):
        boot_of((A, f"{KEY}=1"), hidden).outcomes(SYSTEMD)
    masked = SysctlFile(path="/usr/lib/sysctl.d/10-a.conf", content=b"", unread="Permission denied")
    assert boot_of((A, f"{KEY}=1"), masked).outcomes(SYSTEMD)[KEY].text == "1"


def test_the_winner_and_those_without_a_say() -> None:
    text = f"{KEY}=1\n{KEY}=many\n"
    one = boot_of((A, text), (B, f"net.core.som*=5\n{KEY} = 2 # no\n"), ("/etc/sysctl.conf", f"{KEY}=3")).key(KEY)
    assert one.boot is not None
    assert one.hand is not None
    assert (one.booted, one.booted_at) == ("2", f"{B}:2")
    assert [line.place for line in one.boot.shadowed] == [f"{A}:1", f"{A}:2"]
    assert (one.reloaded, one.reloaded_at) == ("3", "/etc/sysctl.conf:1")
    assert [line.place for line in one.hand.shadowed] == [f"{A}:1", f"{B}:2"]
    assert [(write.line.place, write.why) for write in one.hand.refused] == [(f"{A}:2", "'many' is no number")]
    assert one.overruled == f"{A}:1 (1), {A}:2 (many)"


def test_a_glob_names_the_keys_that_are_there() -> None:
    sysctls = Sysctls(values={"net.ipv4.tcp_sack": "1", "net.ipv4.tcp_keepalive_time": "7200"})
    files = ((A, "net.ipv4.*=5\n"), (B, "net.ipv4.tcp_s*=0\n"))
    assert {key: one.text for key, one in boot_of(*files, sysctls=sysctls).outcomes(SYSTEMD).items()} == {
        "net.ipv4.tcp_sack": "0",
        "net.ipv4.tcp_keepalive_time": "5",
    }
    assert "net.ipv4.tcp_synack_retries" in boot_of(*files).outcomes(SYSTEMD)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("net.*.*=1\n" * 200 + f"{KEY}=1\n" * 20000, "more than 20000 writes"),
        ("".join(f"net.core.x{number}*=1\n" for number in range(1001)), "more than 1000 globs"),
    ],
)
def test_the_work_is_bounded(text: str, why: str) -> None:
    with pytest.raises(Unread, match=why):
        boot_of((A, text)).outcomes(PROCPS)


def writer(name: str, text: str = "", path: str = "/x") -> SysctlFile:
    return SysctlFile(path=path, content=text.encode(), writer=name)


@pytest.mark.parametrize(
    ("files", "said", "overwritten"),
    [
        ([writer("ufw", f"{KEY}=5\n")], "ufw (/x:1)", "ufw sets 5 (/x:1)"),
        ([writer("ufw", f"\n{KEY}=1\n")], "ufw (/x:2)", None),
        ([writer("ufw", f"{KEY}=5\n{KEY}=1\n")], "ufw (/x:2)", None),
        ([writer("TuneD", f"{KEY}=5\n")], "TuneD (/x:1)", None),
        ([writer("TuneD with reapply_sysctl = 0", f"{KEY}=>5\n")], "TuneD with reapply_sysctl = 0 (/x:1)", None),
        ([writer("TuneD with reapply_sysctl = 0", f"{KEY}=${{a}}\n")], "TuneD with reapply_sysctl = 0 (/x:1)", None),
        ([writer("kube-proxy"), writer("Docker"), writer("systemd-sysctl")], None, None),
    ],
)
def test_who_sets_it_later(files: list[SysctlFile], said: str | None, overwritten: str | None) -> None:
    one = boot_of((A, f"{KEY}=1\n"), *files).key(KEY)
    assert (one.writer, one.overwritten) == (said, overwritten)


def test_a_program_whose_value_depends_on_the_machine() -> None:
    one = boot_of(writer("kube-proxy", path="/var/lib/kube-proxy/config.conf")).key("net.netfilter.nf_conntrack_max")
    assert one.writer == "kube-proxy (/var/lib/kube-proxy/config.conf)"
    assert [third.value for third in one.thirds] == [None]


@pytest.mark.parametrize(
    ("path", "link", "real"),
    [
        (A, "../sysctl.conf", "/etc/sysctl.conf"),
        (A, "/etc/sysctl.conf", "/etc/sysctl.conf"),
        (A, "x", "/etc/sysctl.d/x"),
        (A, "../../../../../x", "/x"),
        (A, ".//./x", "/etc/sysctl.d/x"),
        (A, None, None),
    ],
)
def test_where_a_link_leads(path: str, link: str | None, real: str | None) -> None:
    assert target(SysctlFile(path=path, content=b"", link=link)) == real


def test_a_link_and_its_file_are_read_twice_and_listed_once() -> None:
    link = SysctlFile(path=B, content=f"{KEY}=1".encode(), link="10-a.conf")
    found = boot_of((A, f"{KEY}=1"), link)
    assert [one.file.path for one in found.assignments] == [A]
    assert found.key(KEY).booted_at == f"{A}:1"


def test_many_globs_take_their_time_in_proportion() -> None:
    def seconds(lines: int) -> float:
        text = "".join(f"net.ipv4.tcp_*{number}*=1\n" for number in range(lines))
        found = boot_of((A, text))
        begun = time.process_time()
        found.outcomes(SYSTEMD)
        return time.process_time() - begun

    seconds(100)
    assert seconds(900) < 12 * max(seconds(225), 0.01)
