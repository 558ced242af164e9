"""Frames to segments: one by one, and as columns held to that."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import packets
from support.framed import Frame, frames
from support.packets import ether, ip, ip6, null, sll, sll2, tcp

from advisor.capture import link as links
from advisor.capture.decode import Decoder
from advisor.capture.internet import Found, segment
from advisor.capture.link import Left
from advisor.capture.segments import ACK, SYN, Endpoints, Segments

A, B = ("10.0.0.1", 40000), ("10.0.0.2", 80)
A6, B6 = ("2001:db8::1", 40000), ("2001:db8::2", 80)
MS = 1_000_000


def decoded(*some: Frame) -> tuple[Segments, Decoder, Endpoints]:
    endpoints = Endpoints()
    decoder = Decoder(endpoints)
    return decoder.decode(frames(list(some))), decoder, endpoints


def rows(segments: Segments, endpoints: Endpoints) -> list[tuple[object, ...]]:
    """Each with its addresses and ports, which do not depend on the order of numbering."""

    def end(number: int) -> tuple[bytes, int]:
        return endpoints.address(number), number & 0xFFFF

    listed = zip(*(column.tolist() for column in segments), strict=True)
    return [(frame, time, end(source), end(target), *rest) for frame, time, source, target, *rest in listed]


def one(data: bytes, link: int = links.EN10MB, original: int | None = None) -> Found | Left:
    """What the reference makes of a frame, after both ways were seen to agree."""
    frame = Frame(data, link, original=original)
    found = segment(link, data, len(data) if original is None else original)
    segments, decoder, endpoints = decoded(frame)
    assert rows(segments, endpoints) == expected([frame])
    assert sum(decoder.skipped.reasons.values()) == isinstance(found, Left)
    return found


def plain(address: bytes) -> bytes:
    """An IPv4-mapped address as IPv4, as endpoints have it."""
    endpoints = Endpoints()
    return endpoints.address(endpoints.number(address))


def expected(some: list[Frame]) -> list[tuple[object, ...]]:
    """The rows by the reference."""
    listed = []
    for i, frame in enumerate(some, 1):
        found = segment(frame.link, frame.data, len(frame.data) if frame.original is None else frame.original)
        if isinstance(found, Found):
            ends = (plain(found.source), found.sport), (plain(found.target), found.dport)
            listed.append((i, frame.time, *ends, *found[4:9]))
    return listed


SEGMENT = tcp(A, B, SYN, seq=7, ack=9, window=1234, payload=b"abc")
SEGMENT6 = tcp(A6, B6, SYN, seq=7, ack=9, window=1234, payload=b"abc")
FOUND = Found(b"\x0a\0\0\1", b"\x0a\0\0\2", 40000, 80, 7, 9, SYN, 1234, 3, 0)
SIXES = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")
FOUND6 = Found(*SIXES, *FOUND[2:])
FRAMES: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "Ethernet": (links.EN10MB, ether),
    "one VLAN tag": (links.EN10MB, lambda packet: ether(packet, vlans=(5,))),
    "two VLAN tags": (links.EN10MB, lambda packet: ether(packet, vlans=(5, 6), tags=(0x88A8, 0x8100))),
    "three VLAN tags": (links.EN10MB, lambda packet: ether(packet, vlans=(5, 6, 7), tags=(0x9100, 0x8100, 0x8100))),
    "LLC and SNAP": (
        links.EN10MB,
        lambda packet: bytes(12) + struct.pack("!H", len(packet) + 8) + b"\xaa\xaa\3\0\0\0" + kind(packet) + packet,
    ),
    "PPPoE": (
        links.EN10MB,
        lambda packet: ether(b"\x11\0\0\1" + struct.pack("!H", len(packet) + 2) + ppp(packet) + packet, kind=0x8864),
    ),
    "two MPLS labels": (links.EN10MB, lambda packet: ether(bytes(4) + b"\0\0\1\x40" + packet, kind=0x8847)),
    "PPP": (9, lambda packet: ppp(packet) + packet),
    "PPP in HDLC framing": (9, lambda packet: b"\xff\3" + ppp(packet) + packet),
    "NULL": (links.NULL, null),
    "NULL of the other byte order": (links.NULL, lambda packet: null(packet, order=">")),
    "LOOP": (links.LOOP, lambda packet: null(packet, order=">")),
    "RAW": (links.RAW, bytes),
    "RAW 12": (12, bytes),
    "RAW 14": (14, bytes),
    "Linux cooked": (links.LINUX_SLL, sll),
    "Linux cooked 2": (links.LINUX_SLL2, sll2),
    "Linux cooked 2 with a VLAN tag": (
        links.LINUX_SLL2,
        lambda packet: sll2(b"\0\5" + kind(packet) + packet, kind=0x8100),
    ),
}


def kind(packet: bytes) -> bytes:
    return b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0"


def ppp(packet: bytes) -> bytes:
    return b"\0\x57" if packet[0] >> 4 == 6 else b"\0\x21"


@pytest.mark.parametrize(("link", "build"), FRAMES.values(), ids=FRAMES)
def test_a_segment_is_found_behind_every_link_header(link: int, build: Callable[[bytes], bytes]) -> None:
    assert one(build(SEGMENT), link) == FOUND
    assert one(build(SEGMENT6), link) == FOUND6


def test_links_of_one_family() -> None:
    assert one(SEGMENT, links.IPV4) == FOUND
    assert one(SEGMENT6, links.IPV6) == FOUND6


@pytest.mark.parametrize("family", [24, 28, 30, 10])
def test_every_system_s_number_of_the_family_of_ipv6(family: int) -> None:
    assert one(null(SEGMENT6, family=family), links.NULL) == FOUND6


def test_the_length_is_the_packet_s_not_the_frame_s() -> None:
    assert one(ether(tcp(A, B, ACK))).length == 0  # the frame is padded to 60 bytes
    assert one(ether(tcp(A, B, ACK, payload=bytes(500)))[:66], original=554).length == 500
    assert one(ether(tcp(A, B, ACK, payload=bytes(500)))[:66], original=66).length == 500  # who cut it said nothing


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_a_length_of_0_means_all_of_the_frame(size: int) -> None:
    payload = bytes(size)
    inner = packets.segment(1, 2, payload=payload)
    for packet in (ip("1.1.1.1", "2.2.2.2", inner, length=0), ip6("::1", "::2", inner, length=0)):
        whole = bytes(12) + kind(packet) + packet
        assert one(whole[:96], original=len(whole)).length == size
        assert one(packet[:96], links.RAW, original=len(packet)).length == size
    jumbo = bytes([6, 0, 0xC2, 4]) + struct.pack("!I", len(inner) + 8) + inner
    whole = ip6("::1", "::2", jumbo, following=0, length=0)
    assert one(whole[:96], links.IPV6, original=len(whole)).length == size


def test_options_of_ip_and_of_tcp_are_no_payload() -> None:
    inner = packets.segment(1, 2, options=b"\1" * 12, payload=b"abcde")
    for words in range(11):
        assert one(ether(ip("1.1.1.1", "2.2.2.2", inner, options=b"\1" * 4 * words))).length == 5


def extension(following: int, words: int = 0) -> bytes:
    return bytes([following, words]) + bytes(6 + 8 * words)


CHAINS = {
    "hop by hop": (0, extension(6)),
    "routing, 24 bytes": (43, extension(6, 2)),
    "hop by hop, destination, mobility": (0, extension(60) + extension(135) + extension(6)),
    "authentication, 24 bytes": (51, bytes([6, 4]) + bytes(22)),
    "first fragment": (44, b"\6\0\0\1" + bytes(4)),
}


@pytest.mark.parametrize(("following", "chain"), CHAINS.values(), ids=CHAINS)
def test_extension_headers_are_passed(following: int, chain: bytes) -> None:
    inner = packets.segment(40000, 80, SYN, seq=7, ack=9, window=1234, payload=b"abc")
    assert one(ether(ip6(A6[0], B6[0], chain + inner, following=following))) == FOUND6
    assert one(ether(ip6(A6[0], B6[0], chain[:4], following=following, length=400))[:58]) is Left.CUT


def test_a_chain_of_extension_headers_has_an_end() -> None:
    chain = extension(60) * 400 + extension(6) + packets.segment(1, 2)
    assert one(ether(ip6("::1", "::2", chain, following=60))) is Left.MALFORMED


def test_a_first_fragment_counts_with_what_it_carries() -> None:
    inner = packets.segment(1, 2, SYN, options=b"\1" * 20, payload=b"x" * 100)
    assert one(ether(ip("1.1.1.1", "2.2.2.2", inner[:64], more=True))).length == 24
    assert one(ether(ip("1.1.1.1", "2.2.2.2", inner[:24], more=True))).length == 0  # not all of the options
    assert one(ether(ip("1.1.1.1", "2.2.2.2", inner[:16], more=True))) is Left.MALFORMED
    assert one(ether(ip("1.1.1.1", "2.2.2.2", inner[64:], fragment=8))) is Left.FRAGMENT
    assert one(ether(ip6("::1", "::2", b"\6\0\0\x40" + bytes(4) + inner[64:], following=44))) is Left.FRAGMENT
    assert one(ether(ip("1.1.1.1", "2.2.2.2", bytes(64), fragment=8, protocol=17))) is Left.NOT_TCP


def gre(payload: bytes, kind: int, bits: int = 0, more: bytes = b"") -> bytes:
    return struct.pack("!HH", bits, kind) + more + payload


def vxlan(frame: bytes, port: int = 4789) -> bytes:
    return struct.pack("!HHHH", 50000, port, len(frame) + 16, 0) + b"\x08" + bytes(7) + frame


TUNNELS = {
    "IP in IP": (4, SEGMENT),
    "GRE": (47, gre(SEGMENT, 0x0800)),
    "GRE with checksum, key and sequence number": (47, gre(SEGMENT, 0x0800, 0xB000, bytes(12))),
    "GRE with Ethernet": (47, gre(ether(SEGMENT), 0x6558)),
    "VXLAN": (17, vxlan(ether(SEGMENT))),
}


@pytest.mark.parametrize(("protocol", "inner"), TUNNELS.values(), ids=TUNNELS)
def test_a_tunnel_is_opened(protocol: int, inner: bytes) -> None:
    assert one(ether(ip("1.1.1.1", "2.2.2.2", inner, protocol=protocol))) == FOUND
    assert one(ether(ip6("::1", "::2", inner, following=protocol))) == FOUND


def test_what_tunnels_end_with() -> None:
    assert one(ether(ip("1.1.1.1", "2.2.2.2", SEGMENT6, protocol=41))) == FOUND6
    nested = SEGMENT
    for _ in range(5):
        nested = ip("1.1.1.1", "2.2.2.2", nested, protocol=4)
    assert one(ether(nested)) is Left.MALFORMED
    assert one(ether(ip("1.1.1.1", "2.2.2.2", gre(SEGMENT, 0x880B, 1), protocol=47))) is Left.NOT_TCP
    assert one(ether(ip("1.1.1.1", "2.2.2.2", vxlan(SEGMENT, 53), protocol=17))) is Left.NOT_TCP


LEFT = {
    "ARP": (ether(bytes(28), kind=packets.ARP), 1, Left.NOT_IP),
    "spanning tree": (bytes(12) + b"\0\x26\x42\x42\3" + bytes(43), 1, Left.NOT_IP),
    "UDP": (ether(ip("1.1.1.1", "2.2.2.2", bytes(30), protocol=17)), 1, Left.NOT_TCP),
    "UDP, short": (ip("1.1.1.1", "2.2.2.2", bytes(8), protocol=17), 101, Left.NOT_TCP),
    "ICMPv6": (ether(ip6("::1", "::2", bytes(30), following=58)), 1, Left.NOT_TCP),
    "Netlink": (bytes(40), 253, Left.LINK),
    "another family": (null(SEGMENT, family=7), 0, Left.NOT_IP),
    "nothing": (b"", 1, Left.CUT),
    "nothing of NULL": (b"", 0, Left.CUT),
    "no end of VLAN tags": (bytes(12) + b"\x81\0\0\5" * 40, 1, Left.MALFORMED),
    "no end of labels": (ether(bytes(200), kind=0x8847), 1, Left.MALFORMED),
    "labels, then no IP": (ether(b"\0\0\1\0" + bytes(60), kind=0x8847), 1, Left.NOT_IP),
    "version 5": (b"\x55" + SEGMENT[1:], 101, Left.MALFORMED),
    "an IP header of 16 bytes": (b"\x44" + SEGMENT[1:], 101, Left.MALFORMED),
    "UDP, less than an IP header": (ip("1.1.1.1", "2.2.2.2", bytes(30), protocol=17, length=19), 101, Left.MALFORMED),
    "less than an IP header": (ip("1.1.1.1", "2.2.2.2", bytes(20), length=19), 101, Left.MALFORMED),
    "less than a TCP header": (ip("1.1.1.1", "2.2.2.2", bytes(20), length=39), 101, Left.MALFORMED),
    "a data offset of 4": (ip("1.1.1.1", "2.2.2.2", packets.segment(1, 2, offset=4)), 101, Left.MALFORMED),
    "a data offset beyond": (ip("1.1.1.1", "2.2.2.2", packets.segment(1, 2, offset=6)), 101, Left.MALFORMED),
}


@pytest.mark.parametrize(("data", "link", "why"), LEFT.values(), ids=LEFT)
def test_what_is_no_segment_is_counted_with_its_reason(data: bytes, link: int, why: Left) -> None:
    assert one(data, link) is why
    _, decoder, _ = decoded(Frame(data, link), Frame(ether(SEGMENT), interface=1))
    assert decoder.skipped.reasons == {why: 1}
    assert decoder.skipped.links == ({link: 1} if why is Left.LINK else {})


def test_the_header_is_needed_up_to_the_window() -> None:
    for data, link, headers in ((ether(SEGMENT), 1, 34), (SEGMENT, 101, 20), (ether(SEGMENT6), 1, 54)):
        assert isinstance(one(data[: headers + 16], link, original=len(data)), Found)
        for kept in range(headers + 16):
            assert one(data[:kept], link, original=len(data)) is Left.CUT, kept


def test_what_the_snap_length_cut_off_is_not_made_up_from_the_next_frame() -> None:
    whole = ether(SEGMENT)
    segments, decoder, _ = decoded(Frame(whole[:40]), Frame(whole), Frame(whole[:40]))
    assert segments.frame.tolist() == [2]
    assert decoder.skipped.reasons == {Left.CUT: 2}


def test_the_types_of_the_columns() -> None:
    segments, _, _ = decoded(Frame(ether(SEGMENT)))
    empty, _, _ = decoded()
    none, _, _ = decoded(Frame(b""))
    assert [column.dtype for column in segments] == [
        np.dtype(kind)
        for kind in ("int64", "int64", "uint64", "uint64", "uint32", "uint32", "uint8", "uint16", "int64")
    ]
    for nothing in (empty, none):
        assert [(column.dtype, len(column)) for column in nothing] == [(column.dtype, 0) for column in segments]


def test_frames_keep_their_numbers_and_order_over_chunks() -> None:
    some = [Frame(ether(SEGMENT if i % 3 else SEGMENT6), time=i) for i in range(12)]
    some[4] = Frame(ether(bytes(28), kind=packets.ARP), time=4)
    decoder = Decoder(Endpoints())
    parts = [decoder.decode(frames(some[:7])), decoder.decode(frames(some[7:], first=8))]
    numbers = [number for part in parts for number in part.frame.tolist()]
    assert numbers == [1, 2, 3, 4, *range(6, 13)]
    assert [time for part in parts for time in part.time.tolist()] == [number - 1 for number in numbers]


def test_addresses_are_numbered_as_they_come_whatever_the_chunks() -> None:
    ends = [(f"2001:db8::{(i * 7) % 11:x}", f"::ffff:10.0.0.{i % 3}") for i in range(40)]
    some = [Frame(ether(tcp((a, 1), (b, 2)), vlans=(1,) * (i % 4))) for i, (a, b) in enumerate(ends)]
    whole, _, _ = decoded(*some)
    decoder = Decoder(Endpoints())
    pieces = [decoder.decode(frames(some[i : i + 3])) for i in range(0, 40, 3)]
    assert whole.source.tolist() == [number for piece in pieces for number in piece.source.tolist()]
    assert whole.target.tolist() == [10 << 40 | (i % 3) << 16 | 2 for i in range(40)]
    assert whole.source[0] == 1 << 48 | 1
    assert whole.source[1] == 1 << 48 | 1 << 16 | 1


def test_addresses_that_mix_to_the_same_number_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.capture.addresses._ODD", np.uint64(0))
    monkeypatch.setattr("advisor.capture.addresses._ODD2", np.uint64(0))
    segments, _, endpoints = decoded(*(Frame(ether(tcp((f"::{i + 1:x}", 1), (f"::{i + 2:x}", 2)))) for i in range(9)))
    assert [int.from_bytes(endpoints.address(number)) for number in segments.target.tolist()] == [*range(2, 11)]


def test_the_address_of_nobody_is_an_address() -> None:
    segments, _, endpoints = decoded(Frame(ether(tcp(("::", 1), ("::ffff:0.0.0.0", 2)))))
    assert endpoints.address(int(segments.source[0])) == bytes(16)
    assert endpoints.address(int(segments.target[0])) == bytes(4)


def test_what_was_usual_is_tried_first() -> None:
    decoder = Decoder(Endpoints())
    for build in (lambda: ether(SEGMENT6, vlans=(5,)), lambda: ether(SEGMENT)):
        decoder.decode(frames([Frame(build())] * 3))
        first = decoder._shapes[links.EN10MB][0]
        chunk = frames([Frame(build())] * 3)
        assert first.fits(first.words(chunk.data, chunk.offset)).all()


ADDRESSES = st.sampled_from([A, B, ("255.255.255.255", 65535)])
ADDRESSES6 = st.sampled_from(
    [A6, B6, ("::", 1), ("::ffff:0:0", 2), ("::ffff:10.0.0.1", 7), ("ffff:" * 7 + "ffff", 65535)]
)
LINKS = sorted({link for link, _ in FRAMES.values()} | {228, 229, 253})


@st.composite
def any_frame(draw: st.DrawFn) -> Frame:
    """A good frame, most often; then some bytes are changed, some cut off, and the link type may be another."""
    ends = draw(st.sampled_from([ADDRESSES, ADDRESSES6]))
    packet = tcp(
        draw(ends),
        draw(ends),
        draw(st.integers(0, 255)),
        seq=draw(st.integers(0, 2**32 - 1)),
        ack=draw(st.sampled_from([0, 2**31, 2**32 - 1])),
        payload=bytes(draw(st.sampled_from([0, 1, 6, 700]))),
        window=draw(st.integers(0, 65535)),
    )
    link, build = draw(st.sampled_from([*FRAMES.values()]))
    data = bytearray(build(packet))
    changes = st.tuples(
        st.integers(0, min(len(data), 70) - 1), st.sampled_from([0, 1, 4, 6, 17, 41, 44, 47, 51, 0x81, 255])
    )
    for where, value in draw(st.lists(changes, max_size=3)):
        data[where] = value
    kept = draw(st.one_of(st.just(len(data)), st.integers(0, min(len(data), 100))))
    interface = draw(st.integers(0, 2)) if draw(st.booleans()) else 0
    return Frame(bytes(data[:kept]), link, interface, 0, len(data))


@settings(max_examples=250)
@given(st.lists(any_frame(), max_size=12), st.sampled_from(LINKS))
def test_columns_say_what_the_reference_says(some: list[Frame], link: int) -> None:
    """Mostly each frame with the link type that it was made for: interfaces are given by it."""
    kinds = sorted({frame.link for frame in some})
    some = [
        Frame(frame.data, frame.link, kinds.index(frame.link), i * 1000 * MS, frame.original)
        for i, frame in enumerate(some)
    ]
    for capture in (some, [Frame(frame.data, link, 0, frame.time, frame.original) for frame in some]):
        segments, decoder, endpoints = decoded(*capture)
        assert rows(segments, endpoints) == expected(capture)
        reasons = [segment(frame.link, frame.data, frame.original) for frame in capture]
        left = [reason for reason in reasons if isinstance(reason, Left)]
        assert +decoder.skipped.reasons == {reason: left.count(reason) for reason in set(left)}


def test_addresses_beyond_what_memory_is_for_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoints, "MOST", 2)
    other = ("2001:db8::3", 1)
    some = [tcp(A6, B6), tcp(A6, other), tcp(other, B6), tcp(A, B), tcp(B6, A6)]
    segments, decoder, _ = decoded(*(Frame(ether(packet)) for packet in some))
    assert segments.frame.tolist() == [1, 4, 5]
    assert decoder.skipped.reasons == {Left.CROWDED: 2}
