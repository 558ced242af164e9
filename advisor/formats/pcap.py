"""pcap files: a header, then records of a time, two lengths and the bytes of a frame.

The format: pcap-savefile(5), and draft-ietf-opsawg-pcap of the IETF; what libpcap reads of old and odd writers, this
reads, too. A length above `LONGEST` is damage there, and here.
"""

from __future__ import annotations

import struct

import numpy as np

from advisor.errors import InputError
from advisor.formats.captured_records import Bytes, Numbers, find
from advisor.formats.captured_walk import Chain
from advisor.formats.frames import LONGEST, Part
from advisor.formats.pcap_guess import guess

HEADER = 24
"""Bytes of the file header."""
_MICROSECONDS, _NANOSECONDS, _MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
_MAGICS = {
    struct.pack(f"{sign}I", magic): (sign, magic) for sign in "<>" for magic in (_MICROSECONDS, _NANOSECONDS, _MODIFIED)
}
_VERSION, _NEWEST_MINOR, _UNSWAPPED_MINOR = 2, 4, 3
_DG_UX = (543, 0)
"""The version that the tcpdump of DG/UX wrote."""
_LINK = 0xFFFF
"""The link type; above it stand the length of the FCS and reserved bits."""
_RECORD = 16
_BLOCK = 4096
"""Headers that are transposed at once: they stay in the cache meanwhile."""
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
        self.length, self._original = (3, 2) if swapped else (2, 3)
        self.chain = Chain(self._order, size, 4 * self.length, size, 0, LONGEST, 1)
        self._fraction = 1 if magic == _NANOSECONDS else _MICROSECOND
        self.links = (link & _LINK,)
        self.words = f"pcap, {_WORDS[magic]}, {_ORDERS[self._order]}"

    def read(self, data: Bytes, stop: int) -> Part:
        """The frames of the whole records in the first ``stop`` bytes."""
        starts, (time, fraction, *_), used = found = find(data, 0, stop, self)
        time *= _SECOND
        fraction *= self._fraction
        time += fraction
        captured, original = found.fields[self.length], found.fields[self._original]
        return Part(starts + self.chain.plus, captured, original, time, None, used, self._fault(data, used, stop), 0)

    def fields(self, data: Bytes, starts: Numbers) -> Numbers:
        """The four numbers that begin each record: seconds, their fraction, and the two lengths."""
        everywhere = np.ndarray((len(data) - _RECORD + 1,), f"V{_RECORD}", data, strides=(1,))
        fields = np.empty((4, len(starts)), np.int64)
        for first in range(0, len(starts), _BLOCK):
            some = slice(first, first + _BLOCK)
            fields[:, some] = everywhere[starts[some]].view(f"{self._order}u4").reshape(-1, 4).T
        return fields

    def guess(self, data: Bytes, sample: Numbers, start: int, stop: int) -> Numbers | None:
        """See `advisor.formats.captured_records.Layout`."""
        return guess(data, sample, start, stop, self.chain)

    def _fault(self, data: Bytes, start: int, stop: int) -> str | None:
        """What is wrong with the record at ``start``, where its header is there."""
        if stop - start < self.chain.header:
            return None
        (length,) = struct.unpack_from(f"{self._order}I", data.data, start + self.chain.at)
        if self.chain.may_be(length):
            return None
        return f"a record of {length:,} bytes, {LONGEST:,} is the most: the file is damaged here"
