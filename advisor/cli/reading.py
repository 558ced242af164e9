"""The options that say what is read and which rules judge it, shared by the commands that read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from advisor.cli.command import Command, Option
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.collect.run import Request
    from advisor.jobs.configure import Settings
    from advisor.snapshot.model import Snapshot

NginxConf = Annotated[
    str | None,
    Option(("--nginx-conf",), "nginx's main file, or what nginx -T printed; else found by itself.", "PATH|-"),
]
Prefix = Annotated[
    str | None,
    Option(("--prefix",), "nginx's prefix (nginx -p): where a relative --nginx-conf begins.", "DIR"),
]
SysctlFiles = Annotated[
    list[str] | None,
    Option(("--sysctl-file",), "A sysctl file, judged as if it were applied; repeatable.", "PATH"),
]
NoHost = Annotated[bool, Option(("--no-host",), "Judge the files given, and nothing of this host.")]
Root = Annotated[str, Option(("--root",), "A tree with proc/ and etc/ that stands for a host.", "DIR")]
Kept = Annotated[
    str | None,
    Option(("--snapshot",), "Judge a snapshot that was collected, not this host.", "FILE|-"),
]
Sample = Annotated[
    float,
    Option(("--sample",), "Time between two readings; 0 reads once.", "SECONDS", low=0, high=3600),
]
Status = Annotated[bool, Option(("--stub-status",), "Ask nginx's stub_status page, if loopback has one.")]
Params = Annotated[
    list[str] | None,
    Option(("--param",), "What only you know, or RULE.PARAMETER of a rule; repeatable.", "NAME=QUANTITY"),
]
NginxVersion = Annotated[
    str | None,
    Option(("--nginx-version",), "Judge the configuration for this version of nginx.", "V"),
]
Netns = Annotated[
    str | None,
    Option(("--netns",), "Read this network namespace: its name, or the pid of a process in it.", "NAME|PID"),
]
Profile = Annotated[
    str | None,
    Option(("--profile",), "Judge for a workload, too: proxy, static or api.", "PROFILE"),
]
Budget = Annotated[
    float,
    Option(("--budget",), "CPU time for reading; past it, sockets are sampled.", "SECONDS", low=0.1, high=3600),
]
Capture = Annotated[
    str | None,
    Option(("--capture",), "A capture of this host's packets: pcap or pcapng, plain, gzip or zstd.", "FILE|-"),
]
Select = Annotated[list[str] | None, Option(("--select",), "Only this rule; repeatable.", "RULE")]
Ignore = Annotated[list[str] | None, Option(("--ignore",), "Not this rule; repeatable.", "RULE")]
ConfigFile = Annotated[
    str | None,
    Option(("--config",), "The configuration; else advisor.yaml here or above, or in /etc/advisor.", "FILE"),
]
Isolated = Annotated[bool, Option(("--isolated",), "Read no configuration.")]
Packs = Annotated[
    list[str] | None,
    Option(("--rules",), "A folder of rules beside those that come with advisor; repeatable.", "DIR"),
]


class Inputs:
    """What a command works on: ``snapshot`` is read when it is first asked for."""

    def __init__(self, request: Request, kept: str | None, settings: Settings) -> None:
        """``kept``: the file of a snapshot that is to be judged instead."""
        self.request = request
        self.kept = kept
        self.settings = settings
        self.judging = settings.judging

    @cached_property
    def snapshot(self) -> Snapshot:
        """What was read.

        Raises:
            InputError: when what was named can't be read.
        """
        from advisor.jobs import load

        with Progress() as say:
            return self.settings.described(load.snapshot(self.request, self.kept, say))


def inputs(  # noqa: PLR0913 (the options that the commands share, one by one)
    *,
    nginx_conf: NginxConf = None,
    prefix: Prefix = None,
    sysctl_file: SysctlFiles = None,
    no_host: NoHost = False,
    root: Root = "/",
    snapshot: Kept = None,
    sample: Sample = 1.0,
    stub_status: Status = False,
    param: Params = None,
    nginx_version: NginxVersion = None,
    select: Select = None,
    ignore: Ignore = None,
    netns: Netns = None,
    profile: Profile = None,
    budget: Budget = 2.0,
    capture: Capture = None,
    config: ConfigFile = None,
    isolated: Isolated = False,
    rules: Packs = None,
) -> Inputs:
    """Load the configuration and the rules, and say what is to be judged.

    Raises:
        AdvisorError: when one of them can't be used, or the options contradict each other.
    """
    from advisor.collect.run import Request
    from advisor.jobs import load
    from advisor.jobs.configure import Asked, settings

    asked = Asked(config, isolated, rules or (), param or (), select or (), ignore or ())
    found = settings(asked)
    request = Request(
        root=folder(root),
        host=not no_host,
        nginx_conf=nginx_conf,
        nginx_prefix=prefix,
        sysctl_files=tuple(sysctl_file or ()),
        sample=sample,
        stub_status=stub_status,
        nginx_version=nginx_version,
        site=tuple(found.site.items()),
        netns=netns,
        profile=profile,
        budget=budget,
        capture=capture,
    )
    load.check(request, snapshot)
    return Inputs(request, snapshot, found)


Read = Callable[[], Inputs]
"""Reads what the options name; a command calls it once its own options are known to be right."""


def reads(*without: str) -> Callable[[Callable[..., int]], Command]:
    """Give a command the options of `inputs`, less some; it gets them as its argument ``read``."""
    return lambda function: Command(function, inputs, without)


def folder(root: str) -> str:
    """What ``--root`` names.

    Raises:
        UsageError: when it is no folder.
    """
    if not os.path.isdir(root):
        raise UsageError(f"--root {root}: there is no such folder")
    return root


class Progress:
    """What is being read, on one line of a terminal's standard error; silent elsewhere."""

    def __enter__(self) -> Callable[[str], None]:
        self.shown = sys.stderr.isatty()
        return self._say

    def __exit__(self, *_: object) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _say(self, what: str) -> None:
        if self.shown:
            safe = "".join(char for char in what if char.isprintable())[:60]
            sys.stderr.write(f"\r\x1b[Kreading {safe} ...")
            sys.stderr.flush()
