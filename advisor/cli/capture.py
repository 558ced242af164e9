"""``advisor capture``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from advisor.cli import options as o
from advisor.cli.command import Command, Option
from advisor.cli.reading import Progress
from advisor.collect.capture import Order, Stream, opened
from advisor.errors import InputError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_MANY = 2**31
_INTERRUPTED = 130
"""As of a shell's command that SIGINT ended."""

File = Annotated[str | None, Option((), "A capture: pcap or pcapng, plain, gzip or zstd; - reads a pipe.", "FILE|-")]
Connection = Annotated[
    float | None,
    Option(("--connection",), "The ladder of this connection, packet by packet.", "N", low=1, high=_MANY),
]
Hosts = Annotated[list[str] | None, Option(("--host",), "Only with this address at an end; repeatable.", "ADDR")]
Ports = Annotated[
    list[float] | None,
    Option(("--port",), "Only with this port at an end; repeatable.", "PORT", low=0, high=65535),
]
State = Annotated[str | None, Option(("--state",), "Only where an end was left in it, such as TIME_WAIT.", "STATE")]
Sort = Annotated[
    str,
    Option(("--sort",), "start, packets, bytes, duration, idle, retransmissions or handshake.", "BY"),
]
Limit = Annotated[float, Option(("--limit",), "Rows of the table, and of JSON; 0 is all.", "N", low=0, high=_MANY)]
Live = Annotated[bool, Option(("--live",), "Capture now, by tcpdump: 128 bytes of each packet. Needs root.")]
Interface = Annotated[str | None, Option(("-i", "--interface"), "Where to capture; any is everywhere.", "IFACE")]
Expression = Annotated[str | None, Option(("--filter",), "What to capture, as in pcap-filter(7).", "EXPR")]
Seconds = Annotated[float | None, Option(("--seconds",), "Capture for so long.", "SECONDS", low=0.1, high=86400)]
Packets = Annotated[float | None, Option(("--packets",), "Capture so many packets.", "N", low=1, high=_MANY)]
Write = Annotated[str | None, Option(("--write",), "Keep what is captured in a new file.", "FILE")]


def _ordered(
    *,
    live: Live = False,
    interface: Interface = None,
    expression: Expression = None,
    seconds: Seconds = None,
    packets: Packets = None,
    write: Write = None,
) -> Order | None:
    """What shall be captured now; None for a capture that is there.

    Raises:
        UsageError: when that can't be meant.
    """
    if not live:
        if any(one is not None for one in (interface, expression, seconds, packets, write)):
            raise UsageError("-i, --filter, --seconds, --packets and --write go with --live")
        return None
    if interface is None:
        raise UsageError("--live needs -i INTERFACE; see: ip link")
    if seconds is None and packets is None:
        raise UsageError("--live needs an end: --seconds N or --packets N")
    return Order(interface, expression, seconds, None if packets is None else _whole("--packets", packets), write)


def _command(  # noqa: PLR0913 (the options of the command, one by one)
    *,
    read: Callable[[], Order | None],
    file: File = None,
    connection: Connection = None,
    host: Hosts = None,
    port: Ports = None,
    state: State = None,
    sort: Sort = "start",
    limit: Limit = 20,
    formats: o.Formats = None,
) -> int:
    """Show the connections of a packet capture: how they opened and closed, who closed first, and what is left.

    --connection N shows one of them packet by packet, with the state of both ends after each. So do --host and --port,
    where few match. Ctrl-C ends the reading with what was seen by then.

    Examples:
        advisor capture web.pcap --sort idle
        advisor capture web.pcap --host 192.0.2.7 --port 40012
        tcpdump -i eth0 -s 128 -U -w - tcp | advisor capture -
        advisor capture --live -i eth0 --filter 'port 443' --seconds 60 --write web.pcap
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads would take longer to start than they save
    from advisor.jobs import capture as job
    from advisor.jobs.write import write
    from advisor.report import capture as report

    wanted = o.formats(formats, report.FORMATS)
    order = read()
    if (file is None) == (order is None):
        raise UsageError("name a FILE, - for standard input, or --live -i INTERFACE; one of them")
    ask = job.Ask(
        name=_name(file, order),
        again=_again(file, order),
        hosts=[job.address(one) for one in host or ()],
        ports=[_whole("--port", one) for one in port or ()],
        state=None if state is None else job.state(state),
        connection=None if connection is None else _whole("--connection", connection),
        sort=sort,
        limit=_whole("--limit", limit) or None,
    )
    job.check(ask)
    with _source(file, order) as stream, Progress() as say:
        seen = job.look(ask, stream, say)
    sys.stdout.write(write(wanted, lambda name, _: report.FORMATS[name](seen, o.width(), colour=o.colour())))
    if seen.reading.problem is not None:
        raise InputError(seen.reading.problem)
    return _INTERRUPTED if stream.stopped and stream.size is not None else 0


def _name(file: str | None, order: Order | None) -> str:
    return order.interface if order is not None else "standard input" if file == "-" else str(file)


def _again(file: str | None, order: Order | None) -> str | None:
    """Where a capture can be read once more."""
    if order is not None:
        return order.write
    return file if file is not None and os.path.isfile(file) else None


def _whole(option: str, value: float) -> int:
    if value != int(value):
        raise UsageError(f"{option} {value}: write a whole number")
    return int(value)


def _source(file: str | None, order: Order | None) -> AbstractContextManager[Stream]:
    if order is not None:
        from advisor.collect.tcpdump import live

        return live(order)
    return opened(file or "-")


command = Command(_command, _ordered)
