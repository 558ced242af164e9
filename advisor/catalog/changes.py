"""What changed between nginx's versions: directives that came and went, parameters, defaults, what nginx does.

Known from 1.10.0 to 1.31.4. Sources: CHANGES (https://nginx.org/en/CHANGES), and the tables of commands in the source
of each version. Names are those of `advisor.facts.tree.Tree.named`. Versions of the directives in the catalogue, and
defaults that changed since 1.14.0, stand there (`advisor.catalog.directives`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from advisor.catalog.directives import DIRECTIVES

OLDEST, NEWEST = "1.10.0", "1.31.4"
"""The versions between which changes are known."""

_APPEARED = {
    "1.10.2": "http2_body_preread_size",
    "1.11.2": (
        "stream/map stream/map_hash_bucket_size stream/map_hash_max_size stream/return "
        "stream/variables_hash_bucket_size stream/variables_hash_max_size"
    ),
    "1.11.3": (
        "stream/geo stream/geoip_city stream/geoip_country stream/geoip_org stream/resolver "
        "stream/resolver_timeout stream/split_clients"
    ),
    "1.11.4": (
        "stream/access_log stream/log_format stream/open_log_file_cache stream/proxy_protocol_timeout "
        "stream/set_real_ip_from"
    ),
    "1.11.5": "stream/preread_buffer_size stream/preread_timeout stream/ssl_preread",
    "1.11.6": (
        "fastcgi_cache_max_range_offset http2_max_requests image_filter_webp_quality "
        "proxy_cache_max_range_offset scgi_cache_max_range_offset uwsgi_cache_max_range_offset"
    ),
    "1.11.8": (
        "absolute_redirect stream/ssl_client_certificate stream/ssl_crl stream/ssl_trusted_certificate "
        "stream/ssl_verify_client stream/ssl_verify_depth"
    ),
    "1.11.10": (
        "fastcgi_cache_background_update proxy_cache_background_update scgi_cache_background_update "
        "uwsgi_cache_background_update"
    ),
    "1.11.11": "worker_shutdown_timeout",
    "1.13.2": "add_trailer",
    "1.13.4": "mirror mirror_request_body",
    "1.13.9": "http2_max_concurrent_pushes http2_push http2_push_preload",
    "1.13.10": (
        "grpc_bind grpc_buffer_size grpc_connect_timeout grpc_hide_header grpc_ignore_headers "
        "grpc_intercept_errors grpc_next_upstream grpc_next_upstream_timeout grpc_next_upstream_tries "
        "grpc_pass grpc_pass_header grpc_read_timeout grpc_send_timeout grpc_set_header grpc_ssl_certificate "
        "grpc_ssl_certificate_key grpc_ssl_ciphers grpc_ssl_crl grpc_ssl_name grpc_ssl_password_file "
        "grpc_ssl_protocols grpc_ssl_server_name grpc_ssl_session_reuse grpc_ssl_trusted_certificate "
        "grpc_ssl_verify grpc_ssl_verify_depth subrequest_output_buffer_size"
    ),
    "1.15.1": "stream/random upstream/random",
    "1.15.6": (
        "fastcgi_socket_keepalive grpc_socket_keepalive memcached_socket_keepalive scgi_socket_keepalive "
        "stream/proxy_socket_keepalive uwsgi_socket_keepalive"
    ),
    "1.15.7": "stream/proxy_requests",
    "1.17.1": "limit_req_dry_run",
    "1.17.6": "limit_conn_dry_run stream/limit_conn_dry_run",
    "1.17.10": "auth_delay",
    "1.19.0": "ssl_ocsp ssl_ocsp_cache ssl_ocsp_responder",
    "1.19.3": "proxy_cookie_flags stream/set userid_flags",
    "1.19.4": (
        "grpc_ssl_conf_command mail/proxy_smtp_auth mail/ssl_conf_command proxy_ssl_conf_command "
        "ssl_conf_command stream/proxy_ssl_conf_command stream/ssl_conf_command uwsgi_ssl_conf_command"
    ),
    "1.19.8": "mail/proxy_protocol mail/set_real_ip_from",
    "1.21.0": "mail/max_errors",
    "1.21.4": "mp4_start_key_frame stream/proxy_half_close stream/ssl_alpn",
    "1.25.0": "http3_hq http3_stream_buffer_size quic_active_connection_id_limit quic_bpf quic_host_key",
    "1.25.5": (
        "stream/pass stream/server_name stream/server_names_hash_bucket_size "
        "stream/server_names_hash_max_size stream/ssl_reject_handshake"
    ),
    "1.27.2": (
        "stream/ssl_ocsp stream/ssl_ocsp_cache stream/ssl_ocsp_responder stream/ssl_stapling "
        "stream/ssl_stapling_file stream/ssl_stapling_responder stream/ssl_stapling_verify"
    ),
    "1.27.3": "upstream/resolver upstream/resolver_timeout",
    "1.27.4": (
        "grpc_ssl_certificate_cache proxy_ssl_certificate_cache ssl_object_cache_inheritable "
        "stream/proxy_ssl_certificate_cache stream/ssl_certificate_cache uwsgi_ssl_certificate_cache"
    ),
    "1.29.0": "early_hints",
    "1.29.1": ("mail/ssl_certificate_compression ssl_certificate_compression stream/ssl_certificate_compression"),
    "1.29.4": "ssl_ech_file stream/ssl_ech_file",
    "1.29.6": "upstream/sticky",
    "1.31.0": (
        "stream/least_time stream/proxy_ssl_alpn tunnel_bind tunnel_buffer_size tunnel_connect_timeout "
        "tunnel_next_upstream tunnel_next_upstream_timeout tunnel_next_upstream_tries tunnel_pass "
        "tunnel_read_timeout tunnel_send_lowat tunnel_send_timeout tunnel_socket_keepalive "
        "upstream/least_time"
    ),
    "1.31.3": (
        "fastcgi_socket_rcvbuf fastcgi_socket_sndbuf grpc_socket_rcvbuf grpc_socket_sndbuf scgi_socket_rcvbuf "
        "scgi_socket_sndbuf stream/proxy_socket_rcvbuf stream/proxy_socket_sndbuf tunnel_socket_rcvbuf "
        "tunnel_socket_sndbuf uwsgi_socket_rcvbuf uwsgi_socket_sndbuf xml_external_entities"
    ),
}

APPEARED = {
    **{name: version for version, names in _APPEARED.items() for name in names.split()},
    **{name: entry.since for name, entry in DIRECTIVES.items() if entry.since},
}
"""The version that brought a directive: an earlier one says ``unknown directive``, and does not start."""


class Removal(NamedTuple):
    """A directive, or a parameter of one, that a version takes no more: it says so, and does not start."""

    since: str
    instead: str


REMOVED = {
    "ssl": Removal("1.25.1", "listen ... ssl; in every server where it was on (deprecated since 1.15.0)"),
    "mail/ssl": Removal("1.25.1", "listen ... ssl; in every server where it was on (deprecated since 1.15.0)"),
    **{
        f"spdy_{name}": Removal("1.19.7", f"nothing: since 1.9.5 it did nothing; http2_{name} was its successor")
        for name in (
            "chunk_size",
            "headers_comp",
            "keepalive_timeout",
            "max_concurrent_streams",
            "pool_size",
            "recv_buffer_size",
            "recv_timeout",
            "streams_index_size",
        )
    },
}

INSTEAD = {
    "http2_idle_timeout": "keepalive_timeout",
    "http2_recv_timeout": "client_header_timeout",
    "http2_max_requests": "keepalive_requests",
    "http2_max_field_size": "large_client_header_buffers",
    "http2_max_header_size": "large_client_header_buffers",
}
"""What does the work of a directive that does nothing any more (`Directive.gone`)."""


class Parameter(NamedTuple):
    """Arguments that a version brought, or took away.

    ``pattern`` matches one whole argument; ``before`` says what earlier versions do with it, ``after`` (of one that was
    deprecated or removed) what later ones do. ``refused``: the side that does not know it does not start.
    """

    directive: str
    pattern: str
    since: str
    before: str = "refuse it"
    after: str = ""
    keep: str = ""
    refused: bool = True

    def used(self, args: list[str]) -> bool:
        """Whether one of the arguments is such a one."""
        return any(re.fullmatch(self.pattern, arg, re.DOTALL) is not None for arg in args)


_VARIABLE = r".*\$.*"
_AS_IT_STANDS = "take the variable's name for the name of a file"

PARAMETERS = (
    Parameter("listen", "quic", "1.25.0"),
    Parameter("listen", "multipath", "1.29.7"),
    Parameter("listen", r"(?:.*:)?\d+-\d+", "1.15.10"),
    Parameter("listen", "http2", "1.25.1", "take it", "take it, and warn", "http2 on; in the server", refused=False),
    Parameter("listen", "spdy", "1.19.7", "warn, and ignore it", "refuse it", "nothing: leave it out"),
    Parameter("upstream/keepalive", "local", "1.29.7"),
    Parameter("upstream/keepalive", "0", "1.29.7"),
    Parameter("upstream/server", "resolve|service=.*", "1.27.3", before="refuse it, but for the commercial nginx"),
    Parameter("upstream/server", "route=.*|drain", "1.29.6", before="refuse it, but for the commercial nginx"),
    Parameter("proxy_http_version", "2", "1.29.4"),
    Parameter("resolver", "ipv4=.*", "1.23.1"),
    Parameter("upstream/resolver", "ipv4=.*", "1.23.1"),
    Parameter("limit_req", "delay=.*", "1.15.7"),
    Parameter("proxy_cache_path", "min_free=.*", "1.19.1"),
    Parameter("fastcgi_cache_path", "min_free=.*", "1.19.1"),
    Parameter("ssl_protocols", r"TLSv1\.3", "1.13.0"),
    Parameter("limit_rate", _VARIABLE, "1.17.0"),
    Parameter("limit_rate_after", _VARIABLE, "1.17.0"),
    Parameter("proxy_limit_rate", _VARIABLE, "1.27.0"),
    Parameter("ssl_certificate", _VARIABLE, "1.15.9", before=_AS_IT_STANDS),
    Parameter("ssl_certificate_key", _VARIABLE, "1.15.9", before=_AS_IT_STANDS),
    Parameter("proxy_ssl_certificate", _VARIABLE, "1.21.0", before=_AS_IT_STANDS),
    Parameter("proxy_ssl_certificate_key", _VARIABLE, "1.21.0", before=_AS_IT_STANDS),
    Parameter("grpc_pass", _VARIABLE, "1.17.8"),
    Parameter("server_tokens", "build", "1.11.10"),
    Parameter("log_format", "escape=json", "1.11.8"),
    Parameter("log_format", "escape=none", "1.13.10"),
)


OLDER_DEFAULTS = {"accept_mutex": (("1.11.3", "on", "off"),)}
"""Defaults that changed before 1.14.0: since when, what was and what is."""

BITES = {
    "accept_mutex": "events",
    "sendfile_max_chunk": "sendfile",
    "ssl_protocols": "tls",
    "proxy_ssl_protocols": "https",
    "proxy_http_version": "proxied",
    "upstream/keepalive": "pool",
    "upstream/keepalive_requests": "kept",
}
"""Where a default that changed matters, if not in every server (see `advisor.facts.upgrade`)."""

KEEPING = {"upstream/keepalive": "keepalive 0;"}
"""What keeps an old default that can't be written as it is called."""
