"""What files say of ports that somebody needs: UDP sockets, systemd's socket units, the API server of Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from advisor.formats.ports import Ports

_UDP = re.compile(rb"\s*\d+: [0-9A-F]{8,32}:([0-9A-F]{4}) [0-9A-F]{8,32}:([0-9A-F]{4}) ")
_LISTENS: dict[str, Literal["tcp", "udp"]] = {"ListenStream": "tcp", "ListenDatagram": "udp"}
_ADDRESS = re.compile(r"(?:(?:\d{1,3}\.){3}\d{1,3}:|\[[0-9A-Fa-f:.]{2,45}\]:)?(\d{1,5})(?:%\S+)?", re.ASCII)
_NODE_PORTS = re.compile(r"--service-node-port-range[=\s]\s*[\"']?(\d{1,5})-(\d{1,5})", re.ASCII)
_LAST = 65535


class Listen(NamedTuple):
    """A line of a socket unit: its number, the protocol and the port; None where it takes all before it back."""

    line: int
    protocol: Literal["tcp", "udp"]
    port: int | None


def udp_ports(data: bytes) -> Ports:
    """The ports that sockets in /proc/net/udp or udp6 are bound to and serve: those with a remote end are clients.

    Raises:
        ValueError: naming the line that is no socket.
    """
    ports = set()
    for number, line in enumerate(data.splitlines()[1:], 2):
        found = _UDP.match(line)
        if found is None:
            raise ValueError(f"line {number}: '{line[:60].decode('ascii', 'backslashreplace')}' is no UDP socket")
        if found[2] == b"0000":
            ports.add(int(found[1], 16))
    return Ports.of(ports)


def listens(text: str) -> Iterator[Listen]:
    """What a socket unit listens on by port (systemd.socket(5)); paths, other kinds and specifiers are passed over."""
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            section = line
        name, equals, value = (part.strip() for part in line.partition("="))
        if section != "[Socket]" or not equals or name not in _LISTENS:
            continue
        if not value:
            yield Listen(number, _LISTENS[name], None)
        elif (found := _ADDRESS.fullmatch(value)) is not None and 0 < int(found[1]) <= _LAST:
            yield Listen(number, _LISTENS[name], int(found[1]))


def node_ports(manifest: str) -> tuple[int, int] | None:
    """The ends of --service-node-port-range in a manifest; None where it does not set it."""
    found = _NODE_PORTS.search(manifest)
    if found is None:
        return None
    low, high = int(found[1]), int(found[2])
    return (low, high) if 0 < low <= high <= _LAST else None
