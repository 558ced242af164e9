"""Packets that several interfaces showed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.framed import Frame, frames
from support.packets import ether, sll, sll2, tcp

from advisor.capture import duplicates
from advisor.capture import link as links
from advisor.capture.decode import Decoder
from advisor.capture.duplicates import WITHIN
from advisor.capture.segments import SYN, Endpoints

A, B = ("10.0.0.1", 40000), ("10.0.0.2", 80)
A6, B6 = ("2001:db8::1", 40000), ("2001:db8::2", 80)
MS = 1_000_000
PACKET = tcp(A, B, seq=1, ack=2, payload=b"abc", ident=7)


def kept(some: list[Frame], size: int = 100) -> list[int]:
    """The numbers of the frames that were not dropped, decoded in chunks of some frames."""
    kinds = tuple(some[0].link for _ in range(1 + max(one.interface for one in some)))
    decoder = Decoder(Endpoints())
    chunks = [(i, some[i : i + size]) for i in range(0, len(some), size)]
    numbers = [number for i, chunk in chunks for number in decoder.decode(frames(chunk, i + 1, kinds)).frame.tolist()]
    assert decoder.skipped.duplicates == len(some) - len(numbers)
    return numbers


def any_(packet: bytes, ifindex: int, ms: float) -> Frame:
    return Frame(sll2(packet, ifindex=ifindex), links.LINUX_SLL2, 0, int(ms * MS))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_bridge_shows_a_packet_once(size: int) -> None:
    seen = [any_(PACKET, index, ms) for index, ms in ((2, 0), (5, 0.01), (6, 0.02))]
    assert kept(seen, size) == [1]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_one_interface_shows_again_is_sent_again(size: int) -> None:
    seen = [any_(PACKET, index, ms) for index, ms in ((2, 0), (5, 0.1), (2, 3), (5, 3.1), (2, 250), (5, 250.1))]
    assert kept(seen, size) == [1, 3, 5]


@pytest.mark.parametrize("size", [1, 100])
def test_what_comes_later_is_sent_again(size: int) -> None:
    assert kept([any_(PACKET, 2, 0), any_(PACKET, 3, 5)], size) == [1]
    assert kept([any_(PACKET, 2, 0), any_(PACKET, 3, 5.1)], size) == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        tcp(B, A, seq=1, ack=2, payload=b"abc", ident=7),
        tcp(A, (B[0], 81), seq=1, ack=2, payload=b"abc", ident=7),
        tcp(A, B, SYN, seq=1, ack=2, payload=b"abc", ident=7),
        tcp(A, B, seq=2, ack=2, payload=b"abc", ident=7),
        tcp(A, B, seq=1, ack=3, payload=b"abc", ident=7),
        tcp(A, B, seq=1, ack=2, payload=b"abcd", ident=7),
        tcp(A, B, seq=1, ack=2, payload=b"abc", ident=8),
        tcp(A, B, seq=1, ack=2, payload=b"abc", ident=7, window=1),
    ],
    ids=["source", "target", "flags", "seq", "ack", "length", "ident", "window"],
)
def test_whatever_differs_makes_another_packet(other: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_ODD", np.uint64(0))  # all mix to the same
    monkeypatch.setattr(duplicates, "_ODD2", np.uint64(0))
    monkeypatch.setattr(duplicates, "_ODD3", np.uint64(0))
    assert kept([any_(PACKET, 2, 0), any_(other, 3, 0)]) == [1, 2]
    assert kept([any_(PACKET, 2, 0), any_(PACKET, 3, 0)]) == [1]


def test_interfaces_of_pcapng() -> None:
    tagged, plain = ether(PACKET, vlans=(5,)), ether(PACKET)
    assert kept([Frame(plain, interface=0), Frame(tagged, interface=1), Frame(plain, interface=0)]) == [1, 3]


def test_one_interface_has_no_duplicates() -> None:
    assert kept([Frame(ether(PACKET))] * 3) == [1, 2, 3]


def test_linux_cooked_has_no_interface_but_a_direction() -> None:
    for packet in (tcp(A, B, SYN, ident=0), tcp(A6, B6, SYN)):
        cooked = [Frame(sll(packet, direction=way), links.LINUX_SLL) for way in (0, 4, 0, 0)]
        assert kept(cooked) == [1, 3, 4]


@pytest.mark.parametrize("size", [1, 100])
def test_linux_cooked_tells_packets_apart_by_their_identification(size: int) -> None:
    cooked = [Frame(sll(tcp(A, B, ident=ident)), links.LINUX_SLL) for ident in (7, 7, 8, 7, 8)]
    assert kept(cooked, size) == [1, 3]


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "_KEPT", 3)
    decoder = Decoder(Endpoints())
    decoder.decode(frames([any_(tcp(A, B, seq=i), 2, 0) for i in range(10)]))
    assert len(decoder._duplicates._before.time) == 3


def reference(seen: list[tuple[int, int, int]]) -> list[int]:
    """In plain words: equal to the last one kept, from elsewhere, and soon after it."""
    last: dict[int, tuple[int, int]] = {}
    numbers = []
    for number, (what, via, time) in enumerate(seen, 1):
        if what in last and last[what][0] != via and time - last[what][1] <= WITHIN:
            continue
        last[what] = via, time
        numbers.append(number)
    return numbers


STEPS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, MS, 2 * MS, WITHIN, WITHIN + 1]))


@settings(max_examples=200)
@given(st.lists(STEPS, min_size=1, max_size=40), st.integers(1, 41))
def test_the_same_is_found_in_chunks_of_any_size(steps: list[tuple[int, int, int]], size: int) -> None:
    time, seen = 0, []
    for what, via, pause in steps:
        time += pause
        seen.append((what, via, time))
    some = [Frame(ether(tcp(A, B, seq=what)), interface=via, time=when) for what, via, when in seen]
    some.append(Frame(ether(PACKET), interface=3, time=time + 9 * WITHIN))
    assert kept(some, size) == [*reference(seen), len(some)]
