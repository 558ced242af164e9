"""What a patch may write in nginx's configuration: an allow-list, what a change needs, which measurements it moves.

What the directives hold, and where they may stand, is `advisor.catalog.directives`.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.catalog.directives import DIRECTIVES, UNITS
from advisor.units import Unit

DEFAULT_BACKLOG = 511
"""``listen`` without ``backlog`` on Linux (ngx_http_core_module.html#listen)."""

DEFAULT_KEEPALIVE_TIMEOUT = 75.0
"""Seconds; ``keepalive_timeout`` unset (ngx_http_core_module.html#keepalive_timeout)."""


class Setting(NamedTuple):
    """What a patch may write: a directive, a parameter of one (``listen.backlog``), or several edits under one name.

    ``unit`` is the unit of its value; None for one that is on or off, or a word. ``moves`` names measurements that a
    change moves: they follow a model of `advisor.remedy.effects`, or are void.
    """

    kind: str
    needs: tuple[str, ...] = ("reload",)
    moves: tuple[str, ...] = ("processes",)

    @property
    def unit(self) -> Unit | None:
        """The unit of its value; None for one that is no number."""
        return UNITS.get(self.kind)


_WRITTEN = (
    "multi_accept",
    "accept_mutex",
    "aio",
    "use",
    "worker_connections",
    "worker_cpu_affinity",
    "worker_processes",
    "worker_rlimit_nofile",
    "worker_shutdown_timeout",
    "client_body_timeout",
    "client_body_in_file_only",
    "client_header_timeout",
    "fastcgi_buffering",
    "fastcgi_connect_timeout",
    "gzip_min_length",
    "if_modified_since",
    "http2_max_concurrent_streams",
    "gzip_comp_level",
    "keepalive_requests",
    "keepalive_time",
    "lingering_close",
    "lingering_time",
    "lingering_timeout",
    "max_ranges",
    "open_file_cache_valid",
    "open_log_file_cache",
    "postpone_output",
    "proxy_buffering",
    "proxy_cache_lock",
    "proxy_connect_timeout",
    "proxy_ignore_client_abort",
    "proxy_next_upstream",
    "proxy_read_timeout",
    "proxy_send_timeout",
    "proxy_socket_keepalive",
    "reset_timedout_connection",
    "send_timeout",
    "sendfile",
    "sendfile_max_chunk",
    "ssl_session_cache",
    "ssl_session_timeout",
    "tcp_nodelay",
    "tcp_nopush",
    "upstream/zone",
    "upstream/keepalive_timeout",
    "upstream/keepalive_requests",
    "upstream/keepalive_time",
)

SETTINGS: dict[str, Setting] = {
    **{name: Setting(DIRECTIVES[name].kind) for name in _WRITTEN},
    "keepalive_timeout": Setting("time", moves=("listener.idle", "capture.gaps", "processes")),
    "access_log.flush": Setting("time"),
    "proxy_cache_path.use_temp_path": Setting("word"),
    # The idle connections to an upstream that each worker keeps, with all that makes them be used again.
    "upstream.reuse": Setting("count", moves=("destination.reuse", "capture.closes", "processes")),
    "listen.backlog": Setting("count", ("re-listen",), ("listener.limit", "processes")),
}
"""The allow-list for rules: what a step may write."""
