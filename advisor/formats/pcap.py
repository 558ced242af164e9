"""pcap files: a header, then records of a time, two lengths and the bytes of a frame.

The format: pcap-savefile(5), and draft-ietf-opsawg-pcap of the IETF; what libpcap reads of old and odd writers, this
reads, too. A length above `LONGEST` is damage there, and here.
"""

from __future__ import annotations

import struct
from functools import partial

import numpy as np
from numpy.typing import NDArray

from advisor.errors import InputError
from advisor.formats.captured_records import Fields, Numbers, find
from advisor.formats.captured_walk import Chain
from advisor.formats.frames import LONGEST, Part

HEADER = 24
"""Bytes of the file header."""
_MICROSECONDS, _NANOSECONDS, _MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
_MAGICS = {
    magic.to_bytes(4, order): (sign, magic)
    for order, sign in (("big", ">"), ("little", "<"))
    for magic in (_MICROSECONDS, _NANOSECONDS, _MODIFIED)
}
_VERSION, _NEWEST_MINOR, _UNSWAPPED_MINOR = 2, 4, 3
_DG_UX = (543, 0)
"""The version that the tcpdump of DG/UX wrote."""
_LINK = 0xFFFF
"""The link type; above it stand the length of the FCS and reserved bits."""
_RECORD = 16
_SECOND, _MICROSECOND = 1_000_000_000, 1000
_WORDS = {_MICROSECONDS: "microseconds", _NANOSECONDS: "nanoseconds", _MODIFIED: "microseconds, modified"}
_ORDERS = {"<": "little-endian", ">": "big-endian"}


def is_pcap(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head[:4] in _MAGICS


class Pcap:
    """A pcap file behind its header.

    Args:
        header: its first `HEADER` bytes.

    Raises:
        InputError: when its version is one that nobody knows.
    """

    def __init__(self, header: bytes) -> None:
        self._order, magic = _MAGICS[header[:4]]
        major, minor, link = struct.unpack(f"{self._order}4xHH12xI", header)
        if (major, minor) != _DG_UX and (major != _VERSION or minor > _NEWEST_MINOR):
            raise InputError(f"a pcap file of version {major}.{minor}; 2.4 is what tcpdump and Wireshark write")
        swapped = (major, minor) == _DG_UX or minor < _UNSWAPPED_MINOR
        size = 24 if magic == _MODIFIED else _RECORD
        self._captured, self._original = (3, 2) if swapped else (2, 3)
        steady = (0, 8, 9, 12, 13) if self._order == ">" else (3, 10, 11, 14, 15)
        self._chain = Chain(self._order, size, 4 * self._captured, size, 0, LONGEST, 1, steady)
        self._fraction = 1 if magic == _NANOSECONDS else _MICROSECOND
        self.links = (link & _LINK,)
        self.words = f"pcap, {_WORDS[magic]}, {_ORDERS[self._order]}"

    def read(self, data: NDArray[np.uint8], stop: int) -> Part:
        """The frames of the whole records in the first ``stop`` bytes."""
        starts, fields, used = find(data, 0, stop, self._chain, partial(self._fields, data), self._captured)
        time = fields[0].astype(np.int64)
        time *= _SECOND
        time += fields[1].astype(np.int64) * self._fraction
        captured, original = fields[self._captured].astype(np.int64), fields[self._original].astype(np.int64)
        return Part(starts + self._chain.plus, captured, original, time, None, used, self._fault(data, used, stop), 0)

    def _fields(self, data: NDArray[np.uint8], starts: Numbers) -> Fields:
        """The four numbers that begin each record: seconds, their fraction, and the two lengths."""
        headers = np.ndarray((len(data) - _RECORD + 1,), f"V{_RECORD}", data, strides=(1,))[starts]
        return tuple(headers.view(f"{self._order}u4").reshape(-1, 4).T)

    def _fault(self, data: NDArray[np.uint8], start: int, stop: int) -> str | None:
        """What is wrong with the record at ``start``, where its header is there."""
        if stop - start < self._chain.header:
            return None
        (length,) = struct.unpack_from(f"{self._order}I", data, start + self._chain.at)
        if self._chain.may_be(length):
            return None
        return f"a record of {length:,} bytes, {LONGEST:,} is the most: the file is damaged here"
