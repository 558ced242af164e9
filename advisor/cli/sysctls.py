"""The options of a command that looks at nginx's configuration or at sysctls, whichever it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from advisor.cli import reading as r
from advisor.cli.configured import configuration
from advisor.errors import UsageError

if TYPE_CHECKING:
    from advisor.snapshot.model import Snapshot


class Sources(NamedTuple):
    """What the options name; each method reads what is asked for."""

    nginx_conf: str | None
    prefix: str | None
    sysctl_file: list[str]
    no_host: bool
    root: str
    snapshot: str | None
    nginx_version: str | None
    netns: str | None

    def configuration(self) -> Snapshot:
        """Nginx's configuration, and nothing else of the host.

        Raises:
            AdvisorError: when it can't be had.
        """
        if self.sysctl_file or self.netns:
            raise UsageError("--sysctl-file and --netns are for sysctls; leave them out for a directive of nginx")
        return configuration(
            nginx_conf=self.nginx_conf,
            prefix=self.prefix,
            no_host=self.no_host,
            root=self.root,
            snapshot=self.snapshot,
            nginx_version=self.nginx_version,
        )

    def sysctls(self, key: str, place: str | None) -> Snapshot:
        """Sysctls with the key among them, the files that set them, and nothing else of the host.

        Args:
            key: the key.
            place: what the user said of a server or location, which no sysctl has.

        Raises:
            AdvisorError: when they can't be had.
        """
        from advisor.collect.run import Request
        from advisor.jobs import load

        if place or self.nginx_conf or self.prefix or self.nginx_version:
            raise UsageError(f"{key} is a sysctl: leave out the options that are for directives of nginx")
        if self.snapshot is not None and (self.no_host or self.sysctl_file or self.netns or self.root != "/"):
            raise UsageError("--snapshot holds all that is read; leave out the options that name other things")
        request = Request(
            root=r.folder(self.root),
            host=not self.no_host,
            sysctl_files=tuple(self.sysctl_file),
            netns=self.netns,
            sample=0,
            only=("sysctl_files", "host", "sysctls"),
            sysctl_keys=(key,),
        )
        with r.Progress() as progress:
            return load.snapshot(request, self.snapshot, progress)


Read = Callable[[], Sources]
"""What the options name."""


def sources(  # noqa: PLR0913 (the options, one by one)
    *,
    nginx_conf: r.NginxConf = None,
    prefix: r.Prefix = None,
    sysctl_file: r.SysctlFiles = None,
    no_host: r.NoHost = False,
    root: r.Root = "/",
    snapshot: r.Kept = None,
    nginx_version: r.NginxVersion = None,
    netns: r.Netns = None,
) -> Sources:
    """What the options name; nothing is read yet."""
    return Sources(nginx_conf, prefix, sysctl_file or [], no_host, root, snapshot, nginx_version, netns)
