"""``advisor patch``."""

from __future__ import annotations

import sys
from typing import Annotated

from advisor.cli import options as o
from advisor.cli.command import Option, say
from advisor.cli.reading import Read, reads

Out = Annotated[str, Option(("-o", "--out"), "The folder to write: new, empty, or a patch.", "DIR")]
Managed = Annotated[bool, Option(("--managed",), "Edit nginx files, too, that another program writes.")]


@reads()
def command(*, read: Read, out: Out, unsafe: o.Unsafe = False, managed: Managed = False) -> int:
    """Write the patch that cures what the audit finds, proved on what was read. Nothing is applied.

    Examples:
        advisor patch -o out/
        advisor patch -o out/ --unsafe --snapshot web-7.json
    """
    from advisor.jobs import patch
    from advisor.jobs.answered import left
    from advisor.remedy.plan import Allowed

    given = read()
    answered = left(given.snapshot, given.settings)
    made = patch.plan(given.snapshot, given.judging, Allowed(unsafe, managed), answered)
    paths = patch.write(made, out)
    sys.stdout.write(patch.summary(made, paths, o.width()))
    if answered:
        say(f"nothing is planned for {len(answered)} that somebody answers for; advisor audit -f json shows them")
    return 0
