"""What nginx documents of the directives we judge and change: units, defaults, contexts, what a change needs and moves.

Sources: nginx.org/en/docs and nginx's CHANGES.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.units import N, S, Unit

DEFAULT_BACKLOG = 511
"""``listen`` without ``backlog`` on Linux (ngx_http_core_module.html#listen)."""

DEFAULT_KEEPALIVE_TIMEOUT = 75.0
"""Seconds; ``keepalive_timeout`` unset (ngx_http_core_module.html#keepalive_timeout)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A directive, or a parameter of one (``listen.backlog``), that a patch may write.

    ``moves`` names measurements that a change moves: they follow a model of `advisor.remedy.effects`, or are void.
    """

    unit: Unit
    needs: tuple[str, ...]
    moves: tuple[str, ...] = ()


SETTINGS: dict[str, Setting] = {
    "keepalive_timeout": Setting(S, ("reload",), ("listener.idle", "processes")),
    "listen.backlog": Setting(N, ("re-listen",), ("listener.limit", "processes")),
}

WRITABLE: dict[str, Unit] = {name: setting.unit for name, setting in SETTINGS.items()}
"""The allow-list for rules: what a step may write, and the unit of its value."""

SCALARS = frozenset(
    [
        "aio",
        "client_body_buffer_size",
        "client_body_timeout",
        "client_header_timeout",
        "client_max_body_size",
        "default_type",
        "directio",
        "etag",
        "fastcgi_read_timeout",
        "gzip",
        "gzip_comp_level",
        "gzip_min_length",
        "if_modified_since",
        "keepalive_disable",
        "keepalive_requests",
        "keepalive_time",
        "keepalive_timeout",
        "lingering_close",
        "lingering_time",
        "lingering_timeout",
        "limit_rate",
        "max_ranges",
        "msie_padding",
        "open_file_cache",
        "output_buffers",
        "postpone_output",
        "proxy_buffering",
        "proxy_connect_timeout",
        "proxy_http_version",
        "proxy_read_timeout",
        "proxy_send_timeout",
        "proxy_socket_keepalive",
        "recursive_error_pages",
        "reset_timedout_connection",
        "resolver_timeout",
        "root",
        "satisfy",
        "send_lowat",
        "send_timeout",
        "sendfile",
        "sendfile_max_chunk",
        "server_tokens",
        "ssl_session_cache",
        "ssl_session_timeout",
        "ssl_session_tickets",
        "tcp_nodelay",
        "tcp_nopush",
        "types_hash_max_size",
        "underscores_in_headers",
    ]
)
"""Directives of which the innermost one wins whole: http, server, location."""

ARRAYS = frozenset(
    [
        "access_log",
        "add_header",
        "add_trailer",
        "error_log",
        "error_page",
        "fastcgi_param",
        "grpc_set_header",
        "limit_conn",
        "limit_req",
        "proxy_hide_header",
        "proxy_pass_header",
        "proxy_set_header",
        "scgi_param",
        "uwsgi_param",
    ]
)
"""Directives of which a lower level replaces the whole set of the level above."""
