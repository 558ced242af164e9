"""pcapng files: sections of blocks, of which those that hold frames, and what tells their times, are read.

The format: draft-ietf-opsawg-pcapng of the IETF. Whatever its type, a block says at both its ends how long it is.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from advisor.formats.captured_records import find
from advisor.formats.frames import Part
from advisor.formats.pcapng_blocks import Blocks
from advisor.formats.pcapng_interfaces import Interfaces
from advisor.formats.pcapng_layout import BYTE_ORDER, LAYOUTS, SECTION

_MAGIC = SECTION.to_bytes(4)
_ORDERS = {BYTE_ORDER.to_bytes(4, "little"): "<", BYTE_ORDER.to_bytes(4): ">"}
_WORDS = {"<": "little-endian", ">": "big-endian"}
_NAMED = 12
"""Bytes of a section header up to and with the byte-order magic; no block is shorter."""


def is_pcapng(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return head[:4] == _MAGIC and head[8:_NAMED] in _ORDERS


class Pcapng:
    """A pcapng file.

    Args:
        head: its first 12 bytes.
    """

    def __init__(self, head: bytes) -> None:
        self._order = _ORDERS[head[8:_NAMED]]
        self._interfaces = Interfaces()
        self._clock = 0
        self.words = f"pcapng, {_WORDS[self._order]}"

    @property
    def links(self) -> tuple[int, ...]:
        """The link types of the interfaces of all sections so far."""
        return tuple(self._interfaces.links)

    def read(self, data: NDArray[np.uint8], stop: int) -> Part:
        """The frames of the whole blocks in the first ``stop`` bytes."""
        parts: list[Part] = []
        place, fault = 0, None
        while fault is None and stop - place >= _NAMED:
            fault = self._turn(data[place : place + _NAMED].tobytes())
            if fault is not None:
                break
            parts.append(self._run(data, place, stop))
            before, place, fault = place, parts[-1].used, parts[-1].fault
            if place == before or data[place : place + 4].tobytes() != _MAGIC:
                break
        return _joined(parts, place, fault)

    def _turn(self, head: bytes) -> str | None:
        """Read in the byte order of the section, if one begins so."""
        if head[:4] != _MAGIC:
            return None
        if head[8:] not in _ORDERS:
            return f"a section with the byte-order magic {head[8:].hex(' ')}: the file is damaged here"
        self._order = _ORDERS[head[8:]]
        return None

    def _run(self, data: NDArray[np.uint8], start: int, stop: int) -> Part:
        """The frames of the blocks from ``start`` on, up to damage, or to a section in the other byte order."""
        starts, fields, used = find(data, start, stop, LAYOUTS[self._order])
        part = Blocks(data, self._order, starts, fields).part(self._interfaces, self._clock)
        if part.used < 0:
            part = part._replace(used=used, fault=self._misfit(data, start, used, stop))
        if len(part.time):
            self._clock = int(part.time[-1])
        return part

    def _misfit(self, data: NDArray[np.uint8], start: int, place: int, stop: int) -> str | None:
        """What is wrong with the length of the block at ``place``, unless it waits for bytes or another byte order."""
        if stop - place < _NAMED or (place > start and data[place : place + 4].tobytes() == _MAGIC):
            return None
        (length,) = struct.unpack_from(f"{self._order}I", data.data, place + 4)
        if LAYOUTS[self._order].chain.may_be(length):
            return None
        return f"a block of {length:,} bytes: the file is damaged here"


def _joined(parts: list[Part], used: int, fault: str | None) -> Part:
    """Parts of one chunk as one."""
    if len(parts) == 1:
        return parts[0]._replace(used=used, fault=fault)
    nothing = np.zeros(0, np.int64)
    columns = [np.concatenate([nothing, *column]) for column in zip(*(part[:4] for part in parts), strict=True)]
    offset, captured, original, time = columns or [nothing] * 4
    known = [np.zeros(len(part.time), np.int64) if part.interface is None else part.interface for part in parts]
    interface = np.concatenate([nothing, *known])
    untimed = sum(part.untimed for part in parts)
    return Part(offset, captured, original, time, interface, used, fault, untimed)
