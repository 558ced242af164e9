"""Which nginx configuration is meant, and where it stands: what the user named, what runs, or where packages put it."""

from __future__ import annotations

import os
from typing import NamedTuple

from advisor.collect.budget import Budget
from advisor.collect.nginx import Content, read_nginx
from advisor.collect.nginx_binary import Built, read_built
from advisor.collect.nginx_files import Dump
from advisor.collect.nginx_includes import printable, real_path, unreadable
from advisor.errors import InputError
from advisor.formats.nginx_dump import first_name, is_dump, split
from advisor.records import replace
from advisor.snapshot.model import Nginx
from advisor.system import MIB, System, standard_input

STDIN = "<stdin>"
"""What a configuration is called that was piped in."""
USUAL = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")
"""Where packages put it, and where nginx does when it is built without a word (nginx.org, Building from Sources)."""

_LARGEST = 16 * MIB
_LARGEST_DUMP = 256 * MIB

Problems = list[tuple[str, str]]


class Asked(NamedTuple):
    """What the user said: the main file, a dump, or ``-``; nginx's prefix; its version; each None when not said."""

    conf: str | None = None
    prefix: str | None = None
    version: str | None = None


class Master(NamedTuple):
    """What a running master was started with: its main file and its prefix, None where that can't be told."""

    conf: str
    prefix: str | None


def read_configuration(
    system: System, asked: Asked, pid: int | None, budget: Budget | None = None
) -> tuple[Nginx, Problems]:
    """The configuration that is meant, with the prefix and the version where they are known.

    Args:
        system: the machine or the tree.
        asked: what the user said. A relative file begins at the prefix, as for ``nginx -c``, else where we are
            (in a tree: at its top).
        pid: the running master's, if there is one.
        budget: of a run that looks for it by itself; see `advisor.collect.nginx.read_nginx`.

    Raises:
        InputError: when it can't be found, read or understood.
    """
    built, problems = _built(system, asked, pid)
    prefix = None if asked.prefix is None else _absolute(system, asked.prefix, None).rstrip("/") or "/"
    if asked.conf is None:
        conf, prefix = _found(system, prefix, pid, built)
        config, more = read_nginx(system, conf, budget=budget)
    else:
        config, more = _named(system, asked.conf, prefix)
        if prefix is None and pid is not None:
            prefix = _prefix_of(system, config, pid, built)
    return replace(config, prefix=prefix, version=asked.version or built.version), [*problems, *more]


def _built(system: System, asked: Asked, pid: int | None) -> tuple[Built, Problems]:
    if pid is None:
        return Built(), []
    try:
        return read_built(system, pid), []
    except InputError as error:
        if asked.version is not None:
            return Built(), []
        why = f"its version is not known: {error}; --nginx-version 1.22.1 would say it"
        return Built(), [("nginx", why)]


def _named(system: System, conf: str, prefix: str | None) -> tuple[Nginx, Problems]:
    if conf == "-":
        return _piped(system, prefix)
    path = _absolute(system, conf, prefix)
    name = printable(path)
    real = real_path(system, name, path)
    try:
        content = system.read_settled(path, _LARGEST_DUMP)
    except OSError as error:
        raise unreadable(name, path, error) from None
    # A file that names itself in its first line is no dump: nginx would load it as it is.
    if is_dump(content[0]) and first_name(content[0]) not in {path, real}:
        return _dumped(content[0], name)
    return read_nginx(system, real, _plain(content, name), os.path.dirname(path))


def _piped(system: System, prefix: str | None) -> tuple[Nginx, Problems]:
    try:
        content = standard_input(_LARGEST_DUMP)
    except OSError as error:
        raise InputError(f"{STDIN}: can't be read: {error.strerror}; pipe in a file, or name one") from None
    if is_dump(content):
        return _dumped(content, STDIN)
    folder = prefix if prefix is not None or system.live else os.path.dirname(USUAL[0])
    return read_nginx(system, STDIN, _plain((content, None), STDIN), folder)


def _dumped(content: bytes, name: str) -> tuple[Nginx, Problems]:
    dump = Dump(split(content, name))
    return read_nginx(dump, dump.entry)


def _plain(content: Content, name: str) -> Content:
    if len(content[0]) > _LARGEST:
        raise InputError(f"{name}: larger than the {_LARGEST // MIB} MiB that are read of one file; split it")
    return content


def _absolute(system: System, path: str, prefix: str | None) -> str:
    if path.startswith("/"):
        return path
    if prefix is not None or not system.live:
        return f"{prefix or ''}/{path}"
    try:
        return os.path.abspath(path)
    except OSError as error:
        raise unreadable(path, path, error) from None


def _found(system: System, prefix: str | None, pid: int | None, built: Built) -> tuple[str, str | None]:
    """The configuration of the running master, or the usual one; and the prefix."""
    if pid is None:
        return find_entry(system, prefix), prefix
    if not _same_files(pid):
        raise InputError(f"nginx (pid {pid}) runs on another file system, in a container: run advisor in there")
    return _master(system, prefix, pid, built)


def _master(system: System, prefix: str | None, pid: int, built: Built) -> Master:
    from advisor.collect.processes import master_arguments  # noqa: PLC0415 (4 ms, where nginx runs)

    conf, given = master_arguments(system, pid)
    prefix = prefix or (built.prefix if given is None else _from_its_folder(system, given, pid))
    conf = conf or built.conf
    if conf is None:
        return Master(find_entry(system, prefix), prefix)
    if not conf.startswith("/") and prefix is None:
        raise InputError(f"nginx (pid {pid}) runs with '{printable(conf)}' below a prefix that only --prefix can tell")
    return Master(conf if conf.startswith("/") else f"{prefix}/{conf}", prefix)


def _from_its_folder(system: System, prefix: str, pid: int) -> str:
    """A relative ``-p`` begins in the folder that the master was started in, and stays in."""
    if prefix.startswith("/"):
        return prefix
    path = f"/proc/{pid}/cwd/{prefix}"
    return real_path(system, path, path)


def _prefix_of(system: System, config: Nginx, pid: int, built: Built) -> str | None:
    """The running master's prefix, if it is that configuration which it runs."""
    try:
        master = _master(system, None, pid, built)
        return master.prefix if system.real(master.conf) == config.entry else None
    except (InputError, OSError):
        return None


def find_entry(system: System, prefix: str | None = None) -> str:
    """The main configuration file where nginx looks for it below a prefix, and where packages put it.

    Raises:
        InputError: when it is not there.
    """
    for path in (*([f"{prefix}/conf/nginx.conf"] if prefix else []), *USUAL):
        if system.exists(path):
            return path
    raise InputError(f"{USUAL[0]}: not there; name nginx's main configuration file (nginx -V says --conf-path)")


def _same_files(pid: int) -> bool:
    """Whether a process sees the same root folder as we do; yes where we may not ask."""
    try:
        theirs, ours = os.stat(f"/proc/{pid}/root"), os.stat("/")
    except OSError:
        return True
    return (theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino)
