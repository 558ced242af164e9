"""The real systemd-sysctl and ``sysctl --system`` on folders of their own, in namespaces of their own.

Run as a script, it takes scenarios as JSON on standard input and answers with the values that each reader leaves. Only
sysctls that a network namespace has of its own may be named: all others would reach the host.
"""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

COMMANDS = {"systemd-sysctl": ["/usr/lib/systemd/systemd-sysctl"], "sysctl --system": ["/usr/sbin/sysctl", "--system"]}
"""By reader."""
SAFE = ("net/core/somaxconn", "net/ipv4/tcp_", "net/ipv4/ip_local_", "net/ipv4/ip_unprivileged_port_start")
"""The beginnings of keys of which a network namespace has its own."""
SHARED = ("tcp_mem", "tcp_max_orphans")
"""What begins so, and is the host's all the same."""

_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
_NEWNS, _NEWNET, _REC, _PRIVATE = 0x20000, 0x40000000, 0x4000, 0x40000


def ask(scenarios: list[dict[str, Any]]) -> list[dict[str, dict[str, str]]]:
    """The values of each scenario's keys, by reader.

    A scenario has ``files`` (path to text, or to ``-> TARGET`` for a link) and ``keys``.
    """
    done = subprocess.run(
        [sys.executable, __file__], input=json.dumps(scenarios), capture_output=True, text=True, timeout=120, check=True
    )
    answer: list[dict[str, dict[str, str]]] = json.loads(done.stdout)
    return answer


class _Libc:
    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)

    def unshare(self, what: int) -> None:
        self._check(self.libc.unshare(what), "unshare")

    def mount(self, kind: bytes, where: bytes, flags: int = 0) -> None:
        self._check(self.libc.mount(b"none", where, kind, flags, None), f"mount on {where!r}")

    @staticmethod
    def _check(result: int, what: str) -> None:
        if result:
            raise OSError(ctypes.get_errno(), what)


def _private(libc: _Libc) -> None:
    """Empty folders that nobody else sees."""
    libc.unshare(_NEWNS)
    libc.mount(b"none", b"/", _REC | _PRIVATE)
    for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib/sysctl.d"):
        libc.mount(b"tmpfs", folder.encode())
    for folder in _FOLDERS:
        pathlib.Path(folder).mkdir(exist_ok=True)


def _write(files: dict[str, str]) -> None:
    for folder in (*_FOLDERS, "/etc"):
        for path in pathlib.Path(folder).iterdir():
            if not path.is_dir():
                path.unlink()
    for name, text in files.items():
        if text.startswith("-> "):
            pathlib.Path(name).symlink_to(text[3:])
        else:
            pathlib.Path(name).write_bytes(text.encode("latin-1"))


def _harmless(files: dict[str, str], keys: list[str]) -> None:
    """Refuse what could reach the host: every key that a line names must be the namespace's own."""
    words = [line.partition("=")[0] for text in files.values() for line in text.replace("\0", "\n").split("\n")]
    for word in [*words, *keys]:
        key = word.replace("\r", "").strip(" \t-#;/").replace(".", "/").replace("//", "/")
        if key.startswith(("fs/", "vm/", "kernel/")) or key.endswith(SHARED):
            raise ValueError(f"{word}: the host's")
        if "*" in key and not key.startswith(SAFE) and not key.startswith("net/core/som"):
            raise ValueError(f"{word}: reaches too far")


def _values(keys: list[str]) -> dict[str, str]:
    return {key: " ".join(pathlib.Path("/proc/sys/" + key.replace(".", "/")).read_text().split()) for key in keys}


def main() -> None:
    """Answer."""
    libc = _Libc()
    home = os.readlink("/proc/self/ns/net")
    scenarios = json.load(sys.stdin)
    _private(libc)
    answers = []
    for scenario in scenarios:
        _harmless(scenario["files"], scenario["keys"])
        _write(scenario["files"])
        values = {}
        for reader, command in COMMANDS.items():
            libc.unshare(_NEWNET)
            if os.readlink("/proc/self/ns/net") == home:
                raise RuntimeError("still in the network namespace of the host")
            # What it returns is no measure: what counts is what stands in /proc/sys afterwards.
            subprocess.run(command, capture_output=True, timeout=30, check=False)
            values[reader] = _values(scenario["keys"])
        answers.append(values)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
