"""The options of the commands that look at nginx's configuration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from advisor.cli import reading as r
from advisor.cli.command import say
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.snapshot.model import Snapshot


def configuration(
    *,
    nginx_conf: r.NginxConf = None,
    prefix: r.Prefix = None,
    no_host: r.NoHost = False,
    root: r.Root = "/",
    snapshot: r.Kept = None,
    nginx_version: r.NginxVersion = None,
) -> Snapshot:
    """Read nginx's configuration, and nothing else of the host.

    Raises:
        AdvisorError: when it can't be had.
    """
    from advisor.collect.run import Request
    from advisor.formats.text import encodable
    from advisor.jobs import load

    if snapshot is not None and (no_host or nginx_conf or prefix or root != "/"):
        raise UsageError("--snapshot holds the configuration; leave out the options that name another one")
    request = Request(
        root=r.folder(root),
        host=not no_host,
        nginx_conf=nginx_conf,
        nginx_prefix=prefix,
        nginx_version=nginx_version,
        nginx_only=True,
    )
    with r.Progress() as progress:
        found = load.configuration(request, snapshot, progress)
    for source, why in found.problems:
        if source == "nginx":
            say(f"note: {encodable(why)}")
    return found
