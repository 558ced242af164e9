"""The tree of errors. Every message names file:line or key, and the way out.

::

    AdvisorError            what a user may see; carries the exit code
    |-- UsageError          2  an argument or parameter that cannot be meant
    |-- RuleError           2  a rule file that cannot be used: file:line:column
    |-- ConfigError         2  an advisor.yaml that cannot be used, or followed: file:line:column
    |-- PlanError           2  a patch that cannot be proved: the rules that contradict
    `-- InputError          3  a target that cannot be read or understood: file:line
    Unread                  not an error of the user's: a fact touched a source that was not read;
                            the engine turns it into *unknown*, with the reason
"""

from __future__ import annotations


class AdvisorError(Exception):
    """Anything that ends the run with one clear message and a non-zero exit code.

    ``column`` is that of what is wrong, in characters from 1, where the message has the line and it is known.
    """

    exit_code = 2
    column: int | None = None


class UsageError(AdvisorError):
    """An argument or a parameter that cannot be meant."""


class RuleError(AdvisorError):
    """A rule file that cannot be used."""


class ConfigError(AdvisorError):
    """A configuration of ours that cannot be used, or, as root, one that others could have written."""


class PlanError(AdvisorError):
    """A patch that cannot be proved; names the rules that contradict each other."""


class InputError(AdvisorError):
    """A target (configuration, snapshot, sysctl file) that cannot be read or understood."""

    exit_code = 3


class Unread(Exception):  # noqa: N818 (not an error: a signal with a reason, turned into *unknown*)
    """A fact needs a source that was not read, or that the patch moved.

    Args:
        source: the source, in the words of the report: ``sockets``, ``sysctl``, ``nginx`` ...
        why: the reason, ready to print.
    """

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.why = why
