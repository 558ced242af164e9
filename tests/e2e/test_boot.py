"""Who wins at boot: what we say of files, against what the two real readers make of them in a fresh namespace.

The table is the test: after each reader, every key holds what the model says for that reader.
"""

from __future__ import annotations

import pathlib
from functools import cache
from typing import NamedTuple

import pytest
from conftest import require
from support import boot_readers
from support.snapshots import snapshot_with

from advisor.catalog.sysctl import KEYS
from advisor.collect.sysctl import read_sysctl_files
from advisor.engine.judge import judge
from advisor.engine.pack import load_rule
from advisor.facts.boot import Boot
from advisor.facts.boot_value import plain, start
from advisor.facts.derive import Facts
from advisor.formats.sysctl import PROCPS, SYSTEMD, Reader
from advisor.snapshot.model import Host, Sysctls
from advisor.system import System

pytestmark = pytest.mark.real("sysctl")

RULES = pathlib.Path(__file__).parents[2] / "rules/boot"

S = "net.core.somaxconn"
RANGE = "net.ipv4.ip_local_port_range"
FIRST = "net.ipv4.ip_unprivileged_port_start"
PORTS = "net.ipv4.ip_local_reserved_ports"
RMEM = "net.ipv4.tcp_rmem"
FIN = "net.ipv4.tcp_fin_timeout"
REUSE = "net.ipv4.tcp_tw_reuse"
CC = "net.ipv4.tcp_congestion_control"

ETC, RUN, LOCAL, USR, CONF = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/etc/sysctl.conf",
)
A, B, C = f"{ETC}/10-a.conf", f"{ETC}/20-b.conf", f"{ETC}/30-c.conf"
LINK = f"{ETC}/99-sysctl.conf"


class Scenario(NamedTuple):
    """What stands where, and what is expected of the keys where the two readers are known to part."""

    files: dict[str, str]
    keys: tuple[str, ...] = (S,)
    part: bool = False


SCENARIOS = {
    "nothing at all": Scenario({}, (S, RANGE, FIRST, PORTS, RMEM, FIN, REUSE, CC)),
    "one file": Scenario({A: f"{S} = 100\n"}),
    "the later name wins": Scenario({A: f"{S}=100\n", B: f"{S}=200\n"}),
    "the later name wins across folders": Scenario(
        {f"{ETC}/55-c.conf": f"{S}=100\n", f"{LOCAL}/60-b.conf": f"{S}=60\n"}
    ),
    "the order is that of bytes": Scenario({f"{ETC}/9.conf": f"{S}=9\n", f"{ETC}/10.conf": f"{S}=10\n"}),
    "capitals come first": Scenario({f"{ETC}/a.conf": f"{S}=10\n", f"{ETC}/Z.conf": f"{S}=9\n"}),
    "/etc masks /run": Scenario({A: f"{S}=100\n", f"{RUN}/10-a.conf": f"{S}=200\n{FIN}=20\n"}, (S, FIN)),
    "/run masks /usr/local/lib": Scenario({f"{RUN}/a.conf": f"{S}=100\n", f"{LOCAL}/a.conf": f"{S}=200\n"}),
    "/usr/local/lib masks /usr/lib": Scenario({f"{LOCAL}/a.conf": f"{S}=100\n", f"{USR}/a.conf": f"{S}=200\n"}),
    "an empty file masks": Scenario({A: "", f"{USR}/10-a.conf": f"{S}=200\n"}),
    "a link to /dev/null masks": Scenario({A: "-> /dev/null", f"{USR}/10-a.conf": f"{S}=200\n"}),
    "a link to nowhere masks": Scenario({A: "-> nowhere", f"{USR}/10-a.conf": f"{S}=200\n"}),
    "a link to another file": Scenario({A: f"{S}=100\n", B: f"{S}=200\n", C: "-> 10-a.conf"}),
    "/etc/sysctl.conf alone": Scenario({CONF: f"{S}=100\n"}, part=True),
    "/etc/sysctl.conf by its link": Scenario({CONF: f"{S}=100\n", LINK: "-> ../sysctl.conf"}),
    "/etc/sysctl.conf by an absolute link": Scenario({CONF: f"{S}=100\n", LINK: "-> /etc/sysctl.conf"}),
    "a name after the link": Scenario(
        {CONF: f"{S}=11\n", LINK: "-> ../sysctl.conf", f"{ETC}/99-zz.conf": f"{S}=99\n"}, part=True
    ),
    "/etc/sysctl.conf against a file": Scenario({CONF: f"{S}=11\n", A: f"{S}=99\n"}, part=True),
    "a name that does not end in .conf": Scenario({f"{ETC}/a.conf.bak": f"{S}=1\n", f"{ETC}/b": f"{S}=2\n"}),
    "a name in capitals": Scenario({f"{ETC}/A.CONF": f"{S}=100\n"}),
    "a hidden name": Scenario({f"{ETC}/.a.conf": f"{S}=100\n"}, part=True),
    "twice in one file": Scenario({A: f"{S}=100\n{S}=200\n"}),
    "the last is refused": Scenario({A: f"{S}=100\n", B: f"{S}=many\n"}, part=True),
    "the first is refused": Scenario({A: f"{S}=many\n", B: f"{S}=100\n"}),
    "quotes": Scenario({A: f"{S}=\"100\"\n{FIN}='20'\n"}, (S, FIN)),
    "text after a number": Scenario({A: f"{S}=100 # more\n{FIN} = 20 s\n{REUSE}=1 ; yes\n"}, (S, FIN, REUSE)),
    "text at a number": Scenario({A: f"{S}=100#more\n{FIN}=20s\n{REUSE}=1;\n"}, (S, FIN, REUSE)),
    "text after a name": Scenario({A: f"{CC} = reno # slower\n"}, (CC,)),
    "a name": Scenario({A: f"{CC} = reno\n"}, (CC,)),
    "a vector written short": Scenario({A: f"{RMEM}=8192\n"}, (RMEM,)),
    "a vector written short after a whole one": Scenario(
        {A: f"{RMEM}=4096 5000 6000\n", B: f"{RMEM}=8192\n"}, (RMEM,), part=True
    ),
    "a vector with text after it": Scenario({A: f"{RMEM}=4096 5000 6000 # large\n"}, (RMEM,)),
    "one end of the port range": Scenario({A: f"{RANGE}=40000\n"}, (RANGE,)),
    "a port range upside down": Scenario({A: f"{RANGE}=50000 40000\n"}, (RANGE,)),
    "a port range below the first free port": Scenario({A: f"{RANGE}=500 60000\n"}, (RANGE,)),
    "the first free port comes later": Scenario({A: f"{RANGE}=500 60001\n{FIRST}=400\n"}, (RANGE, FIRST)),
    "the first free port comes before": Scenario({A: f"{FIRST}=400\n{RANGE}=500 60001\n"}, (RANGE, FIRST)),
    "a list of ports": Scenario({A: f"{PORTS}=8080,9000-9010,8081\n"}, (PORTS,)),
    "a list of ports replaced": Scenario({A: f"{PORTS}=8080\n", B: f"{PORTS}=9000\n"}, (PORTS,)),
    "a list of ports cleared": Scenario({A: f"{PORTS}=8080\n", B: f"{PORTS} =\n"}, (PORTS,)),
    "a list of ports with a comment": Scenario({A: f"{PORTS}=8080 # app\n"}, (PORTS,)),
    "no value": Scenario({A: f"{S}=100\n", B: f"{S} =\n"}, part=True),
    "no equals sign": Scenario({A: f"{S} 100\n{FIN}=20\n"}, (S, FIN)),
    "two equals signs": Scenario({A: f"{S} = = 100\n{FIN}=20=30\n"}, (S, FIN)),
    "comments": Scenario({A: f"# {S}=1\n ; {S}=2\n\t#{S}=3\n\n"}),
    "blanks": Scenario({A: f"  {S}\t =\t100  \n"}),
    "CRLF": Scenario({A: f"{S}=100\r\n{FIN}=20\r\n"}, (S, FIN)),
    "no newline at the end": Scenario({A: f"{FIN}=20\n{S}=100"}, (S, FIN)),
    "a carriage return inside": Scenario({A: f"{S}=100\r{S}=200\n"}, part=True),
    "a NUL inside": Scenario({A: f"{S}=100\0{S}=200\n"}, part=True),
    "a byte order mark": Scenario({A: f"\xef\xbb\xbf{S}=100\n{FIN}=20\n"}, (S, FIN)),
    "bytes that are not UTF-8": Scenario({A: f"{S}=100 # caf\xe9\n"}),
    "hexadecimal, octal and signs": Scenario({A: f"{S}=0x64\n{FIN}=024\n{REUSE}=+1\n"}, (S, FIN, REUSE)),
    "slashes": Scenario({A: "net/core/somaxconn=100\n"}),
    "slashes against dots": Scenario({A: f"net/core/somaxconn=100\n{S}=200\n"}),
    "a slash at the beginning": Scenario({A: "/net/core/somaxconn=100\n"}),
    "both separators": Scenario({A: "net/core.somaxconn=100\nnet.ipv4/tcp_fin_timeout=20\n"}, (S, FIN)),
    "doubled separators": Scenario({A: "net//core/somaxconn=100\nnet..ipv4.tcp_fin_timeout=20\n"}, (S, FIN)),
    "a key in capitals": Scenario({A: "net.core.SOMAXCONN=100\n"}),
    "unknown keys": Scenario({A: f"net.ipv4.tcp_tw_recycle=1\nnet.nothing=1\n{S}=100\n"}),
    "failures ignored": Scenario({A: f"-net.nothing=1\n-{S}=100\n-{FIN}=many\n"}, (S, FIN)),
    "a blank after the minus": Scenario({A: f"- {S}=100\n"}, part=True),
    "a read-only key": Scenario({A: f"net.ipv4.tcp_ehash_entries=5\n{S}=100\n"}),
    "a glob": Scenario({A: "net.core.som*=100\n"}),
    "a glob with slashes": Scenario({A: "net/core/somax????=100\n"}),
    "a glob with a class": Scenario({A: "net.core.somaxcon[l-o]=100\n"}),
    "a glob that names nothing": Scenario({A: f"net.ipv4.tcp_nothing*=1\n{S}=100\n"}),
    "an explicit key beats a later glob": Scenario({A: f"{S}=100\n", B: "net.core.som*=200\n"}),
    "an explicit key beats an earlier glob": Scenario({A: "net.core.som*=200\n", B: f"{S}=100\n"}),
    "an explicit value that is refused beats a glob": Scenario({A: f"{S}=many\n", B: "net.core.som*=200\n"}),
    "the later glob wins": Scenario({A: "net.core.somax*=200\n", B: "net.core.som*=100\n"}),
    "the same glob again": Scenario(
        {A: "net.core.somax*=200\n", B: "net.core.som*=100\n", C: "net.core.somax*=200\n"}, part=True
    ),
    "a glob again with another value": Scenario(
        {A: "net.core.somax*=200\n", B: "net.core.som*=100\n", C: "net.core.somax*=300\n"}
    ),
    "a key left out of a glob": Scenario({A: f"-{S}\n", B: "net.core.som*=100\n"}),
    "a key left out of an earlier glob": Scenario({A: "net.core.som*=100\n", B: f"-{S}\n"}),
    "a key left out after it was set": Scenario({A: f"{S}=100\n", B: f"-{S}\n"}, part=True),
    "a key set after it was left out": Scenario({A: f"-{S}\n", B: f"{S}=100\n"}),
    "a glob left out of a glob": Scenario({A: "-net.core.somax*\n", B: "net.core.som*=100\n"}),
}


@cache
def answers() -> dict[str, dict[str, dict[str, str]]]:
    """What the real readers leave, by scenario and reader."""
    asked = [{"files": one.files, "keys": [*one.keys]} for one in SCENARIOS.values()]
    return dict(zip(SCENARIOS, boot_readers.ask(asked), strict=True))


def boot_of(tree: pathlib.Path, files: dict[str, str]) -> Boot:
    """Our reading of the same files, collected from a tree."""
    for name, text in files.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
        else:
            path.write_bytes(text.encode("latin-1"))
    found, _ = read_sysctl_files(System(str(tree)))
    return Boot(snapshot_with(sysctl_files=found))


@pytest.mark.parametrize("reader", [SYSTEMD, PROCPS])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_key_holds_what_we_say(name: str, reader: Reader, tmp_path: pathlib.Path) -> None:
    require(pathlib.Path(boot_readers.COMMANDS[SYSTEMD][0]).exists(), "needs systemd-sysctl")
    scenario = SCENARIOS[name]
    outcomes = boot_of(tmp_path, scenario.files).outcomes(reader)
    for key in scenario.keys:
        said = outcomes[key].words if key in outcomes else start(key)
        real = plain(key, answers()[name][reader][key])
        own = plain(key, answers()["nothing at all"][reader][key])
        # What we do not know is what nobody wrote: the kernel's own.
        assert tuple(one if word is None else word for word, one in zip(said, own, strict=True)) == real


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_readers_part_where_the_table_says(name: str) -> None:
    require(pathlib.Path(boot_readers.COMMANDS[SYSTEMD][0]).exists(), "needs systemd-sysctl")
    found = answers()[name]
    assert (found[SYSTEMD] != found[PROCPS]) == SCENARIOS[name].part


STOCK = {
    "/etc/sysctl.conf": "#\n# See sysctl.conf (5)\n\n#kernel.domainname = example.com\n#net.ipv4.tcp_syncookies=1\n",
    LINK: "-> ../sysctl.conf",
    f"{ETC}/README.sysctl": "Kernel settings: see sysctl.d.\n",
    f"{USR}/50-pid-max.conf": "# 2^22\nkernel.pid_max = 4194304\n",
    f"{USR}/99-protect-links.conf": "fs.protected_fifos = 1\nfs.protected_hardlinks = 1\n",
    f"{USR}/50-default.conf": "-net.core.default_qdisc = fq_codel\nnet.ipv4.conf.*.rp_filter = 2\n"
    "-net.ipv4.conf.all.rp_filter\n",
}
"""What Debian and systemd ship: the lines that count, in words of our own elsewhere."""


def test_rules_say_nothing_of_what_a_distribution_ships(tmp_path: pathlib.Path) -> None:
    boot_of(tmp_path, STOCK)
    found, problems = read_sysctl_files(System(str(tmp_path)))
    live = Sysctls(values={"net.core.default_qdisc": "fq_codel"})
    snapshot = snapshot_with(sysctl_files=found, sysctls=live, host=Host(name="web-7", kernel="6.12.0"))
    rules = [load_rule(path.read_bytes(), path.name, Facts) for path in RULES.glob("*.yaml")]
    assert {(one.rule, one.state) for one in judge(rules, Facts(snapshot)) if one.finding or one.missing} == set()
    assert len(rules) > 0
    assert problems == []


def test_every_scenario_has_keys_that_are_known() -> None:
    assert {key for one in SCENARIOS.values() for key in one.keys} <= KEYS.keys()
