"""A backend that answers late, for long polls: ``python late.py SOCKET SECONDS``.

It listens on a unix socket, so that nginx's connections to it are no TCP that anybody counts.
"""

from __future__ import annotations

import asyncio
import functools
import sys


async def _serve(after: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(after)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlate\n")
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client went away: there is nobody to answer
    finally:
        writer.close()


async def _main(path: str, after: float) -> None:
    async with await asyncio.start_unix_server(functools.partial(_serve, after), path, backlog=511) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], float(sys.argv[2])))
