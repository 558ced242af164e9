"""The access logs: which are opened for every line, which keep lines back, which say nothing, which are unbuffered.

Sources: ngx_http_log_module.html (buffer, flush, gzip, open_log_file_cache), ngx_http_log_module.c for ``off``.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from advisor.facts.config import Config
from advisor.facts.places import Place
from advisor.facts.settings import Setting, settings
from advisor.facts.tree import Node
from advisor.facts.values import Count

_NAME = "access_log"
_NOWHERE = {"off", "/dev/null"}


class AccessLog(Setting):
    """A place that sets ``access_log``."""

    __slots__ = ()

    @property
    def path(self) -> str:
        """Where the lines go."""
        return self._setter.args[0]

    @property
    def cached(self) -> bool:
        """Whether descriptors of logs with variables in their path are kept open here."""
        return self.here.value("open_log_file_cache") != "off"

    @property
    def flushed(self) -> bool:
        """Whether ``flush=`` bounds for how long a line waits in the buffer."""
        return _has(self._setter, "flush=")

    def place(self, directive: str) -> Place:
        """Where it stands itself, its parameters included; else where another directive would be written."""
        return super().place(directive.partition(".")[0])


class AccessLogs:
    """The access logs by what may be wrong with them: most configurations have none of a kind."""

    FACT_KIND: ClassVar[str] = "group"

    def __init__(self, config: Config) -> None:
        self._config = config

    @cached_property
    def variable(self) -> list[AccessLog]:
        """Those with a variable in their path."""
        return self._those([node for path, node in self._logs if "$" in path])

    @cached_property
    def buffered(self) -> list[AccessLog]:
        """Those that collect lines in a buffer: ``buffer=`` or ``gzip``."""
        return self._those([node for _, node in self._logs if _buffered(node)])

    @cached_property
    def silenced(self) -> list[AccessLog]:
        """Those that stand beside an ``access_log off`` of the same block."""
        off = {node.parent for path, node in self._logs if path == "off"}
        return self._those([node for path, node in self._logs if node.parent in off and path != "off"])

    @property
    def unbuffered(self) -> Count:
        """Places that have every line written by itself to a file; nginx's default log is one if nothing is set."""
        if not self._logs:
            return 1
        return len({id(node.statement) for path, node in self._logs if _is_file(path) and not _buffered(node)})

    @cached_property
    def _logs(self) -> list[tuple[str, Node]]:
        """Where each goes."""
        nodes = self._config.tree.named.get(_NAME, ())
        return [(node.args[0], node) for node in nodes if node.args]

    def _those(self, nodes: list[Node]) -> list[AccessLog]:
        return settings(self._config, nodes, AccessLog)


def _is_file(path: str) -> bool:
    return path not in _NOWHERE and not path.startswith("syslog:")


def _buffered(node: Node) -> bool:
    if len(node.args) < 3:  # noqa: PLR2004 (parameters follow the path and the format)
        return False
    return _has(node, "buffer=") or _has(node, "gzip=") or "gzip" in node.args[2:]


def _has(node: Node, parameter: str) -> bool:
    return any(arg.startswith(parameter) for arg in node.args[1:])
