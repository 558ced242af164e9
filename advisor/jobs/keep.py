"""Keep a snapshot in a file, masked unless asked otherwise."""

from __future__ import annotations

from advisor.errors import InputError
from advisor.facts.derive import READS
from advisor.snapshot.json import dumps
from advisor.snapshot.mask import mask
from advisor.snapshot.model import Snapshot
from advisor.system import write_whole


def to_json(snapshot: Snapshot, *, with_config: bool) -> str:
    """The snapshot as JSON; arguments that no fact reads are masked unless ``with_config``."""
    shown = snapshot if with_config else mask(snapshot, READS)
    return dumps(shown) + "\n"


def keep(text: str, path: str) -> None:
    """Write it for its owner alone.

    Raises:
        InputError: when it can't be written.
    """
    try:
        write_whole(path, text.encode(), mode=0o600)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}") from None
