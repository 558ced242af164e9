"""Run inside a namespace by the tests: makes sockets in known states, prints ``ready`` and holds them.

``crowd.py states`` many states over several listeners; ``crowd.py leak`` sockets that are never closed.
"""

from __future__ import annotations

import socket
import sys
import time

held: list[socket.socket] = []


def listen(address: str, port: int, *, only6: bool = True, backlog: int = 256) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only6)
    server.bind((address, port))
    server.listen(backlog)
    held.append(server)
    return server


def pairs(
    server: socket.socket, address: str, count: int, source: str | None = None
) -> list[tuple[socket.socket, socket.socket]]:
    made = []
    for _ in range(count):
        bound = (source, 0) if source else None
        client = socket.create_connection((address, server.getsockname()[1]), source_address=bound)
        made.append((client, server.accept()[0]))
    held.extend(end for pair in made for end in pair)
    return made


def states() -> None:
    anywhere, exact = listen("0.0.0.0", 8080), listen("127.0.0.2", 8080)  # noqa: S104 (a namespace of its own)
    both, six = listen("::", 8081, only6=False), listen("::1", 8082)
    pairs(anywhere, "127.0.0.1", 100, "127.0.0.9")
    pairs(exact, "127.0.0.2", 30)
    pairs(both, "127.0.0.3", 50, "127.0.0.8")
    pairs(both, "::1", 40)
    for client, _ in pairs(six, "::1", 25):
        client.shutdown(socket.SHUT_WR)  # client FIN_WAIT2, server CLOSE_WAIT
    for client, served in pairs(anywhere, "127.0.0.1", 20):
        served.close()  # the listener's side: TIME_WAIT
        client.close()
    for client, served in pairs(exact, "127.0.0.2", 15):
        client.close()  # the destination's side: TIME_WAIT
        served.close()
    for client, _ in pairs(both, "127.0.0.3", 10):
        client.close()  # FIN_WAIT2 without a process
    held.extend(socket.create_connection(("127.0.0.2", 8080)) for _ in range(5))  # waiting to be accepted


def leak() -> None:
    server = listen("127.0.0.1", 9100)
    for _, served in pairs(server, "127.0.0.1", 12):
        served.close()  # client CLOSE_WAIT
    served_too = listen("127.0.0.1", 9200)
    for client, _ in pairs(served_too, "127.0.0.1", 7):
        client.close()  # server CLOSE_WAIT
    pairs(listen("127.0.0.1", 9300), "127.0.0.1", 110)
    pairs(listen("127.0.0.1", 9400), "127.0.0.1", 20)


if __name__ == "__main__":
    {"states": states, "leak": leak}[sys.argv[1]]()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    time.sleep(60)
