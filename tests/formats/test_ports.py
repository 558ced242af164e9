"""Sets of ports: read and written as the kernel does, joined to ranges, kept short enough to be written whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.formats.ports import LONGEST, Ports

sets = st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 40)), max_size=900).map(
    lambda found: Ports((low, min(65535, low + more)) for low, more in found)
)


@pytest.mark.parametrize(
    ("text", "written"),
    [("1,2-4,10-10", "1-4,10"), ("", ""), ("9,8,7", "7-9"), (" 80 , 443 ", "80,443"), ("0-65535,5", "0-65535")],
)
def test_neighbours_are_written_as_ranges(text: str, written: str) -> None:
    assert str(Ports.parse(text)) == written
    assert Ports.parse(written) == Ports.parse(text)


@pytest.mark.parametrize("text", ["80 443", "5-2", "70000", "-1", "1-", "http"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        Ports.parse(text)


def test_only_the_smallest_gaps_are_closed_and_no_more_than_it_takes() -> None:
    ports = Ports.parse("1000,1002,1010,1020-1030,2000")
    assert str(ports.fitting(29)) == "1000,1002,1010,1020-1030,2000"
    assert str(ports.fitting(28)) == "1000-1010,1020-1030,2000"
    assert str(ports.fitting(14)) == "1000-1030,2000"
    assert str(ports.fitting(9)) == "1000-2000"
    with pytest.raises(ValueError, match="longer than 8 bytes"):
        ports.fitting(8)


@given(sets)
def test_a_list_that_was_made_to_fit_holds_every_port_of_it(ports: Ports) -> None:
    found = ports.fitting()
    assert len(str(found)) <= LONGEST
    assert not ports - found
    assert found == ports or len(str(ports)) > LONGEST
