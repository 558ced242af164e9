"""The root ``workload``: what the user says that the host is for (``--profile``)."""

from __future__ import annotations

from typing import ClassVar

from advisor.snapshot.model import Snapshot

PROFILES: dict[str, str] = {
    "proxy": "it passes what clients ask for to other servers",
    "static": "it sends files of its own",
    "api": "it answers small requests of many clients on connections that live",
}
"""The workloads that rules know, and what they mean."""


class Workload:
    """What the host is for; nobody named it: everything is false."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, snapshot: Snapshot) -> None:
        self._profile = snapshot.profile

    @property
    def proxy(self) -> bool:
        """It passes what clients ask for to other servers."""
        return self._profile == "proxy"

    @property
    def static(self) -> bool:
        """It sends files of its own."""
        return self._profile == "static"

    @property
    def api(self) -> bool:
        """It answers small requests of many clients on connections that live."""
        return self._profile == "api"
