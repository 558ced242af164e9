"""nginx's directives that say how requests are passed on, and those of ``upstream`` blocks.

Sources as in `advisor.catalog.directives`.
"""

from __future__ import annotations

from advisor.catalog.directive import TLS, Directive

_PROXY = "http/ngx_http_proxy_module"
_FASTCGI = "http/ngx_http_fastcgi_module"
_UWSGI = "http/ngx_http_uwsgi_module"
_SCGI = "http/ngx_http_scgi_module"
_GRPC = "http/ngx_http_grpc_module"
_UPSTREAM = "http/ngx_http_upstream_module"

PASSING = (
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
    Directive("proxy_ssl_protocols", "hsl", "words", "TLSv1 TLSv1.1 TLSv1.2", _PROXY, TLS, array=True),
    Directive("proxy_pass_trailers", "hsl", "flag", "off", _PROXY, since="1.27.2"),
    Directive("proxy_socket_rcvbuf", "hsl", "size", None, _PROXY, since="1.31.3"),
    Directive("proxy_socket_sndbuf", "hsl", "size", None, _PROXY, since="1.31.3"),
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
    Directive("upstream/hash", "u", "words", None, _UPSTREAM),
    Directive("upstream/server", "u", "words", None, _UPSTREAM, array=True),
    Directive("upstream/queue", "u", "words", None, _UPSTREAM),
)  # fmt: skip
