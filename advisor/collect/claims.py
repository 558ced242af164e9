"""Ports that somebody needs who need not listen on TCP just now: UDP sockets, socket units, NodePorts.

A socket unit counts where it is enabled: where another unit wants or requires it (a link in ``*.wants`` or
``*.requires``; systemd.unit(5)), be it started or not. A service that listens by itself says nowhere that could be read
without guessing which ports it takes: while it is down, only its own configuration knows. Names and ports are kept,
nothing else of the files.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.errors import InputError
from advisor.formats import claims
from advisor.formats.ports import Ports
from advisor.snapshot.model import UDP_SOCKETS, Claim
from advisor.system import MIB, System, join

_FOLDERS = (
    *("/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system"),
    *("/usr/lib/systemd/system", "/lib/systemd/system"),
)
"""Where units lie; an earlier folder's file takes those of its name in later ones away."""
_MOST_UNITS = 256
_MOST_DROP_INS = 64

_KUBELET = "/var/lib/kubelet"
_API_SERVER = "/etc/kubernetes/manifests/kube-apiserver.yaml"
_NODE_PORTS = (30000, 32767)
"""The default of --service-node-port-range (kube-apiserver's command line reference)."""

Problems = list[tuple[str, str]]


def read_claims(system: System) -> tuple[list[Claim], Problems]:
    """The claims, and what of them could not be read.

    Raises:
        OSError: when /proc/net/udp is there and can't be read.
        InputError: when it can't be understood.
    """
    problems: Problems = []
    return [*_udp(system), *_socket_units(system, problems), *_kubernetes(system, problems)], problems


def _udp(system: System) -> Iterator[Claim]:
    ports = Ports()
    for path in ("/proc/net/udp", "/proc/net/udp6"):
        if system.exists(path):
            try:
                ports = ports | claims.udp_ports(system.read(path))
            except ValueError as error:
                raise InputError(f"{path}: {error}") from None
    for low, high in ports.ranges:
        yield Claim(low=low, high=high, protocol="udp", by=UDP_SOCKETS)


def _socket_units(system: System, problems: Problems) -> Iterator[Claim]:
    enabled = sorted(_enabled(system, problems))
    if len(enabled) > _MOST_UNITS:
        problems.append(("claims", f"more than {_MOST_UNITS} socket units are enabled: the later ones were not read"))
    for name in enabled[:_MOST_UNITS]:
        found: list[Claim] = []
        for path in _files(system, name, problems):
            for listen in claims.listens(_text(system, path, problems)):
                if listen.port is None:
                    found.clear()
                else:
                    port, protocol = listen.port, listen.protocol
                    found.append(Claim(low=port, high=port, protocol=protocol, by=name, file=path, line=listen.line))
        yield from found


def _enabled(system: System, problems: Problems) -> set[str]:
    """The socket units that another unit wants or requires."""
    found: set[str] = set()
    for folder in _FOLDERS:
        wanting = [name for name in _names(system, folder, problems) if name.endswith((".wants", ".requires"))]
        for name in wanting:
            found.update(one for one in _names(system, join(folder, name), problems) if one.endswith(".socket"))
    return found


def _files(system: System, name: str, problems: Problems) -> Iterator[str]:
    """A unit's file, or that of its template, and its drop-ins by base name; nothing where it is masked."""
    template = f"{name.partition('@')[0]}@.socket" if "@" in name else name
    units = [join(folder, one) for one in dict.fromkeys((name, template)) for folder in _FOLDERS]
    unit = next((path for path in units if system.exists(path)), None)
    if unit is None or system.real(unit) == "/dev/null":
        return
    yield unit
    drop_ins: dict[str, str] = {}
    for folder in (join(base, f"{one}.d") for one in dict.fromkeys((name, template)) for base in _FOLDERS):
        for file in _names(system, folder, problems):
            if file.endswith(".conf"):
                drop_ins.setdefault(file, join(folder, file))
    yield from [drop_ins[file] for file in sorted(drop_ins)[:_MOST_DROP_INS]]


def _kubernetes(system: System, problems: Problems) -> Iterator[Claim]:
    """A kubelet has run here: its node answers on the NodePorts of all services."""
    if not system.exists(_KUBELET):
        return
    set_here = system.exists(_API_SERVER) and claims.node_ports(_text(system, _API_SERVER, problems))
    low, high = set_here or _NODE_PORTS
    yield Claim(
        low=low, high=high, protocol="tcp", by="NodePorts of Kubernetes", file=_API_SERVER if set_here else None
    )


def _names(system: System, folder: str, problems: Problems) -> list[str]:
    try:
        return system.list(folder)
    except OSError as error:
        problems.append(("claims", f"{folder} can't be read: {error.strerror}"))
        return []


def _text(system: System, path: str, problems: Problems) -> str:
    try:
        return system.read(path, MIB).decode("utf-8", "replace")
    except OSError as error:
        problems.append(("claims", f"{path} can't be read: {error.strerror}"))
        return ""
