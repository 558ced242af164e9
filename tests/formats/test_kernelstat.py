"""What the kernel counts outside of TCP, inline."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats import kernelstat

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = b"007697cd 0000131c 00000008 0 0 0 0 0 0 00000000 00000007 00000000 00000000\n"
NEW = OLD.rstrip() + b" 00000000 00000000\n"
CONNTRACK = (
    b"entries  clashres found new insert_failed drop early_drop\n"
    b"00000010  00000000 00000000 00000001 00000002 00000003 00000004\n"
    b"00000010  00000000 00000000 00000001 00000002 00000003 ffffffff\n"
)
CPU = b"some avg10=0.19 avg60=0.91 avg300=0.66 total=2549648069\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"


@pytest.mark.parametrize("row", [OLD, NEW], ids=["13 columns", "15 columns"])
def test_softnet_rows_are_added_up(row: bytes) -> None:
    assert kernelstat.softnet(row * 512) == {
        "processed": 512 * 0x7697CD,
        "dropped": 512 * 0x131C,
        "time_squeeze": 512 * 8,
        "flow_limit": 512 * 7,
    }


def test_rows_of_cpus_are_added_up_but_for_what_counts_the_whole() -> None:
    found = kernelstat.per_cpu(CONNTRACK, ("entries",))
    assert (found["entries"], found["drop"], found["early_drop"]) == (16, 6, 4 + 0xFFFFFFFF)
    assert kernelstat.per_cpu(b"entries drop\n") == {}


def test_pressure_in_microseconds() -> None:
    assert kernelstat.pressure(CPU) == {"some": 2549648069, "full": 7}


def test_single_numbers() -> None:
    assert kernelstat.open_files(b"349\t0\t2466177\n") == 349
    assert kernelstat.pairs(b"nr_periods 12\nnr_throttled 3\n") == {"nr_periods": 12, "nr_throttled": 3}
    assert kernelstat.number(b"17\n") == {"is": 17}
    assert kernelstat.uptime(b"22445.38 24030.56\n") == 22445.38
    assert kernelstat.devices(b"Inter-| x\n face | y\n    lo: 1 2\nenp3s0.7: 3\n") == {"lo", "enp3s0.7"}


def test_a_kernel_that_keeps_no_times_says_zero() -> None:
    assert kernelstat.schedstat(b"123270474 31783831 784\n") == (123270474, 31783831)
    assert kernelstat.schedstat(b"0 0 0\n") is None


@pytest.mark.parametrize(
    ("parse", "data", "message"),
    [
        (kernelstat.softnet, OLD + b"1 2 3\n", "line 2: 3 columns, and at least 11 are known"),
        (kernelstat.softnet, OLD.replace(b"131c", b"131x"), "line 1: '0000131x' is no hexadecimal number"),
        (kernelstat.per_cpu, b"a b\n1 2\n1\n", "line 3: 1 numbers under 2 names"),
        (kernelstat.pressure, CPU + b"some\n", "line 3: no pressure"),
        (kernelstat.open_files, b"349\n", "line 1: 1 numbers, and 3 are meant"),
        (kernelstat.pairs, b"a 1\nb\n", "line 2: no name and number"),
        (kernelstat.pairs, b"a x\n", "line 1: 'x' is no number"),
        (kernelstat.schedstat, b"1 2\n", "line 1: 2 numbers, and 3 are meant"),
        (kernelstat.uptime, b"soon\n", "line 1: no uptime"),
        (kernelstat.devices, b"a\nb\nc\n", "line 3: 'c' names no device"),
    ],
)
def test_what_breaks_the_form_is_named(parse: Callable[[bytes], object], data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse(data)


@pytest.mark.parametrize(
    "parse",
    [
        kernelstat.softnet,
        kernelstat.per_cpu,
        kernelstat.pressure,
        kernelstat.open_files,
        kernelstat.pairs,
        kernelstat.schedstat,
        kernelstat.uptime,
        kernelstat.devices,
        kernelstat.number,
    ],
)
@given(data=st.binary(max_size=300))
def test_garbage_gets_no_other_error(parse: Callable[[bytes], object], data: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse(data)
