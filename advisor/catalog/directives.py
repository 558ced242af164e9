"""nginx's directives that facts read: where they may stand, what they hold, and their default in each version.

Sources: nginx.org/en/docs (the page of each directive's module), nginx's CHANGES for what changed when, and the
tables of commands in its source. What passes requests on stands in `advisor.catalog.passing`.
Directives of ``upstream`` blocks have names of their own here (``upstream/keepalive_timeout``): they share nothing
but the word with those of http.
"""

from __future__ import annotations

from functools import cache

from advisor.catalog.directive import TLS, Directive
from advisor.catalog.passing import PASSING
from advisor.units import B, N, S

__all__ = ["DIRECTIVES", "SECRETIVE", "UNITS", "Directive", "default"]

_CORE = "ngx_core_module"
_SSL = "http/ngx_http_ssl_module"
_GZIP = "http/ngx_http_gzip_module"
_HTTP2 = "http/ngx_http_v2_module"
_HTTP3 = "http/ngx_http_v3_module"
_LOG = "http/ngx_http_log_module"

_SERVING = (
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
    Directive("keepalive_disable", "hsl", "words", "msie6", array=True),
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
    Directive("chunked_transfer_encoding", "hsl", "flag", "on"),
    Directive("if_modified_since", "hsl", "word", "exact"),
    Directive("max_ranges", "hsl", "count", None),
    Directive("max_headers", "hs", "count", "1000", since="1.29.8"),
    Directive("msie_padding", "hsl", "flag", "on"),
    Directive("recursive_error_pages", "hsl", "flag", "off"),
    Directive("resolver", "hsl", "words", None),
    Directive("resolver_timeout", "hsl", "time", "30s"),
    Directive("underscores_in_headers", "hs", "flag", "off"),
    Directive("ignore_invalid_headers", "hs", "flag", "on"),
    Directive("merge_slashes", "hs", "flag", "on"),
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
    Directive("add_header_inherit", "hsli", "word", "on", "http/ngx_http_headers_module", since="1.29.3"),
    Directive("add_trailer_inherit", "hsli", "word", "on", "http/ngx_http_headers_module", since="1.29.3"),
    Directive("expires", "hsli", "words", "off", "http/ngx_http_headers_module"),
    Directive("limit_conn", "hsl", "words", None, "http/ngx_http_limit_conn_module", array=True),
    Directive("limit_req", "hsl", "words", None, "http/ngx_http_limit_req_module", array=True),
    Directive("limit_req_zone", "h", "words", None, "http/ngx_http_limit_req_module", array=True),
    Directive("limit_conn_zone", "h", "words", None, "http/ngx_http_limit_conn_module", array=True),
    Directive("ssl_session_cache", "hs", "words", "none", _SSL),
    Directive("ssl_session_timeout", "hs", "time", "5m", _SSL),
    Directive("ssl_session_tickets", "hs", "flag", "on", _SSL),
    Directive("ssl_buffer_size", "hs", "size", "16k", _SSL),
    Directive("ssl_protocols", "hs", "words", "TLSv1 TLSv1.1 TLSv1.2", _SSL, TLS, array=True),
    Directive("ssl_early_data", "hs", "flag", "off", _SSL, since="1.15.3"),
    Directive("ssl_ciphers", "hs", "word", "HIGH:!aNULL:!MD5", _SSL),
    Directive("ssl_prefer_server_ciphers", "hs", "flag", "off", _SSL),
    Directive("ssl_reject_handshake", "hs", "flag", "off", _SSL, since="1.19.4"),
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
    Directive("http2_max_concurrent_pushes", "hs", "count", "10", _HTTP2, gone="1.25.1"),
    Directive("http3", "hs", "flag", "on", _HTTP3, since="1.25.0"),
    Directive("http3_max_concurrent_streams", "hs", "count", "128", _HTTP3, since="1.25.0"),
    Directive("quic_retry", "hs", "flag", "off", _HTTP3, since="1.25.0"),
    Directive("quic_gso", "hs", "flag", "off", _HTTP3, since="1.25.0"),
)  # fmt: skip

DIRECTIVES: dict[str, Directive] = {directive.name: directive for directive in (*_SERVING, *PASSING)}


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
