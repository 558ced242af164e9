"""A TCP peer without a kernel: it sends the segments a test wants, in an order that no kernel can be brought to."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from typing import TYPE_CHECKING

from support.inside import inside
from support.packets import ether, tcp

if TYPE_CHECKING:
    from support.netns import Netns

_ALL_ETHERTYPES, _IPV4 = 3, 0x0800


class WirePeer:
    """One end of one connection, at an address that nobody has, behind an interface of a namespace.

    Args:
        ns: where it sends and listens.
        interface: the name of the interface there.
        here: its address and port.
        there: the address and port of the kernel it speaks to.
        hardware: that kernel's link layer address, and that of the interface.
    """

    def __init__(
        self, ns: Netns, interface: str, here: tuple[str, int], there: tuple[str, int], hardware: tuple[bytes, bytes]
    ) -> None:
        with inside(ns):
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_ETHERTYPES))
        self._wire.bind((interface, 0))
        self._wire.setblocking(False)  # noqa: FBT003 (the name of the argument is the method's)
        self._here, self._there, self._hardware = here, there, hardware

    def send(self, flags: int, seq: int, ack: int = 0, payload: bytes = b"") -> None:
        """One segment, its checksum right."""
        packet = bytearray(tcp(self._here, self._there, flags, seq=seq, ack=ack, payload=payload))
        ends = b"".join(ipaddress.ip_address(host).packed for host, _ in (self._here, self._there))
        segment = bytes(packet[20:])
        packet[10:12] = _checksum(bytes(packet[:20]))
        packet[36:38] = _checksum(ends + struct.pack("!HH", socket.IPPROTO_TCP, len(segment)) + segment)
        self._wire.send(b"".join(self._hardware) + ether(bytes(packet))[12:])

    def heard(self) -> tuple[int, int, int]:
        """Flags, sequence and acknowledgement number of the last segment that came."""
        found = None
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = self._wire.recv(1 << 12)
                ours = len(frame) >= 54 and frame[12:14] == _IPV4.to_bytes(2) and frame[23] == socket.IPPROTO_TCP
                if ours and struct.unpack_from("!HH", frame, 34) == (self._there[1], self._here[1]):
                    seq, ack, bits = struct.unpack_from("!IIH", frame, 38)
                    found = bits & 0xFF, seq, ack
        assert found is not None, "the kernel said nothing"
        return found

    def close(self) -> None:
        """Leave."""
        self._wire.close()


def _checksum(data: bytes) -> bytes:
    """The internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2)
