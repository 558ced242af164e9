"""Judge a snapshot, and say what was found."""

from __future__ import annotations

from advisor.engine.judging import Judging
from advisor.jobs.answered import answered as told
from advisor.jobs.configure import Settings
from advisor.jobs.seen import Seen
from advisor.jobs.write import write
from advisor.report import FORMATS
from advisor.report.result import Result, result_of
from advisor.snapshot.model import Snapshot


def audit(snapshot: Snapshot, judging: Judging) -> Result:
    """What the rules say of a snapshot."""
    return result_of(snapshot, Seen("", snapshot, judging).verdicts)


def answered(snapshot: Snapshot, settings: Settings) -> Result:
    """The same by the configuration in force; findings that somebody answers for are marked."""
    return result_of(snapshot, told(snapshot, settings))


def outputs(result: Result, formats: list[tuple[str, str | None]], width: int, *, colour: bool) -> str:
    """Render every format asked for; those with a file are written there, the rest is returned for standard output.

    Raises:
        InputError: when a file can't be written.
    """
    return write(formats, lambda name, path: FORMATS[name](result, width=width, colour=colour and path is None))
