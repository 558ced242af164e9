"""``advisor effective``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from advisor.cli import options as o
from advisor.cli import sysctls as s
from advisor.cli.command import Command, Option

if TYPE_CHECKING:
    from advisor.jobs.effective import Report
    from advisor.jobs.effective_sysctl import SysctlReport

Name = Annotated[
    str,
    Option(
        (), "A directive (keepalive_timeout), or a sysctl (net.core.somaxconn, net/core/somaxconn).", "DIRECTIVE|KEY"
    ),
]
Server = Annotated[str | None, Option(("--server",), "Only what takes this host name, as nginx chooses.", "NAME")]
Uri = Annotated[str | None, Option(("--location",), "Only what takes this URI (decoded, no query), or @name.", "URI")]


def _command(
    *, read: s.Read, name: Name, server: Server = None, location: Uri = None, formats: o.Formats = None
) -> int:
    """Say which value of a directive or a sysctl applies, and the lines that set or replaced it.

    A directive is looked up for each server and location; where HTTP/1.x, HTTP/2, HTTP/3 or TLS ask another block than
    the one that serves the request, that is said, too. A sysctl has the value in force, the one that boot gives, and
    the one of sysctl --system.

    Examples:
        advisor effective keepalive_timeout
        advisor effective proxy_set_header --server a.example --location /api/
        advisor effective keepalive_requests --no-host --nginx-conf nginx.conf --nginx-version 1.18.0
        advisor effective net.core.somaxconn
    """
    from advisor.jobs import effective_sysctl
    from advisor.jobs.effective_text import FORMATS
    from advisor.jobs.write import write

    wanted = o.formats(formats, FORMATS)
    report: Report | SysctlReport
    if effective_sysctl.is_sysctl(name):
        report = effective_sysctl.effective(read().sysctls(effective_sysctl.key_of(name), server or location), name)
    else:
        from advisor.jobs import effective

        report = effective.effective(read().configuration(), name, server, location)
    sys.stdout.write(write(wanted, lambda format_, _: FORMATS[format_](report, o.width())))
    return 0


command = Command(_command, s.sources)
