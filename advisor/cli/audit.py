"""``advisor audit``."""

from __future__ import annotations

import sys

from advisor.cli import options as o
from advisor.cli.reading import Read, reads


@reads()
def command(*, read: Read, formats: o.Formats = None) -> int:
    """Say what holds this host and its nginx back, with the numbers. Nothing is written.

    Examples:
        advisor audit
        advisor audit --param load_balancer_idle='60 s' -f text -f json=audit.json
        advisor audit --no-host --nginx-conf nginx.conf --sysctl-file 90-web.conf
    """
    from advisor.jobs import audit

    wanted = o.formats(formats)
    given = read()
    result = audit.audit(given.snapshot, given.rules, given.overrides)
    sys.stdout.write(audit.outputs(result, wanted, o.width(), colour=o.colour()))
    return 0 if result.judged else 3
