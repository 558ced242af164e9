"""``advisor upgrade-check``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli import reading as r
from advisor.cli.command import Option
from advisor.cli.configured import configuration

Was = Annotated[str, Option((), "The version that runs: 1.22.1.", "FROM")]
Now = Annotated[str, Option((), "The version to come; an older one is a step back.", "TO")]
Conf = Annotated[str | None, Option((), "nginx's main file, or what nginx -T printed.", "CONF")]


def command(  # noqa: PLR0913 (two versions, and where the configuration is)
    *,
    was: Was,
    now: Now,
    conf: Conf = None,
    formats: o.Formats = None,
    prefix: r.Prefix = None,
    no_host: r.NoHost = False,
    root: r.Root = "/",
    snapshot: r.Kept = None,
) -> int:
    """Say what changes its meaning in a configuration between two versions of nginx, and what keeps it as it was.

    Exit code 1: the version to come would not start with this configuration.

    Examples:
        advisor upgrade-check 1.22.1 1.30.0
        advisor upgrade-check 1.28.0 1.29.7 nginx.conf -f json
    """
    from advisor.jobs import upgrade
    from advisor.jobs.write import write

    wanted = o.formats(formats, upgrade.FORMATS)
    read = configuration(nginx_conf=conf, prefix=prefix, no_host=no_host, root=root, snapshot=snapshot)
    report = upgrade.check(read, was, now)
    sys.stdout.write(write(wanted, lambda name, _: upgrade.FORMATS[name](report, o.width())))
    return 1 if report.refused else 0
