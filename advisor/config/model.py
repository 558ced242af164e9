"""The values of a configuration: what ``advisor.yaml`` says, checked; `Config()` is what holds without one."""

from __future__ import annotations

from typing import Annotated

from advisor.findings import Confidence, Safety, Severity
from advisor.records import dataclass, field

# What these stand for, limits included, is said in `advisor.config.read`, which checks a file against them.
Switch = bool
SeverityWord = Severity
ConfidenceWord = Confidence
SafetyWord = Safety
RuleName = str
ParamName = str
SiteName = str
Quantity = str
Profile = str
Version = str
Glob = str
Folder = str
Date = str
Line = str
Name = str
SOME = "at least 1"
HUNDREDS = "at most 500"


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """Findings that somebody answers for: of a rule, where all that is named fits.

    ``until`` is the last day on which it holds (ISO 8601). ``path`` is a pattern as `advisor.formats.pathglob` has
    them, ``server`` a name of the server that it is in, ``key`` a sysctl.
    """

    rule: RuleName
    reason: Line
    until: Date | None = None
    path: Glob | None = None
    server: Name | None = None
    key: Name | None = None


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host of which the files lie in a repository: which files, and what holds for it alone."""

    paths: Annotated[list[Glob], SOME]
    profile: Profile | None = None
    nginx_version: Version | None = None
    site: dict[SiteName, Quantity] = field(default_factory=dict)
    params: dict[ParamName, Quantity] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """A configuration. None is what it does not say; rules are named by their ids.

    ``exclude``, the paths of hosts and of ignores are patterns from the top of the repository on, or absolute;
    ``baseline`` and ``rules`` are paths relative to the file. ``site`` and ``params`` are quantities, as ``--param``
    takes them.
    """

    fail_on: SeverityWord | None = None
    min_confidence: ConfidenceWord | None = None
    strict: Switch = False
    preview: Switch = False
    exclude: Annotated[list[Glob], HUNDREDS] = field(default_factory=list)
    baseline: Folder | None = None
    rules: Annotated[list[Folder], HUNDREDS] = field(default_factory=list)
    profile: Profile | None = None
    nginx_version: Version | None = None
    site: dict[SiteName, Quantity] = field(default_factory=dict)
    params: dict[ParamName, Quantity] = field(default_factory=dict)
    select: list[RuleName] = field(default_factory=list)
    ignore: list[RuleName] = field(default_factory=list)
    severity: dict[RuleName, SeverityWord] = field(default_factory=dict)
    safety: dict[RuleName, SafetyWord] = field(default_factory=dict)
    ignores: Annotated[list[Ignore], HUNDREDS] = field(default_factory=list)
    hosts: Annotated[dict[Name, Host], HUNDREDS] = field(default_factory=dict)
