"""What stands around nginx and was read, not measured: kernel modules, and the limits of its systemd unit."""

from __future__ import annotations

from advisor.records import dataclass, field

# The limits of this, and how it stands in JSON, are those of `advisor.snapshot.json`.
Count = int


@dataclass(frozen=True, kw_only=True)
class Modules:
    """Kernel modules that bring sysctls: those ``loaded``, those ``builtin``, and what is loaded ``at_boot``, by file.

    ``builtin`` is None where the kernel's list could not be read.
    """

    loaded: list[str] = field(default_factory=list)
    builtin: list[str] | None = None
    at_boot: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class UnitLimit:
    """A line of a systemd unit, or of a drop-in, that sets a limit: ``LimitNOFILE``, ``TasksMax``, ``MemoryMax`` ..."""

    path: str
    line: Count
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The systemd unit that nginx runs in, and its limits in the order in which systemd reads them (the last wins)."""

    name: str
    limits: list[UnitLimit] = field(default_factory=list)
