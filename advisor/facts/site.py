"""The root ``site``: what only the user can know, given as ``--param NAME=QUANTITY``."""

from __future__ import annotations

from typing import ClassVar

from advisor.errors import UsageError
from advisor.snapshot.model import Snapshot
from advisor.units import N, S, Unit, parse_quantity

PARAMETERS: dict[str, Unit] = {
    "load_balancer_idle": S,
    "backend_idle": S,
    "backend_capacity": N,
}
"""Every site fact with its unit; each may be unset."""

MEANINGS: dict[str, str] = {
    "load_balancer_idle": "for how long the balancer in front keeps an idle connection to this host",
    "backend_idle": "for how long the servers that nginx passes requests to keep an idle connection",
    "backend_capacity": "how many connections such a backend serves at once, as pm.max_children of PHP-FPM",
}


class Site:
    """Facts about the surroundings."""

    FACT_KIND: ClassVar[str] = "site"

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def value(self, name: str) -> float | None:
        """The value in base units; None when the user did not say."""
        text = self._snapshot.site.get(name)
        return None if text is None else parse_quantity(text).value


def check(name: str, text: str) -> None:
    """Make sure that a site fact is known and its quantity is of its kind.

    Raises:
        UsageError: when it is not.
    """
    if name not in PARAMETERS:
        known = ", ".join(sorted(PARAMETERS))
        raise UsageError(f"--param {name}: no such site fact; known: {known}; a rule's own is RULE.PARAMETER")
    quantity = parse_quantity(text)
    if quantity.unit != PARAMETERS[name]:
        raise UsageError(f"--param {name}={text}: expected {PARAMETERS[name].spoken}, for example '{name}=60 s'")
    if quantity.value < 0:
        raise UsageError(f"--param {name}={text}: a negative value has no meaning here")
