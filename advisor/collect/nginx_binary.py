"""What an nginx binary says of itself, from its bytes: it is never executed."""

from __future__ import annotations

import re
from typing import NamedTuple

from advisor.collect.nginx_includes import unreadable
from advisor.system import MIB, System

_MOST_BINARY = 64 * MIB
_VERSION = re.compile(rb"nginx/(\d{1,4}\.\d{1,4}\.\d{1,4})(?=[\0\n])")
_ARGUMENTS = re.compile(rb"configure arguments:([^\0\n]{0,65536})[\0\n]")
_ARGUMENT = re.compile(r"(?:[^\s']|'[^']*')+")


class Built(NamedTuple):
    """What was compiled in: each None where the bytes do not tell.

    ``version`` is NGINX_VER's (src/core/nginx.h), the others are those of ``configure`` (nginx's auto/options), with
    its defaults /usr/local/nginx, conf/nginx.conf and logs/error.log; an empty prefix is none.
    """

    version: str | None = None
    prefix: str | None = None
    conf: str | None = None
    error_log: str | None = None


def built(binary: bytes) -> Built:
    """What a binary's bytes say."""
    found = _VERSION.search(binary)
    version = found[1].decode() if found else None
    arguments = _ARGUMENTS.search(binary)
    if arguments is None:
        return Built(version)
    words = [word.partition("=") for word in _ARGUMENT.findall(arguments[1].decode("utf-8", "surrogateescape"))]
    said = {name: value.strip("'") for name, _, value in words}
    return Built(
        version,
        said.get("--prefix", "/usr/local/nginx") or None,
        said.get("--conf-path", "conf/nginx.conf"),
        said.get("--error-log-path", "logs/error.log"),
    )


def read_built(system: System, pid: int) -> Built:
    """What the executable of a running nginx says, also one that was deleted by an upgrade.

    Raises:
        InputError: when it can't be read.
    """
    path = f"/proc/{pid}/exe"
    try:
        return built(system.read(path, _MOST_BINARY))
    except OSError as error:
        raise unreadable(path, path, error) from None
