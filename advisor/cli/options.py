"""Options that several commands share, and how they become a request."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from advisor.errors import UsageError
from advisor.findings import Confidence, Severity

if TYPE_CHECKING:
    from advisor.engine.rule import Rule
    from advisor.snapshot.model import Snapshot

_NARROW = 80

NginxConf = Annotated[
    str | None,
    typer.Option("--nginx-conf", metavar="PATH", help="nginx's main configuration file; found by itself if left out."),
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
Formats = Annotated[
    list[str] | None,
    typer.Option("-f", "--format", metavar="FORMAT[=FILE]", help="text or json, to a file if named; repeatable."),
]
Unsafe = Annotated[bool, typer.Option("--unsafe", help="Take steps, too, that may change or drop somebody's traffic.")]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a command works on."""

    snapshot: Snapshot
    rules: list[Rule]
    overrides: dict[str, str]


def inputs(  # noqa: PLR0913 (the options that the commands share, one by one)
    *,
    nginx_conf: str | None,
    sysctl_file: list[str] | None,
    no_host: bool,
    root: str,
    snapshot: str | None,
    sample: float,
    stub_status: bool,
    param: list[str] | None,
    nginx_version: str | None,
    select: list[str] | None,
    ignore: list[str] | None,
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
        sysctl_files=tuple(sysctl_file or ()),
        sample=sample,
        stub_status=stub_status,
        nginx_version=nginx_version,
        site=tuple(site.items()),
    )
    if snapshot is not None and (no_host or nginx_conf or sysctl_file or root != "/" or stub_status):
        raise UsageError("--snapshot holds all that is judged; leave out the options that name other things to read")
    with Progress() as say:
        taken = load.snapshot(request, snapshot, say)
    return Inputs(taken, load.chosen(everything, select or (), ignore or ()), own)


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


def formats(texts: list[str] | None) -> list[tuple[str, str | None]]:
    """``json=out.json`` into name and file; text to standard output when nothing is said.

    Raises:
        UsageError: for a format there is none of, or two for standard output.
    """
    from advisor.report import FORMATS

    found: list[tuple[str, str | None]] = []
    for text in texts or ["text"]:
        name, _, path = text.partition("=")
        if name not in FORMATS:
            raise UsageError(f"-f {text}: no such format; known: {', '.join(FORMATS)}")
        found.append((name, path or None))
    if sum(path is None for _, path in found) > 1:
        raise UsageError("two formats for standard output; send all but one to a file: -f text -f json=out.json")
    return found


def width() -> int:
    """The terminal's width, at least 40; 80 in a pipe unless COLUMNS says otherwise."""
    return max(40, shutil.get_terminal_size((_NARROW, 24)).columns)


def colour() -> bool:
    """Whether standard output is a terminal whose user did not ask for plain text (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def severity(text: str) -> Severity:
    """A severity's word.

    Raises:
        UsageError: when it is none.
    """
    for one in Severity:
        if one.word == text:
            return one
    raise UsageError(f"'{text}' is no severity; known: {', '.join(one.word for one in Severity)}")


def confidence(text: str) -> Confidence:
    """A confidence's word.

    Raises:
        UsageError: when it is none.
    """
    for one in Confidence:
        if one.word == text:
            return one
    raise UsageError(f"'{text}' is no confidence; known: {', '.join(one.word for one in Confidence)}")
