"""Where nginx looks a value up, by protocol: a connection can be served by another block than its requests.

A connection begins with the default server of its address. SNI makes it that of another server (over TLS), the request
line or the Host header a request's, a URI that of a location. What nginx asks before, it asks of whom it has then.
Sources: "Virtual server selection" in server_names.html; for keepalive_timeout and its like ngx_http_request.c,
ngx_http_v2.c and ngx_http_v3_request.c, from nginx 1.19.7 on (CHANGES), in 1.22.1 and 1.31.3 measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from advisor.facts.servers import Server
from advisor.facts.tree import Node

H1, H2, H3 = "HTTP/1.x", "HTTP/2", "HTTP/3"
_SERVED = "by the location of the request just served"
_SNI = "by the server that SNI chose, whatever the location"
_PLAIN = "by the default server: without TLS nothing has chosen another yet"
_FIRST = "by the default server, until the first request's header is there"
_UNIFIED = (1, 19, 7)
"""From here on HTTP/2 knows keepalive_timeout and keepalive_requests; before, it has directives of its own."""
_HELLO = (1, 29, 2)
"""From here on a server's own ssl_protocols work (CHANGES)."""
_OWN = {"keepalive_timeout": "http2_idle_timeout", "keepalive_requests": "http2_max_requests"}


class View(NamedTuple):
    """One protocol's way: the directive and the block that answer for it (None: nothing does), and why that one."""

    protocol: str
    name: str
    block: Node | None
    why: str


class Asked(NamedTuple):
    """A directive in a place: the server, the location (None: the server itself), the address's default server."""

    name: str
    server: Server
    location: Node | None
    default: Server
    version: tuple[int, ...] | None


def views(asked: Asked) -> list[View]:
    """How each protocol that the server speaks gets the value; empty where the place alone decides, for all of them."""
    way = _WAYS.get(asked.name)
    return way(asked) if way is not None else []


def _by_last_request(asked: Asked) -> list[View]:
    return [*_served(asked), *_second(asked), *_third(asked)]


def _served(asked: Asked) -> list[View]:
    block = asked.location if asked.location is not None else asked.server.node
    return [View(H1, asked.name, block, _SERVED)]


def _second(asked: Asked) -> list[View]:
    if not asked.server.http2:
        return []
    own = asked.version is not None and asked.version < _UNIFIED and _OWN.get(asked.name)
    name = own or asked.name
    if asked.server.tls:
        return [View(H2, name, asked.server.node, _SNI)]
    return [View(H2, name, asked.default.node, _PLAIN)]


def _third(asked: Asked) -> list[View]:
    if not asked.server.http3:
        return []
    found = [View(H3, asked.name, asked.server.node, _SNI)]
    if asked.name == "keepalive_timeout":
        why = "by the default server, as QUIC's max_idle_timeout: it is sent before SNI is read; the shorter one closes"
        found.append(View("QUIC", asked.name, asked.default.node, why))
    return found


def _before_host(asked: Asked) -> list[View]:
    """Until the Host header is read; then those that are asked once more are the request's server's."""
    found = [View(H1, asked.name, asked.default.node, "by the default server, until the Host header is read")]
    if asked.server.tls:
        found.append(View("over TLS", asked.name, asked.server.node, "by the server that SNI chose"))
    return found


def _first_timer(asked: Asked) -> list[View]:
    first = View(H1, asked.name, asked.default.node, _FIRST)
    return [first, first._replace(protocol=H2)] if asked.server.http2 else [first]


def _http1_alone(asked: Asked) -> list[View]:
    speaks = {H2: asked.server.http2, H3: asked.server.http3}
    return [*_served(asked), *(View(one, asked.name, None, "not used") for one, spoken in speaks.items() if spoken)]


def _lingering(asked: Asked) -> list[View]:
    return [*_served(asked), *([View(H2, asked.name, asked.server.node, _SNI)] if asked.server.http2 else [])]


def _tls(asked: Asked) -> list[View]:
    if asked.version is not None and asked.version >= _HELLO:
        return [View("TLS", asked.name, asked.server.node, "by the server that SNI chose (OpenSSL 1.1.1 or newer)")]
    why = "by the default server: before nginx 1.29.2 the handshake begins before SNI chooses"
    return [View("TLS", asked.name, asked.default.node, why)]


_WAYS: dict[str, Callable[[Asked], list[View]]] = {
    **dict.fromkeys(("keepalive_timeout", "keepalive_requests", "keepalive_time"), _by_last_request),
    **dict.fromkeys(("lingering_close", "lingering_time", "lingering_timeout"), _lingering),
    **dict.fromkeys(
        (
            "client_header_buffer_size",
            "large_client_header_buffers",
            "ignore_invalid_headers",
            "underscores_in_headers",
            "merge_slashes",
            "max_headers",
        ),
        _before_host,
    ),
    "keepalive_min_timeout": _http1_alone,
    "client_header_timeout": _first_timer,
    "ssl_protocols": _tls,
}
