"""What reading may cost: CPU time of this process and of the children it waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

NICEST = 19
"""The kernel takes nothing above (nice(2)); disks, too, then serve others first (ioprio_get(2): level 7 of 7)."""
CPU_S = 2.0
"""Seconds of CPU that reading may take on any host."""
_SAMPLE_S = 0.1


def cpu() -> float:
    """CPU seconds so far, user and system; those of children to a hundredth (times(2))."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


class Budget:
    """CPU seconds, of which some are spent.

    Args:
        seconds: how many there are, from now on.
        clock: CPU seconds so far.
    """

    def __init__(self, seconds: float = CPU_S, clock: Callable[[], float] = cpu) -> None:
        self.seconds = seconds
        self._clock = clock
        self._begun = clock()

    @property
    def spent(self) -> float:
        """CPU seconds since it was made."""
        return self._clock() - self._begun

    @property
    def left(self) -> float:
        """What may still be spent; 0 when it is used up."""
        return max(0.0, self.seconds - self.spent)

    def affords(self, seconds: float = 0.0) -> bool:
        """Whether a quarter would be left after so much more: what can do with less leaves that to the sockets."""
        return self.left - seconds >= self.seconds / 4

    def most(self) -> float:
        """What the sockets may cost, in seconds: their owners follow, and where nothing is left a sample is taken."""
        return max(_SAMPLE_S, self.left * 3 / 4)

    @property
    def why(self) -> str:
        """Why a source was left out that came too late."""
        return f"left out: more CPU than the {self.seconds:g} s of reading; --budget {2 * self.seconds:g} allows more"


def be_nice() -> None:
    """Let everybody else go first, from now on: nice 19. What can't be had is no reason to stop."""
    with suppress(OSError):
        os.nice(NICEST)
