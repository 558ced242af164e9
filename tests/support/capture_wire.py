"""TCP segments to the bytes of a capture file, in numpy: pcap or pcapng, IPv4 or IPv6, with or without a VLAN tag.

Checksums are left at 0, as a sending host sees its own packets whose card adds them. Layouts: RFC 9293, 791, 8200,
draft-ietf-opsawg-pcap and -pcapng.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

ROW = np.dtype(
    [
        ("time", "<i8"),  # microseconds since the epoch
        ("seq", "<u4"),
        ("ack", "<u4"),
        ("host", "<u4"),  # the client's number, see `client`
        ("port", "<u2"),
        ("length", "<u2"),
        ("window", "<u2"),
        ("server", "u1"),  # see `SERVERS`
        ("flags", "u1"),
        ("way", "u1"),  # 0 from the client, 1 from the server
    ]
)
"""One segment."""

SERVERS = ((1, 443), (2, 443), (3, 80), (4, 8080))
"""The last byte of each server's address, and its port."""
_HOSTS = np.array([host for host, _ in SERVERS], np.uint32)
_PORTS = np.array([port for _, port in SERVERS], np.uint16)
_SERVER_NET = 192 << 24 | 2 << 8  # 192.0.2.0/24 (RFC 5737)
_CLIENT_NET = 10 << 24
_V6_NET = 0x20010DB8_00000000  # 2001:db8::/32 (RFC 3849)

_RECORD = [("seconds", "<u4"), ("micros", "<u4"), ("captured", "<u4"), ("original", "<u4")]
_BLOCK = [("kind", "<u4"), ("total", "<u4"), ("interface", "<u4"), ("high", "<u4"), ("low", "<u4")]
_BLOCK += [("captured", "<u4"), ("original", "<u4")]
_ETHER = [("to", "V6"), ("from", "V6")]
_TAG = [("tpid", ">u2"), ("vlan", ">u2")]
_IP4 = [("version", "u1"), ("tos", "u1"), ("size", ">u2"), ("id", ">u2"), ("fragment", ">u2"), ("ttl", "u1")]
_IP4 += [("protocol", "u1"), ("header_sum", ">u2"), ("source", ">u4"), ("target", ">u4")]
_IP6 = [("version", ">u4"), ("size", ">u2"), ("protocol", "u1"), ("ttl", "u1")]
_IP6 += [("source_net", ">u8"), ("source", ">u8"), ("target_net", ">u8"), ("target", ">u8")]
_TCP = [("sport", ">u2"), ("dport", ">u2"), ("seq", ">u4"), ("ack", ">u4"), ("offset", "u1"), ("flags", "u1")]
_TCP += [("window", ">u2"), ("sum", ">u2"), ("urgent", ">u2")]
_STAMP = [("nops", ">u2"), ("stamp", ">u2"), ("value", ">u4"), ("echo", ">u4")]
_OPTIONS: tuple[list[tuple[str, str]], ...] = ([], _STAMP, [*_STAMP, ("mss", ">u4"), ("scale", ">u4")])
_TILE = np.frombuffer(bytes(range(32, 127)) * 11, np.uint8)
"""What payload consists of."""


@dataclasses.dataclass(frozen=True)
class Form:
    """How segments are written: ``snaplen`` bytes of each frame, in what file and under which headers."""

    snaplen: int = 96
    v6: bool = False
    vlan: bool = False
    pcapng: bool = False

    def head(self) -> bytes:
        """The beginning of the file."""
        if not self.pcapng:
            return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, self.snaplen, 1)
        section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        return section + struct.pack("<IIHHII", 1, 20, 1, 0, self.snaplen, 20)

    def write(self, rows: NDArray[Any]) -> memoryview:
        """The records of some segments; at least one."""
        kinds = np.where(rows["flags"] & SYN, 2, np.where(rows["flags"] & RST, 0, 1))
        layouts = [self._layout(kind) for kind in range(len(_OPTIONS))]
        before = np.dtype(_BLOCK if self.pcapng else _RECORD).itemsize
        original = np.array([layout.itemsize - before for layout in layouts])[kinds] + rows["length"]
        captured = np.minimum(original, self.snaplen)
        places = (captured + 3 & ~3) + before + 4 if self.pcapng else captured + before
        ends = np.cumsum(places)
        out = np.resize(_TILE, int(ends[-1]) + max(layout.itemsize for layout in layouts))
        sizes = _Sizes(original, captured, places, before)
        # The longest headers first: what of them is beyond the snaplen is overwritten by the next record.
        for kind, layout in reversed(list(enumerate(layouts))):
            some = kinds == kind
            _scatter(out, (ends - places)[some], self._made(rows[some], layout, sizes.some(some)))
        if self.pcapng:
            _scatter(out, ends - 4, places.astype("<u4"))
        return memoryview(out)[: int(ends[-1])]

    def _layout(self, kind: int) -> np.dtype[Any]:
        """The headers of a RST (no options), of most segments (time stamps), of a SYN (MSS and scale as well)."""
        record, tag, internet = _BLOCK if self.pcapng else _RECORD, _TAG if self.vlan else [], _IP6 if self.v6 else _IP4
        return np.dtype([*record, *_ETHER, *tag, ("type", ">u2"), *internet, *_TCP, *_OPTIONS[kind]])

    def _made(self, rows: NDArray[Any], layout: np.dtype[Any], sizes: _Sizes) -> NDArray[Any]:
        made = np.zeros(len(rows), layout)
        self._record(made, rows["time"], sizes)
        made["to"], made["from"] = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"
        if self.vlan:
            made["tpid"], made["vlan"] = 0x8100, 7
        made["type"] = 0x86DD if self.v6 else 0x0800
        self._internet(made, rows, sizes.original - layout.fields["version"][1] + sizes.record)
        back = rows["way"] == 1
        server = _PORTS[rows["server"]]
        made["sport"], made["dport"] = np.where(back, server, rows["port"]), np.where(back, rows["port"], server)
        for name in ("seq", "ack", "flags", "window"):
            made[name] = rows[name]
        made["offset"] = (layout.itemsize - layout.fields["sport"][1]) // 4 << 4
        if "stamp" in layout.fields:
            made["nops"], made["stamp"], made["value"] = 0x0101, 0x080A, rows["time"] // 1000 & 0xFFFFFFFF
        if "mss" in layout.fields:
            made["mss"], made["scale"] = 0x020405B4, 0x01030307
        return made

    def _record(self, made: NDArray[Any], time: NDArray[np.int64], sizes: _Sizes) -> None:
        made["captured"], made["original"] = sizes.captured, sizes.original
        if self.pcapng:
            made["kind"], made["total"] = 6, sizes.places
            made["high"], made["low"] = time >> 32, time & 0xFFFFFFFF
        else:
            made["seconds"], made["micros"] = np.divmod(time, 1_000_000)

    def _internet(self, made: NDArray[Any], rows: NDArray[Any], size: NDArray[np.int64]) -> None:
        back = rows["way"] == 1
        client, server = rows["host"], _HOSTS[rows["server"]]
        if self.v6:
            made["version"], made["ttl"], made["protocol"], made["size"] = 6 << 28, 64, 6, size - 40
            made["source_net"] = made["target_net"] = _V6_NET
            server = server.astype(np.uint64) << np.uint64(32)
        else:
            made["version"], made["ttl"], made["protocol"], made["size"] = 0x45, 64, 6, size
            client, server = client + np.uint32(_CLIENT_NET), server + np.uint32(_SERVER_NET)
        made["source"], made["target"] = np.where(back, server, client), np.where(back, client, server)

    def addresses(self, host: int, server: int) -> tuple[bytes, bytes]:
        """The addresses of a client and of a server, 4 or 16 bytes each."""
        last = SERVERS[server][0]
        if self.v6:
            net = _V6_NET.to_bytes(8)
            return net + host.to_bytes(8), net + (last << 32).to_bytes(8)
        return (_CLIENT_NET + host).to_bytes(4), (_SERVER_NET + last).to_bytes(4)


class _Sizes(NamedTuple):
    """Bytes of each frame on the wire and in the file, of its whole record, and of what stands before the frame."""

    original: NDArray[np.int64]
    captured: NDArray[np.int64]
    places: NDArray[np.int64]
    record: int

    def some(self, which: NDArray[np.bool_]) -> _Sizes:
        return _Sizes(self.original[which], self.captured[which], self.places[which], self.record)


def _scatter(out: NDArray[np.uint8], starts: NDArray[np.int64], items: NDArray[Any]) -> None:
    """Copy items of one size to where they begin."""
    if len(items):
        whole = np.dtype((np.void, items.dtype.itemsize))
        windows = np.ndarray(len(out) - whole.itemsize + 1, whole, out, strides=(1,))
        windows[starts] = items.view(whole)
