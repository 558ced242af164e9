"""nginx's directives that facts read: where they may stand, what they hold, and their default in each version.

Sources: nginx.org/en/docs (the page of each directive's module), nginx's CHANGES for what changed when.
Directives of ``upstream`` blocks have names of their own here (``upstream/keepalive_timeout``): they share nothing
but the word with those of http.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from advisor.units import B, N, S


class Directive(NamedTuple):
    """A directive.

    ``contexts`` holds a letter for each block it may stand in: m(ain), e(vents), h(ttp), s(erver), l(ocation),
    i(f in a location), u(pstream). ``kind`` is what its first argument holds: flag (on, off), time (s), size (B),
    count, word, or words (several arguments that only mean something together). ``default`` is nginx's text, None
    where there is none; ``later`` gives the versions from which it is another. ``array``: a level that sets it
    replaces the whole set it would inherit. ``since`` is the version that brought the directive, where that is after
    1.14.0; ``gone`` the one from which it does nothing.
    """

    name: str
    contexts: str
    kind: str
    default: str | None = None
    module: str = "http/ngx_http_core_module"
    later: tuple[tuple[str, str], ...] = ()
    array: bool = False
    since: str | None = None
    gone: str | None = None

    @property
    def word(self) -> str:
        """As it stands in a file."""
        return self.name.rpartition("/")[2]

    @property
    def reference(self) -> str:
        """Its place in nginx's documentation."""
        return f"nginx:{self.module}.html#{self.word}"


_CORE = "ngx_core_module"
_PROXY = "http/ngx_http_proxy_module"
_FASTCGI = "http/ngx_http_fastcgi_module"
_UWSGI = "http/ngx_http_uwsgi_module"
_SCGI = "http/ngx_http_scgi_module"
_GRPC = "http/ngx_http_grpc_module"
_SSL = "http/ngx_http_ssl_module"
_GZIP = "http/ngx_http_gzip_module"
_UPSTREAM = "http/ngx_http_upstream_module"
_HTTP2 = "http/ngx_http_v2_module"
_HTTP3 = "http/ngx_http_v3_module"
_LOG = "http/ngx_http_log_module"

_TLS = (("1.23.4", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"), ("1.27.3", "TLSv1.2 TLSv1.3"))

_ALL = (
    Directive("worker_processes", "m", "word", "1", _CORE),
    Directive("worker_rlimit_nofile", "m", "count", None, _CORE),
    Directive("worker_shutdown_timeout", "m", "time", None, _CORE),
    Directive("worker_priority", "m", "word", "0", _CORE),
    Directive("worker_cpu_affinity", "m", "words", None, _CORE),
    Directive("worker_aio_requests", "e", "count", "32", _CORE),
    Directive("timer_resolution", "m", "time", None, _CORE),
    Directive("thread_pool", "m", "words", None, _CORE, array=True),
    Directive("daemon", "m", "flag", "on", _CORE),
    Directive("master_process", "m", "flag", "on", _CORE),
    Directive("pcre_jit", "m", "flag", "off", _CORE),
    Directive("worker_connections", "e", "count", "512", _CORE),
    Directive("multi_accept", "e", "flag", "off", _CORE),
    Directive("accept_mutex", "e", "flag", "off", _CORE),
    Directive("accept_mutex_delay", "e", "time", "500ms", _CORE),
    Directive("use", "e", "word", None, _CORE),
    Directive("error_log", "mhsl", "words", "logs/error.log error", _CORE, array=True),
    Directive("access_log", "hsli", "words", "logs/access.log combined", _LOG, array=True),
    Directive("open_log_file_cache", "hsl", "words", "off", _LOG),
    Directive("keepalive_timeout", "hsl", "time", "75s"),
    Directive("keepalive_min_timeout", "hsl", "time", "0", since="1.27.4"),
    Directive("keepalive_requests", "hsl", "count", "100", later=(("1.19.10", "1000"),)),
    Directive("keepalive_time", "hsl", "time", "1h", since="1.19.10"),
    Directive("keepalive_disable", "hsl", "words", "msie6"),
    Directive("lingering_close", "hsl", "word", "on"),
    Directive("lingering_time", "hsl", "time", "30s"),
    Directive("lingering_timeout", "hsl", "time", "5s"),
    Directive("reset_timedout_connection", "hsl", "flag", "off"),
    Directive("send_timeout", "hsl", "time", "60s"),
    Directive("send_lowat", "hsl", "size", "0"),
    Directive("client_header_timeout", "hs", "time", "60s"),
    Directive("client_body_timeout", "hsl", "time", "60s"),
    Directive("client_header_buffer_size", "hs", "size", "1k"),
    Directive("client_body_buffer_size", "hsl", "size", None),
    Directive("client_max_body_size", "hsl", "size", "1m"),
    Directive("client_body_in_file_only", "hsl", "word", "off"),
    Directive("large_client_header_buffers", "hs", "words", "4 8k"),
    Directive("connection_pool_size", "hs", "size", None),
    Directive("request_pool_size", "hs", "size", "4k"),
    Directive("output_buffers", "hsl", "words", "2 32k"),
    Directive("postpone_output", "hsl", "size", "1460"),
    Directive("sendfile", "hsli", "flag", "off"),
    Directive("sendfile_max_chunk", "hsl", "size", "0", later=(("1.21.4", "2m"),)),
    Directive("tcp_nopush", "hsl", "flag", "off"),
    Directive("tcp_nodelay", "hsl", "flag", "on"),
    Directive("aio", "hsl", "word", "off"),
    Directive("aio_write", "hsl", "flag", "off"),
    Directive("directio", "hsl", "word", "off"),
    Directive("limit_rate", "hsli", "size", "0"),
    Directive("limit_rate_after", "hsli", "size", "0"),
    Directive("open_file_cache", "hsl", "words", "off"),
    Directive("open_file_cache_valid", "hsl", "time", "60s"),
    Directive("open_file_cache_min_uses", "hsl", "count", "1"),
    Directive("open_file_cache_errors", "hsl", "flag", "off"),
    Directive("root", "hsli", "word", "html"),
    Directive("default_type", "hsl", "word", "text/plain"),
    Directive("server_tokens", "hsl", "word", "on"),
    Directive("satisfy", "hsl", "word", "all"),
    Directive("etag", "hsl", "flag", "on"),
    Directive("if_modified_since", "hsl", "word", "exact"),
    Directive("max_ranges", "hsl", "count", None),
    Directive("max_headers", "hs", "count", "1000", since="1.29.8"),
    Directive("msie_padding", "hsl", "flag", "on"),
    Directive("recursive_error_pages", "hsl", "flag", "off"),
    Directive("resolver", "hsl", "words", None),
    Directive("resolver_timeout", "hsl", "time", "30s"),
    Directive("underscores_in_headers", "hs", "flag", "off"),
    Directive("types_hash_max_size", "hsl", "count", "1024"),
    Directive("types_hash_bucket_size", "hsl", "size", "64"),
    Directive("server_names_hash_max_size", "h", "count", "512"),
    Directive("server_names_hash_bucket_size", "h", "size", None),
    Directive("variables_hash_max_size", "h", "count", "1024"),
    Directive("error_page", "hsli", "words", None, array=True),
    Directive("gzip", "hsli", "flag", "off", _GZIP),
    Directive("gzip_comp_level", "hsl", "count", "1", _GZIP),
    Directive("gzip_min_length", "hsl", "size", "20", _GZIP),
    Directive("gzip_types", "hsl", "words", "text/html", _GZIP, array=True),
    Directive("gzip_proxied", "hsl", "words", "off", _GZIP, array=True),
    Directive("gzip_buffers", "hsl", "words", None, _GZIP),
    Directive("gzip_vary", "hsl", "flag", "off", _GZIP),
    Directive("gzip_static", "hsl", "word", "off", "http/ngx_http_gzip_static_module"),
    Directive("add_header", "hsli", "words", None, "http/ngx_http_headers_module", array=True),
    Directive("add_trailer", "hsli", "words", None, "http/ngx_http_headers_module", array=True),
    Directive("expires", "hsli", "words", "off", "http/ngx_http_headers_module"),
    Directive("limit_conn", "hsl", "words", None, "http/ngx_http_limit_conn_module", array=True),
    Directive("limit_req", "hsl", "words", None, "http/ngx_http_limit_req_module", array=True),
    Directive("limit_req_zone", "h", "words", None, "http/ngx_http_limit_req_module", array=True),
    Directive("limit_conn_zone", "h", "words", None, "http/ngx_http_limit_conn_module", array=True),
    Directive("ssl_session_cache", "hs", "words", "none", _SSL),
    Directive("ssl_session_timeout", "hs", "time", "5m", _SSL),
    Directive("ssl_session_tickets", "hs", "flag", "on", _SSL),
    Directive("ssl_buffer_size", "hs", "size", "16k", _SSL),
    Directive("ssl_protocols", "hs", "words", "TLSv1 TLSv1.1 TLSv1.2", _SSL, _TLS),
    Directive("ssl_early_data", "hs", "flag", "off", _SSL, since="1.15.3"),
    Directive("ssl_stapling", "hs", "flag", "off", _SSL),
    Directive("ssl_certificate", "hs", "word", None, _SSL, array=True),
    Directive("ssl_certificate_cache", "hs", "words", "off", _SSL, since="1.27.4"),
    Directive("http2", "hs", "flag", "off", _HTTP2, since="1.25.1"),
    Directive("http2_max_concurrent_streams", "hs", "count", "128", _HTTP2),
    Directive("http2_chunk_size", "hsl", "size", "8k", _HTTP2),
    Directive("http2_body_preread_size", "hs", "size", "64k", _HTTP2),
    Directive("http2_idle_timeout", "hs", "time", "3m", _HTTP2, gone="1.19.7"),
    Directive("http2_recv_timeout", "hs", "time", "30s", _HTTP2, gone="1.19.7"),
    Directive("http2_max_requests", "hs", "count", "1000", _HTTP2, gone="1.19.7"),
    Directive("http2_max_field_size", "hs", "size", "4k", _HTTP2, gone="1.19.7"),
    Directive("http2_max_header_size", "hs", "size", "16k", _HTTP2, gone="1.19.7"),
    Directive("http2_push_preload", "hsl", "flag", "off", _HTTP2, gone="1.25.1"),
    Directive("http2_push", "hsl", "words", "off", _HTTP2, array=True, gone="1.25.1"),
    Directive("http3", "hs", "flag", "on", _HTTP3, since="1.25.0"),
    Directive("proxy_pass", "li", "word", None, _PROXY),
    Directive("proxy_http_version", "hsl", "word", "1.0", _PROXY, later=(("1.29.7", "1.1"),)),
    Directive("proxy_set_header", "hsl", "words", None, _PROXY, array=True),
    Directive("proxy_pass_header", "hsl", "words", None, _PROXY, array=True),
    Directive("proxy_hide_header", "hsl", "words", None, _PROXY, array=True),
    Directive("proxy_connect_timeout", "hsl", "time", "60s", _PROXY),
    Directive("proxy_read_timeout", "hsl", "time", "60s", _PROXY),
    Directive("proxy_send_timeout", "hsl", "time", "60s", _PROXY),
    Directive("proxy_socket_keepalive", "hsl", "flag", "off", _PROXY, since="1.15.6"),
    Directive("proxy_bind", "hsl", "words", None, _PROXY),
    Directive("proxy_buffering", "hsl", "flag", "on", _PROXY),
    Directive("proxy_buffer_size", "hsl", "size", None, _PROXY),
    Directive("proxy_buffers", "hsl", "words", None, _PROXY),
    Directive("proxy_busy_buffers_size", "hsl", "size", None, _PROXY),
    Directive("proxy_max_temp_file_size", "hsl", "size", "1024m", _PROXY),
    Directive("proxy_request_buffering", "hsl", "flag", "on", _PROXY),
    Directive("proxy_ignore_client_abort", "hsl", "flag", "off", _PROXY),
    Directive("proxy_next_upstream", "hsl", "words", "error timeout", _PROXY, array=True),
    Directive("proxy_next_upstream_tries", "hsl", "count", "0", _PROXY),
    Directive("proxy_next_upstream_timeout", "hsl", "time", "0", _PROXY),
    Directive("proxy_ssl_session_reuse", "hsl", "flag", "on", _PROXY),
    Directive("proxy_redirect", "hsl", "words", "default", _PROXY, array=True),
    Directive("proxy_cache", "hsl", "word", "off", _PROXY),
    Directive("proxy_cache_key", "hsl", "words", "$scheme$proxy_host$request_uri", _PROXY),
    Directive("proxy_cache_lock", "hsl", "flag", "off", _PROXY),
    Directive("proxy_cache_use_stale", "hsl", "words", "off", _PROXY, array=True),
    Directive("proxy_cache_background_update", "hsl", "flag", "off", _PROXY),
    Directive("proxy_cache_lock_age", "hsl", "time", "5s", _PROXY),
    Directive("proxy_cache_lock_timeout", "hsl", "time", "5s", _PROXY),
    Directive("proxy_cache_min_uses", "hsl", "count", "1", _PROXY),
    Directive("proxy_cache_revalidate", "hsl", "flag", "off", _PROXY),
    Directive("proxy_cache_valid", "hsl", "words", None, _PROXY, array=True),
    Directive("proxy_cache_path", "h", "words", None, _PROXY, array=True),
    Directive("fastcgi_pass", "li", "word", None, _FASTCGI),
    Directive("fastcgi_keep_conn", "hsl", "flag", "off", _FASTCGI),
    Directive("fastcgi_connect_timeout", "hsl", "time", "60s", _FASTCGI),
    Directive("fastcgi_read_timeout", "hsl", "time", "60s", _FASTCGI),
    Directive("fastcgi_send_timeout", "hsl", "time", "60s", _FASTCGI),
    Directive("fastcgi_buffering", "hsl", "flag", "on", _FASTCGI),
    Directive("fastcgi_buffers", "hsl", "words", None, _FASTCGI),
    Directive("fastcgi_buffer_size", "hsl", "size", None, _FASTCGI),
    Directive("fastcgi_cache", "hsl", "word", "off", _FASTCGI),
    Directive("fastcgi_cache_lock", "hsl", "flag", "off", _FASTCGI),
    Directive("fastcgi_cache_path", "h", "words", None, _FASTCGI, array=True),
    Directive("fastcgi_cache_use_stale", "hsl", "words", "off", _FASTCGI, array=True),
    Directive("fastcgi_cache_valid", "hsl", "words", None, _FASTCGI, array=True),
    Directive("fastcgi_param", "hsl", "words", None, _FASTCGI, array=True),
    Directive("uwsgi_pass", "li", "word", None, _UWSGI),
    Directive("uwsgi_read_timeout", "hsl", "time", "60s", _UWSGI),
    Directive("uwsgi_connect_timeout", "hsl", "time", "60s", _UWSGI),
    Directive("uwsgi_buffers", "hsl", "words", None, _UWSGI),
    Directive("uwsgi_cache_path", "h", "words", None, _UWSGI, array=True),
    Directive("uwsgi_param", "hsl", "words", None, _UWSGI, array=True),
    Directive("scgi_pass", "li", "word", None, _SCGI),
    Directive("scgi_connect_timeout", "hsl", "time", "60s", _SCGI),
    Directive("scgi_read_timeout", "hsl", "time", "60s", _SCGI),
    Directive("scgi_buffers", "hsl", "words", None, _SCGI),
    Directive("scgi_cache_path", "h", "words", None, _SCGI, array=True),
    Directive("scgi_param", "hsl", "words", None, _SCGI, array=True),
    Directive("grpc_pass", "li", "word", None, _GRPC),
    Directive("grpc_read_timeout", "hsl", "time", "60s", _GRPC),
    Directive("grpc_connect_timeout", "hsl", "time", "60s", _GRPC),
    Directive("grpc_set_header", "hsl", "words", None, _GRPC, array=True),
    Directive("upstream/keepalive", "u", "count", None, _UPSTREAM, later=(("1.29.7", "32"),)),
    Directive("upstream/keepalive_timeout", "u", "time", "60s", _UPSTREAM, since="1.15.3"),
    Directive("upstream/keepalive_requests", "u", "count", "100", _UPSTREAM, (("1.19.10", "1000"),), since="1.15.3"),
    Directive("upstream/keepalive_time", "u", "time", "1h", _UPSTREAM, since="1.19.10"),
    Directive("upstream/zone", "u", "words", None, _UPSTREAM),
    Directive("upstream/server", "u", "words", None, _UPSTREAM, array=True),
    Directive("upstream/queue", "u", "words", None, _UPSTREAM),
)  # fmt: skip

DIRECTIVES: dict[str, Directive] = {directive.name: directive for directive in _ALL}


@cache
def default(name: str, version: tuple[int, ...] | None) -> str | None:
    """The text nginx takes where a directive is not set, None where there is none.

    Args:
        name: a directive of the table.
        version: nginx's; None where it is not known.

    Raises:
        LookupError: when it depends on a version that is not known; its text names the turning points.
    """
    entry = DIRECTIVES[name]
    if not entry.later:
        return entry.default
    if version is None:
        steps = "; ".join(f"{text} from {since} on" for since, text in entry.later)
        was = f"the default of {entry.word} is {entry.default or 'none'}, {steps}"
        raise LookupError(f"{was}, and nginx's version is not known")
    found = entry.default
    for since, text in entry.later:
        if version >= tuple(map(int, since.split("."))):
            found = text
    return found


UNITS = {"time": S, "size": B, "count": N}
"""The unit of a directive's value, by its kind."""

SECRETIVE = frozenset(
    ["add_header", "add_trailer", "fastcgi_param", "grpc_set_header", "proxy_set_header", "scgi_param", "uwsgi_param"]
)
"""Directives whose values may be credentials: a snapshot that leaves the host does not show them."""
