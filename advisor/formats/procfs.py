"""The text files of /proc that we read (proc(5)), from bytes to numbers.

Every error is a ValueError that names the line; the caller knows the file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from advisor.formats.sockdiag import AF_INET, AF_INET6, Row

_INTEGER = re.compile(rb"-?\d{1,20}")
_FAMILIES = {4: AF_INET, 16: AF_INET6}


class TcpRow(NamedTuple):
    """One line of /proc/net/tcp or tcp6; ``rx_queue`` of a listener is its accept queue now."""

    row: Row
    rx_queue: int


def tcp_rows(lines: Iterable[bytes]) -> Iterator[TcpRow]:
    """Read /proc/net/tcp or tcp6, line by line.

    The columns shift from row 10,000 on, so that only blanks part them. Addresses are words in the byte order of
    the machine that wrote them, taken to be this one's.

    Raises:
        ValueError: naming the line that is no socket.
    """
    for number, line in enumerate(lines, 1):
        if number == 1 and line.lstrip().startswith(b"sl"):
            continue
        try:
            yield _tcp_row(line.split())
        except (ValueError, LookupError):
            raise ValueError(f"line {number}: '{_shown(line)}' is no TCP socket") from None


def _tcp_row(fields: list[bytes]) -> TcpRow:
    family, source, sport = _end(fields[1])
    remote_family, destination, dport = _end(fields[2])
    (state,) = _hex(fields[3])
    rx_queue = _hex(fields[4].partition(b":")[2])
    if remote_family != family or len(rx_queue) != 4:  # noqa: PLR2004 (the bytes of the kernel's %08X)
        raise ValueError(fields)
    return TcpRow((family, state, sport, dport + source + destination), int.from_bytes(rx_queue, "big"))


def _end(field: bytes) -> tuple[int, bytes, bytes]:
    """Family, address in 16 bytes and port in 2, as a netlink message holds them."""
    digits, _, rest = field.partition(b":")
    host, port = _hex(digits), _hex(rest)
    words = host if sys.byteorder == "big" else b"".join(host[at : at + 4][::-1] for at in range(0, len(host), 4))
    if len(port) != 2:  # noqa: PLR2004 (the bytes of a port)
        raise ValueError(port)
    return _FAMILIES[len(host)], words.ljust(16, b"\0"), port


def _hex(digits: bytes) -> bytes:
    return bytes.fromhex(digits.decode("ascii"))


def counters(data: bytes) -> dict[str, int]:
    """Read /proc/net/snmp or netstat: ``Tcp.PassiveOpens``, ``TcpExt.ListenOverflows`` ...

    Each group is a line of names and then a line of as many numbers.

    Raises:
        ValueError: naming the line that breaks this form.
    """
    found: dict[str, int] = {}
    lines = data.splitlines()
    for at in range(0, len(lines), 2):
        group, names = _group(lines[at], at + 1)
        if at + 1 == len(lines):
            raise ValueError(f"line {at + 1}: the names of {group} without their numbers")
        same, values = _group(lines[at + 1], at + 2)
        if same != group or len(values) != len(names):
            raise ValueError(f"line {at + 2}: {len(values)} numbers of {same} under {len(names)} names of {group}")
        for name, value in zip(names, values, strict=True):
            found[f"{group}.{_word(name, at + 1)}"] = _integer(value, at + 2)
    return found


def _group(line: bytes, number: int) -> tuple[str, list[bytes]]:
    head, colon, rest = line.partition(b":")
    if not colon:
        raise ValueError(f"line {number}: '{_shown(line)}' names no group")
    return _word(head, number), rest.split()


def sockstat(data: bytes) -> dict[str, int]:
    """Read /proc/net/sockstat or sockstat6: ``sockstat.TCP.tw``, ``sockstat.TCP6.inuse``, ``sockstat.sockets.used``.

    ``mem`` is in pages. ``alloc``, ``orphan`` and ``mem`` count the whole machine, ``inuse`` and ``tw`` the network
    namespace; ``tw`` holds TIME_WAIT and those FIN_WAIT2 that no process holds any more.

    Raises:
        ValueError: naming the line that is no list of pairs.
    """
    found: dict[str, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        group, words = _group(line, number)
        if len(words) % 2:
            raise ValueError(f"line {number}: '{_shown(line)}' is no list of names and numbers")
        for name, value in zip(words[::2], words[1::2], strict=True):
            found[f"sockstat.{group}.{_word(name, number)}"] = _integer(value, number)
    return found


def open_files_limit(data: bytes, *, hard: bool = False) -> int | None:
    """The soft, or the hard, limit of /proc/PID/limits on open files; None where it is unlimited.

    Raises:
        ValueError: when the line is missing or holds no limit.
    """
    for number, line in enumerate(data.splitlines(), 1):
        name, found, rest = line.partition(b"Max open files")
        if found and not name:
            limit = [*rest.split(), b"", b""][hard]
            return None if limit == b"unlimited" else _integer(limit, number)
    raise ValueError("no line 'Max open files'")


def capabilities(data: bytes) -> int:
    """The effective capabilities of /proc/PID/status, one bit each.

    Raises:
        ValueError: when the line is missing or is no number.
    """
    found = re.search(rb"^CapEff:\s+([0-9a-f]{1,16})$", data, re.MULTILINE)
    if found is None:
        raise ValueError("no line 'CapEff' with a hexadecimal number")
    return int(found[1], 16)


def memory_total(data: bytes) -> int:
    """MemTotal of /proc/meminfo, in bytes.

    Raises:
        ValueError: when the line is missing or is not in kB.
    """
    for number, line in enumerate(data.splitlines(), 1):
        match line.split():
            case [b"MemTotal:", size, b"kB"]:
                return _integer(size, number) * 1024
            case [b"MemTotal:", *_]:
                raise ValueError(f"line {number}: '{_shown(line)}' is no size in kB")
    raise ValueError("no line 'MemTotal:'")


def processors(data: bytes) -> int:
    """How many CPUs /proc/stat counts for: those online.

    Raises:
        ValueError: when there is no line of a CPU.
    """
    count = len(re.findall(rb"^cpu\d+ ", data, re.MULTILINE))
    if not count:
        raise ValueError("no line of a CPU")
    return count


def _integer(word: bytes, line: int) -> int:
    if not _INTEGER.fullmatch(word):
        raise ValueError(f"line {line}: '{_shown(word)}' is no number")
    return int(word)


def _word(word: bytes, line: int) -> str:
    text = word.decode("ascii", "replace")
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"line {line}: '{_shown(word)}' is no name")
    return text


def _shown(data: bytes) -> str:
    return data[:60].decode("ascii", "backslashreplace").strip()
