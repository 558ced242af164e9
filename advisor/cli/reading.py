"""The options that say what is read and which rules judge it, shared by the commands that read."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.engine.rule import Rule
    from advisor.snapshot.model import Snapshot

NginxConf = Annotated[
    str | None,
    typer.Option(
        "--nginx-conf", metavar="PATH|-", help="nginx's main file, or what nginx -T printed; else found by itself."
    ),
]
Prefix = Annotated[
    str | None,
    typer.Option("--prefix", metavar="DIR", help="nginx's prefix (nginx -p): where a relative --nginx-conf begins."),
]
SysctlFiles = Annotated[
    list[str] | None,
    typer.Option("--sysctl-file", metavar="PATH", help="A sysctl file, judged as if it were applied; repeatable."),
]
NoHost = Annotated[bool, typer.Option("--no-host", help="Judge the files given, and nothing of this host.")]
Root = Annotated[str, typer.Option("--root", metavar="DIR", help="A tree with proc/ and etc/ that stands for a host.")]
Kept = Annotated[
    str | None,
    typer.Option("--snapshot", metavar="FILE|-", help="Judge a snapshot that was collected, not this host."),
]
Sample = Annotated[
    float,
    typer.Option("--sample", metavar="SECONDS", min=0, max=3600, help="Time between two readings; 0 reads once."),
]
Status = Annotated[bool, typer.Option("--stub-status", help="Ask nginx's stub_status page, if loopback has one.")]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param", metavar="NAME=QUANTITY", help="What only you know, or RULE.PARAMETER of a rule; repeatable."
    ),
]
NginxVersion = Annotated[
    str | None,
    typer.Option("--nginx-version", metavar="V", help="Judge the configuration for this version of nginx."),
]
Select = Annotated[list[str] | None, typer.Option("--select", metavar="RULE", help="Only this rule; repeatable.")]
Ignore = Annotated[list[str] | None, typer.Option("--ignore", metavar="RULE", help="Not this rule; repeatable.")]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a command works on."""

    snapshot: Snapshot
    rules: list[Rule]
    overrides: dict[str, str]


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
) -> Inputs:
    """Load the rules, then read what is to be judged.

    Raises:
        AdvisorError: when either can't be had.
    """
    from advisor.collect.run import Request
    from advisor.jobs import load

    everything = load.rules()
    site, own = load.params(param or (), everything)
    request = Request(
        root=_folder(root),
        host=not no_host,
        nginx_conf=nginx_conf,
        nginx_prefix=prefix,
        sysctl_files=tuple(sysctl_file or ()),
        sample=sample,
        stub_status=stub_status,
        nginx_version=nginx_version,
        site=tuple(site.items()),
    )
    if snapshot is not None and (no_host or nginx_conf or prefix or sysctl_file or root != "/" or stub_status):
        raise UsageError("--snapshot holds all that is judged; leave out the options that name other things to read")
    with Progress() as say:
        taken = load.snapshot(request, snapshot, say)
    return Inputs(taken, load.chosen(everything, select or (), ignore or ()), own)


Read = Callable[[], Inputs]
"""Reads what the options name; a command calls it once its own options are known to be right."""


def reads(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `inputs`, less some; it gets them as its argument ``read``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        shared = [
            one for name, one in inspect.signature(inputs, eval_str=True).parameters.items() if name not in without
        ]
        own = [one for name, one in inspect.signature(command, eval_str=True).parameters.items() if name != "read"]

        def wrapped(**options: Any) -> None:  # noqa: ANN401 (the options of both signatures)
            given = {one.name: options.pop(one.name) for one in shared}
            command(read=lambda: inputs(**given), **options)

        # Typer reads a command's options off its signature and annotations.
        parameters = [*own, *shared]
        wrapped.__doc__ = command.__doc__
        wrapped.__annotations__ = {one.name: one.annotation for one in parameters}
        wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take it
        return wrapped

    return decorate


def _folder(root: str) -> str:
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
