"""One key at boot: its value under each reader, the lines that have no say, who sets it later, and the live value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from advisor.errors import Unread
from advisor.facts.boot_readers import LAST, Line, Outcome
from advisor.facts.boot_value import plain, same, start
from advisor.facts.boot_writers import Third
from advisor.facts.places import Location
from advisor.facts.sysctl import located
from advisor.facts.values import Item
from advisor.snapshot.model import Host, Snapshot, Sysctls

_SHIPPED = ("/usr/", "/lib/")
"""What packages bring: the administrator's files are there to override it."""


class Around(NamedTuple):
    """What a key is seen against: the snapshot, and whether systemd-sysctl reads /etc/sysctl.conf, too."""

    snapshot: Snapshot
    linked: bool


class BootKey(Item):
    """A key that files set.

    Args:
        key: its name.
        boot: what systemd-sysctl leaves in it; None where it writes nothing.
        hand: what ``sysctl --system`` leaves in it.
        thirds: who sets it after boot.
        around: see there.
    """

    def __init__(
        self, key: str, boot: Outcome | None, hand: Outcome | None, thirds: tuple[Third, ...], around: Around
    ) -> None:
        self.key_name = key
        self.boot = boot if boot is not None and boot.winner is not None else None
        self.hand = hand if hand is not None and hand.winner is not None else None
        self.thirds = thirds
        self._around = around

    @property
    def id(self) -> str:  # type: ignore[override]  # computed, never stored
        """The key."""
        return self.key_name

    @property
    def booted(self) -> str | None:
        """What systemd-sysctl sets at boot (``?`` for a part that it leaves); unset where it sets nothing."""
        return self.boot.text if self.boot else None

    @property
    def booted_at(self) -> str | None:
        """The file and line that give it."""
        return _place(self.boot)

    @property
    def reloaded(self) -> str | None:
        """What ``sysctl --system`` sets; unset where it sets nothing."""
        return self.hand.text if self.hand else None

    @property
    def reloaded_at(self) -> str | None:
        """The file and line that give it."""
        return _place(self.hand)

    @property
    def live(self) -> str | None:
        """The value in force, blanks made single; unset where this kernel or namespace has no such key."""
        live: Sysctls = self._around.snapshot.need("sysctls")
        if self.key_name in live.values:
            return " ".join(live.values[self.key_name].split())
        if self.key_name in live.absent:
            return None
        raise Unread(
            "sysctls", f"{self.key_name} could not be read: {live.refused.get(self.key_name, 'not collected')}"
        )

    @property
    def here(self) -> bool:
        """Whether the files are those of the network namespace that was read: not so in a container or another one."""
        host: Host = self._around.snapshot.need("host")
        return host.netns == "host" and host.container is None

    @property
    def drifted(self) -> bool:
        """Whether the value in force is neither the one of boot nor the one of a later ``sysctl --system``."""
        self._still()
        live = plain(self.key_name, self.live or "")
        given = [one.words for one in (self.boot, self.hand) if one is not None]
        return bool(given) and all(same(live, words) is False for words in given)

    @property
    def disagree(self) -> bool:
        """Whether ``sysctl --system`` changes what boot gave, for another reason than `only_by_hand` alone."""
        self._still()
        if self.boot is None or self.hand is None:
            one = self.boot or self.hand
            unread = self.boot is None and self.only_by_hand
            return one is not None and not unread and same(one.words, start(self.key_name)) is not True
        alike = same(self.boot.words, self.hand.words)
        if alike is None:
            raise Unread("sysctl_files", f"{self.key_name} is set in part, or to more than the readers pass on at once")
        return not alike

    @property
    def only_by_hand(self) -> bool:
        """Whether /etc/sysctl.conf alone decides, boot does not read it, and boot's value is another."""
        if self.hand is None or self.hand.winner is None or self.hand.winner.file.path != LAST or self._around.linked:
            return False
        return same(self.hand.words, self.boot.words if self.boot else start(self.key_name)) is not True

    @property
    def overruled(self) -> str | None:
        """The administrator's own lines for it that another of theirs replaces at boot by another value."""
        self._still()
        if self.boot is None or self.boot.winner is None or self.boot.winner.file.path.startswith(_SHIPPED):
            return None
        said = [f"{line.place} ({line.setting.value})" for line in islice(self._lost(self.boot), 3)]
        return ", ".join(said) or None

    @property
    def writer(self) -> str | None:
        """Who sets it after boot, and where that is said."""
        return ", ".join(f"{one.writer} ({one.place})" for one in self.thirds) or None

    @property
    def overwritten(self) -> str | None:
        """Who sets it after boot to another value than boot gave."""
        self._still()
        said = [
            f"{one.writer} sets {one.value} ({one.place})"
            for one in self.thirds
            if one.value is not None and not one.yields and self.boot is not None and not self._agrees(one.value)
        ]
        return ", ".join(said) or None

    @property
    def location(self) -> Location:
        """The line that wins at boot, else by hand."""
        one = self.boot or self.hand
        if one is None or one.winner is None:
            return Location(logical=self.key_name, key=self.key_name)
        return located(one.winner.file, one.winner.setting)

    def _still(self) -> None:
        """Raise Unread where a patch that is not applied yet sets it."""
        self._around.snapshot.still("boot", self.key_name)

    def _agrees(self, value: str) -> bool:
        """Whether a third writer's text comes to what boot gave; TuneD's ``>`` and its variables may."""
        text = value.strip("\"'")
        if self.boot is None or text.startswith((">", "<")) or "${" in text:
            return True
        return same(plain(self.key_name, text), self.boot.words) is not False

    def _lost(self, outcome: Outcome) -> Iterator[Line]:
        for line in outcome.shadowed:
            differs = same(plain(self.key_name, line.setting.value), outcome.words) is False
            if differs and not line.setting.wild and not line.file.path.startswith(_SHIPPED):
                yield line


def _place(outcome: Outcome | None) -> str | None:
    return outcome.winner.place if outcome is not None and outcome.winner is not None else None
