"""``advisor audit``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option
from advisor.cli.reading import Read, reads
from advisor.errors import UsageError

Plan = Annotated[bool, Option(("--plan",), "Say what would be read and what that would cost; read nothing.")]


@reads()
def command(*, read: Read, formats: o.Formats = None, plan: Plan = False) -> int:
    """Say what holds this host and its nginx back, with the numbers. Nothing is written.

    Examples:
        advisor audit
        advisor audit --plan
        advisor audit --param load_balancer_idle='60 s' -f text -f json=audit.json
        advisor audit --no-host --nginx-conf nginx.conf --sysctl-file 90-web.conf
    """
    if plan:
        return _plan(read, formats)
    from advisor.jobs import audit

    wanted = o.formats(formats)
    given = read()
    result = audit.answered(given.snapshot, given.settings)
    sys.stdout.write(audit.outputs(result, wanted, o.width(), colour=o.colour()))
    return 0 if result.judged else 3


def _plan(read: Read, formats: list[str] | None) -> int:
    from advisor.collect.forecast import forecast
    from advisor.jobs.forecast import FORMATS
    from advisor.jobs.write import write

    wanted = o.formats(formats, FORMATS)
    given = read()
    if given.kept is not None:
        raise UsageError("--plan says what would be read, and a snapshot was; leave out one of them")
    told = forecast(given.request)
    sys.stdout.write(write(wanted, lambda name, _: FORMATS[name](told, o.width())))
    return 0
