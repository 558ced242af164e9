"""The root of all facts: its attributes are the first words of the names in rules."""

from __future__ import annotations

from functools import cached_property

from advisor.catalog.directives import DIRECTIVES, SECRETIVE
from advisor.errors import Unread
from advisor.facts.advice import Advice
from advisor.facts.boot import Boot
from advisor.facts.capture import CaptureFacts
from advisor.facts.counters import Counters
from advisor.facts.cpu import CpuFacts
from advisor.facts.host import HostFacts
from advisor.facts.keepalives import DECIDING
from advisor.facts.kernellog import KernelLog
from advisor.facts.limit_chain import Limits
from advisor.facts.modules import ModuleFacts
from advisor.facts.nginx import NginxFacts
from advisor.facts.owners import Owners
from advisor.facts.passes import Pass
from advisor.facts.ports import PortFacts
from advisor.facts.servers import Endpoint
from advisor.facts.site import Site
from advisor.facts.sockets import Listener, Sockets
from advisor.facts.sysctl import Sysctl
from advisor.facts.tables import Tables
from advisor.facts.values import Ports
from advisor.facts.workload import Workload
from advisor.snapshot.model import Snapshot

READS = frozenset(
    {directive.word for directive in DIRECTIVES.values()} - SECRETIVE
    | {"listen", "server_name", "server", "location", "upstream", "include", "stub_status", "real_ip_header"}
    | DECIDING
)
"""nginx directives whose arguments a fact reads; the arguments of all others are masked in a snapshot."""


class Facts:
    """Everything known of one snapshot; each part is computed when a rule first asks for it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    @cached_property
    def sysctl(self) -> Sysctl:
        """Live sysctls, or those of the files given."""
        return Sysctl(self.snapshot)

    @cached_property
    def boot(self) -> Boot:
        """What files on disk set."""
        return Boot(self.snapshot)

    @cached_property
    def advice(self) -> Advice:
        """Lines of those files that do not do what is hoped from them."""
        return Advice(self.snapshot, self.boot, self.sysctl, lambda: self.nginx, lambda: self.sockets)

    @cached_property
    def workload(self) -> Workload:
        """What the user says that the host is for."""
        return Workload(self.snapshot)

    @cached_property
    def nginx(self) -> NginxFacts:
        """Nginx's configuration and processes."""
        return NginxFacts(self.snapshot, self._listeners, lambda: self.sockets)

    @cached_property
    def sockets(self) -> Sockets:
        """TCP sockets."""
        return Sockets(self.snapshot, self.nginx.asked(), self._callers, lambda: self.ports)

    @cached_property
    def ports(self) -> PortFacts:
        """The ephemeral range and who listens in it."""
        configured = Ports.of(listen.endpoint.port for listen in self.nginx.listens) if self.snapshot.nginx else Ports()
        return PortFacts(self.snapshot, self.sysctl, self.sockets, configured)

    @cached_property
    def owners(self) -> Owners:
        """Processes that hold sockets nobody uses."""
        return Owners(self.snapshot)

    @cached_property
    def counters(self) -> Counters:
        """The kernel's counters."""
        return Counters(self.snapshot)

    @cached_property
    def cpu(self) -> CpuFacts:
        """CPU time: who needs it and who waits for it."""
        return CpuFacts(self.snapshot, self.counters)

    @cached_property
    def tables(self) -> Tables:
        """The kernel's tables of connections and neighbours."""
        return Tables(self.snapshot, self.sysctl, self.counters)

    @cached_property
    def kernel_log(self) -> KernelLog:
        """The kernel's own log."""
        return KernelLog(self.snapshot, lambda: [(one.row.address, one.row.port) for one in self.sockets.listeners])

    @cached_property
    def site(self) -> Site:
        """What the user said of the surroundings."""
        return Site(self.snapshot)

    @cached_property
    def limits(self) -> Limits:
        """What bounds nginx's workers beside its own configuration."""
        return Limits(self.snapshot)

    @cached_property
    def modules(self) -> ModuleFacts:
        """Kernel modules that bring sysctls."""
        return ModuleFacts(self.snapshot, self.boot)

    @cached_property
    def host(self) -> HostFacts:
        """The machine."""
        return HostFacts(self.snapshot)

    @cached_property
    def capture(self) -> CaptureFacts:
        """What a capture of packets showed (--capture)."""
        return CaptureFacts(self.snapshot, lambda: self.nginx)

    def read_by(self, source: str) -> str:
        """How this snapshot read a source: where SOCK_DIAG was refused, sockets come from /proc/net/tcp."""
        sockets = self.snapshot.sockets
        return sockets.method if source == "SOCK_DIAG" and sockets is not None else source

    def _callers(self, endpoint: Endpoint) -> list[Pass]:
        return self.nginx.passing.to(endpoint)

    def _listeners(self) -> dict[str, Listener]:
        if self.snapshot.sockets is None:
            raise Unread("sockets", self.snapshot.unread.get("sockets", "not collected"))
        return {listener.id: listener for listener in self.sockets.listeners}
