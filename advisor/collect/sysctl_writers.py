"""Who sets sysctls after boot: the files of ufw and of TuneD's profile, and which other programs are seen to be there.

ufw(8); tuned-main.conf(5), tuned.conf(5); `advisor.catalog.writers` says what the others set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.catalog.writers import SYSTEMD_SYSCTL, TUNED, TUNED_LAST, UFW
from advisor.snapshot.model import SysctlFile
from advisor.system import MIB, System

Problems = list[tuple[str, str]]

_SEEN = {
    "kube-proxy": ("/var/lib/kube-proxy/config.conf", "/var/lib/kube-proxy/kubeconfig"),
    "kubelet": ("/var/lib/kubelet/config.yaml",),
    "Docker": ("/usr/bin/dockerd", "/usr/sbin/dockerd"),
    SYSTEMD_SYSCTL: ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl"),
}
"""By program: where its files are, of which one is enough."""
_PROFILES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
"""Where TuneD looks for a profile, the first first; releases before 2.24 know the second and the last."""
_MOST_PROFILES = 20
"""Profiles that include one another, at most."""
_SECTION = re.compile(rb"\s*\[([^]\n]*)\]")
_SETTING = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_OFF = {"0", "n", "f", "no", "false", "off"}
_SYSCTL = b"sysctl"


def read_writers(system: System, problems: Problems) -> list[SysctlFile]:
    """Files of other writers, in the order in which each applies its own, and a mark for each program that is there.

    Args:
        system: the machine or tree.
        problems: gets what can't be read.
    """
    files = [
        SysctlFile(path=path, content=b"", writer=writer)
        for writer, paths in _SEEN.items()
        for path in [one for one in paths if system.exists(one)][:1]
    ]
    return [*files, *_ufw(system, problems), *_tuned(system, problems)]


def _ufw(system: System, problems: Problems) -> Iterator[SysctlFile]:
    """What ufw gives to sysctl(8) when it is switched on."""
    enabled = _settings(_text(system, "/etc/ufw/ufw.conf", problems)).get("ENABLED", "no")
    path = _settings(_text(system, "/etc/default/ufw", problems)).get("IPT_SYSCTL", "")
    if enabled.lower() == "yes" and path.startswith("/"):
        content = _bytes(system, path, problems)
        if content is not None:
            yield SysctlFile(path=path, content=content, writer=UFW)


def _tuned(system: System, problems: Problems) -> list[SysctlFile]:
    """The files of the active profile, those that it includes first, with nothing left but what sets sysctls."""
    names = _text(system, "/etc/tuned/active_profile", problems).split()
    main = _settings(_text(system, "/etc/tuned/tuned-main.conf", problems))
    writer = TUNED_LAST if main.get("reapply_sysctl", "1").lower() in _OFF else TUNED
    todo = [name for name in names[::-1] if name]
    found: list[SysctlFile] = []
    seen: set[str] = set()
    while todo and len(seen) < _MOST_PROFILES:
        name = todo.pop()
        path = None if name in seen or "/" in name else _profile(system, name)
        seen.add(name)
        content = None if path is None else _bytes(system, path, problems)
        if path is None or content is None:
            continue
        found.append(SysctlFile(path=path, content=_only_sysctl(content), writer=writer))
        todo += _included(content)
    return found[::-1]


def _profile(system: System, name: str) -> str | None:
    paths = (f"{folder}/{name}/tuned.conf" for folder in _PROFILES)
    return next((path for path in paths if system.exists(path)), None)


def _included(content: bytes) -> list[str]:
    """The profiles that a profile names, the last of them first."""
    said = _settings(content.decode("utf-8", "replace")).get("include", "")
    return [name for name in re.split(r"[,;\s]+", said) if name and "$" not in name][::-1]


def _only_sysctl(content: bytes) -> bytes:
    """The lines of the section [sysctl] where they stand; all others empty."""
    inside = False
    lines = []
    for line in content.split(b"\n"):
        section = _SECTION.match(line)
        if section is not None:
            inside = section[1].strip() == _SYSCTL
        lines.append(line if inside and section is None else b"")
    return b"\n".join(lines)


def _settings(text: str) -> dict[str, str]:
    """``NAME=VALUE`` lines of a file that a shell, or TuneD, reads; quotes taken off."""
    return {found[1]: found[2].strip("\"'") for found in _SETTING.finditer(text)}


def _text(system: System, path: str, problems: Problems) -> str:
    content = _bytes(system, path, problems)
    return "" if content is None else content.decode("utf-8", "replace")


def _bytes(system: System, path: str, problems: Problems) -> bytes | None:
    try:
        return system.read(path, MIB)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        problems.append(("sysctl_files", f"{path} can't be read: {error.strerror}"))
        return None
