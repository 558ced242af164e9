"""``advisor effective``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option
from advisor.cli.configured import Read, configured

Directive = Annotated[str, Option((), "As it stands in nginx.conf: keepalive_timeout.", "DIRECTIVE")]
Server = Annotated[str | None, Option(("--server",), "Only what takes this host name, as nginx chooses.", "NAME")]
Uri = Annotated[str | None, Option(("--location",), "Only what takes this URI (decoded, no query), or @name.", "URI")]


@configured
def command(
    *, read: Read, directive: Directive, server: Server = None, location: Uri = None, formats: o.Formats = None
) -> int:
    """Say which value of a directive applies, for each server and location, and the lines that set or replaced it.

    Where HTTP/1.x, HTTP/2, HTTP/3 or TLS ask another block than the one that serves the request, that is said, too.

    Examples:
        advisor effective keepalive_timeout
        advisor effective proxy_set_header --server a.example --location /api/
        advisor effective keepalive_requests --no-host --nginx-conf nginx.conf --nginx-version 1.18.0
    """
    from advisor.jobs import effective, effective_text
    from advisor.jobs.write import write

    wanted = o.formats(formats, effective_text.FORMATS)
    report = effective.effective(read().snapshot, directive, server, location)
    sys.stdout.write(write(wanted, lambda name, _: effective_text.FORMATS[name](report, o.width())))
    return 0
