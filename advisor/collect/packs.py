"""The rule files: of a checkout, an editable install or a wheel alike, and of a folder the user names."""

from __future__ import annotations

import json
import os
from typing import Any

from advisor.errors import UsageError
from advisor.system import System

INDEX = "index.json"
_MOST = 2000
_LIMIT = 1024 * 1024


def builtin_folder() -> str:
    """Where the rules lie that came with this program.

    Raises:
        UsageError: when the installation lacks them.
    """
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for folder in (os.path.join(package, "_rules"), os.path.join(os.path.dirname(package), "rules")):
        if os.path.isdir(folder):
            return folder
    raise UsageError("the rules that belong to advisor are not installed; install it again")


def read_pack(folder: str | None = None) -> list[tuple[str, bytes]]:
    """Every ``*.yaml`` below a folder, sorted: its path relative to the folder's own parent, and its bytes.

    Raises:
        UsageError: when it is no folder, can't be read, holds no rule, or more than 2,000 of them.
    """
    top = os.path.realpath(folder or builtin_folder())
    files = [
        os.path.join(base, name)
        for base, _, names in sorted(os.walk(top))
        for name in sorted(names)
        if name.endswith(".yaml")
    ]
    if os.path.isfile(top):
        raise UsageError(f"{folder} is a file; name its folder: {os.path.dirname(folder or top) or '.'}")
    if not files:
        raise UsageError(f"{folder or top} holds no rule: a rule is a file NAME.yaml")
    if len(files) > _MOST:
        raise UsageError(f"{folder or top} holds more than {_MOST} rules")
    system = System()
    try:
        return [(os.path.relpath(path, os.path.dirname(top)), system.read(path, _LIMIT)) for path in files]
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from None


def read_index() -> Any:  # noqa: ANN401 (JSON, of which `advisor.engine.pack` says what it holds)
    """What was made of the rules that came with this program; None where it is missing, which only costs time.

    A folder that the user names has none: what is read there is checked.

    Raises:
        UsageError: when it can't be read.
    """
    path = os.path.join(builtin_folder(), INDEX)
    try:
        return json.loads(System().read(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read ({error}); install advisor again, or delete the file") from None
