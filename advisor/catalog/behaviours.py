"""What nginx does otherwise from a version on, though the configuration says the same; from CHANGES."""

from __future__ import annotations

from typing import NamedTuple


class Behaviour(NamedTuple):
    """Something that nginx does otherwise: ``bites`` names the blocks it matters in (see `advisor.facts.upgrade`)."""

    since: str
    title: str
    before: str
    after: str
    bites: str
    keep: str = ""


BEHAVIOURS = (
    Behaviour(
        "1.15.10",
        "listen with a host name",
        "listens on the first address that the name resolves to",
        "listens on every address that the name resolves to",
        "named listen",
        "the address instead of the name",
    ),
    Behaviour(
        "1.19.1",
        "more data from a backend than its response says",
        "is sent on, where nginx does not buffer",
        "is discarded; and a response of a gRPC backend with a wrong length ends with an error",
        "passed",
    ),
    Behaviour(
        "1.19.7",
        "idle and old connections of HTTP/2",
        "are closed after http2_idle_timeout (3m) and http2_max_requests (1000); http2_max_header_size limits headers",
        "are closed after keepalive_timeout (75s) and keepalive_requests; large_client_header_buffers limits headers",
        "http2",
        "keepalive_timeout 3m; at the server",
    ),
    Behaviour(
        "1.21.1",
        "requests with CONNECT, with Content-Length and Transfer-Encoding, with spaces or controls in line or names",
        "are served, if a location serves them",
        "get an error",
        "server",
    ),
    Behaviour(
        "1.21.4",
        "TLS clients whose ALPN names no protocol of the server's",
        "are served as if they had not sent any",
        "are refused in the handshake",
        "tls",
    ),
    Behaviour(
        "1.23.0",
        "several header lines of one name, to FastCGI, SCGI and uwsgi backends and in $http_ variables",
        "are passed on one by one, and $http_ shows the first of them",
        "are joined by commas",
        "gateway",
    ),
    Behaviour(
        "1.23.2",
        "the keys of TLS session tickets, with a shared ssl_session_cache",
        "stay until nginx is reloaded",
        "rotate by themselves",
        "shared cache",
    ),
    Behaviour(
        "1.29.2",
        "ssl_protocols of a server that is not its address's default",
        "do nothing: those of the default server apply",
        "apply, with OpenSSL 1.1.1 or newer",
        "own protocols",
        "the same ssl_protocols as in the default server",
    ),
    Behaviour(
        "1.29.4",
        "a chunked body whose lines end with LF alone",
        "is taken, from clients and from backends",
        "is an error",
        "server",
    ),
    Behaviour(
        "1.29.7",
        "the Connection header to a backend that nothing else is set for",
        "says close: the backend closes after its response",
        "is not sent, in HTTP/1.1: with a backend whose framing is wrong, responses end in 502 or clients hang. Only"
        " connections to upstream blocks are kept, none to a host that proxy_pass names itself",
        "no connection header",
        "proxy_set_header Connection close; beside the other headers of that level",
    ),
    Behaviour(
        "1.29.7",
        "keepalive in front of a load balancing method",
        "does nothing: the method, which comes later, replaces it",
        "works in any order",
        "keepalive first",
        "keepalive 0;",
    ),
    Behaviour(
        "1.31.0",
        "requests of HTTP/2 and HTTP/3 with Connection, Keep-Alive, Transfer-Encoding or Upgrade",
        "are served without regard to these",
        "are refused",
        "http2",
    ),
    Behaviour(
        "1.31.3",
        "headers of HTTP/2 and gRPC backends that are larger than proxy_buffer_size or grpc_buffer_size",
        "are taken",
        "are an error",
        "http2 backend",
        "a larger proxy_buffer_size or grpc_buffer_size",
    ),
)
