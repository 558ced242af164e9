"""What write() takes is what the kernel says: each text is written in a namespace and compared."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from advisor.catalog.sysctl import KEYS
from advisor.facts.refused import number, partly, refused

if TYPE_CHECKING:
    from support.netns import Netns

NUMBERS = ["-2147483649", "-1", "0", "1", "2", "3", "5", "8", "127", "128", "255", "256", "2303", "65535", "65536"]
LARGE = ["120001", "21474837", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775808"]
ODD = ["", "abc", "08", "0x10", "1s", '"1"', "= 1", "1,2", "1 # x", "1 ; x", "1.5", ">1"]
VECTORS = ["1024 65535", "2048 1024", "1024-65535", "1024,65535", "4096 8192 16384", "4096 8192 16384 5", "1 2 # x"]
PORTS = [
    "8080",
    "8080,9000-9010",
    "8080 9090",
    "9010-9000",
    "70000",
    "8080,",
    "8080,,9090",
    "8080;9090",
    "8080 # x",
    "8080, 9090",
]
PORTS += [",8080", "8080-", "-8080", "0-5", "65536", "0x10-0x20", "010", "8080-9000-9100"]

WRITE = """
import json, os, sys
found = []
for key, texts in json.load(sys.stdin).items():
    path = "/proc/sys/" + key.replace(".", "/")
    try:
        before = open(path).read()
        door = os.open(path, os.O_WRONLY)
    except OSError:
        continue
    for text in texts:
        try:
            os.pwrite(door, text.encode() + b"\\n", 0)
            found.append([key, text, True])
        except OSError:
            found.append([key, text, False])
        os.pwrite(door, before.encode(), 0)
    os.close(door)
print(json.dumps(found))
"""

RELATED = {"net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"}
"""Neither may cross the other, which one line alone does not show."""
TICKS = range(2**31 // 1000, 2**31 // 100)
"""Seconds that a kernel takes or refuses by its HZ."""


def texts(kind: str) -> list[str]:
    if kind == "ports":
        return [*PORTS, *ODD[1:]]
    return [*NUMBERS, *LARGE, *ODD, *(VECTORS if kind == "vector" else ["1 2", "4096 8192 16384"])]


@pytest.mark.real
def test_the_kernel_refuses_what_is_said_to_be_refused_and_nothing_else(netns: Netns) -> None:
    tried = {
        key.name: texts(key.kind)
        for key in KEYS.values()
        if key.scope == "netns" and key.kind != "string" and key.name.startswith("net.")
    }
    found = json.loads(netns.run(sys.executable, "-c", WRITE, input=json.dumps(tried)).stdout)
    assert len({key for key, _, _ in found}) > 30
    wrong = []
    for key, text, taken in found:
        said = refused(KEYS[key], text)
        value = number(text.split(maxsplit=1)[0]) if text.strip() else None
        unsure = key in RELATED or (value is not None and abs(value) in TICKS)
        if (said is not None and taken) or (said is None and not taken and not unsure):
            wrong.append((key, text, taken, said))
    assert not wrong


@pytest.mark.real
def test_a_part_is_taken_where_it_is_said_so(netns: Netns) -> None:
    for key, text, after in (
        ("net.core.somaxconn", "4095 # more", "4095"),
        ("net.ipv4.ip_local_port_range", "33000", "33000 60999"),
        ("net.ipv4.tcp_rmem", "4097 131073 6291457 5", "4097 131073 6291457"),
    ):
        assert partly(KEYS[key], text) is not None
        path = "/proc/sys/" + key.replace(".", "/")
        netns.run(sys.executable, "-c", f"import os; os.write(os.open('{path}', 1), b'{text}')")
        assert netns.run("cat", path).stdout.split() == after.split()


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("010", 8), ("0x10", 16), ("-5", -5), ("0", 0), ("08", None), ("", None), ("+5", None), ("٣", None)],
)
def test_numbers_are_read_as_the_kernel_reads_them(text: str, value: int | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["{{ somaxconn }}", "${SOMAXCONN}", "<%= backlog %>", "{% if a %}1{% endif %}"])
def test_what_a_template_will_say_is_not_known(text: str) -> None:
    assert refused(KEYS["net.core.somaxconn"], text) is None
    assert partly(KEYS["net.core.somaxconn"], text) is None


def test_a_long_value_is_quoted_in_part() -> None:
    said = refused(KEYS["net.core.somaxconn"], "x" * 10_000)
    assert said is not None
    assert len(said) < 80
