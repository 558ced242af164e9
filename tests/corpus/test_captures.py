"""Real captures that no one here wrote: the connections in each are those that tshark tells apart.

Beside each capture lies what tshark says of it. Where ours differs, it is listed here, with the reason.
"""

from __future__ import annotations

import ipaddress
import json
import pathlib
from typing import Any

from support.capture_truth import Gaps

from advisor.capture.connection import Connection
from advisor.capture.decode import Decoder
from advisor.capture.segments import Endpoints, port
from advisor.capture.tracker import Tracker
from advisor.errors import InputError
from advisor.formats.captured import CHUNK, open_capture

TRUTH = ".truth.json"
SIDES = ("fin", "rst")

GUESSED = "no SYN was captured: tshark takes who spoke first for the client; the end with the well-known port serves"
ALL_FLAGS = "all flags at once are a RST, which is looked at before SYN and FIN (RFC 9293, 3.10.7); port 80 serves"
DIFFERENCES: dict[str, dict[int, tuple[set[str], str]]] = {
    "OISF+suricata-verify/tests/alert-testmyids-midstream/input.pcap": {0: ({"client"}, GUESSED)},
    "seladb+PcapPlusPlus/Tests/Pcap++Test/PcapExamples/pcapng-example.pcapng": {
        stream: ({"client"}, GUESSED) for stream in (1, 3, 4, 5, 8, 9, 10, 13, 14)
    },
    "the-tcpdump-group+tcpdump/tests/tcp_eight_lowest_weight_flags_set.pcap": {
        0: ({"client", "synack", "fin_client"}, ALL_FLAGS)
    },
}
"""By file and stream: which fields differ, and why ours are right."""


def captures(corpus: pathlib.Path) -> list[pathlib.Path]:
    files = sorted(path for path in (corpus / "pcap").rglob("*") if path.is_file() and ".truth." not in path.name)
    assert files
    return files


def told(path: pathlib.Path, chunk: int) -> tuple[list[dict[str, Any]], str | None]:
    """A row for each connection by its first frame, and what was wrong with the file."""
    endpoints = Endpoints()
    found: list[Connection] = []
    decoder, tracker = Decoder(endpoints), Tracker(lambda columns: found.extend(columns.connections()), Gaps())
    with path.open("rb") as file:
        try:
            capture = open_capture(file, chunk)
        except InputError as error:
            return [], str(error)
        for frames in capture:
            tracker.feed(decoder.decode(frames))
    tracker.finish()
    rows = [row(one, endpoints) for one in sorted(found, key=lambda one: one.number)]
    return rows, None if capture.problem is None else str(capture.problem)


def row(one: Connection, endpoints: Endpoints) -> dict[str, Any]:
    client, server = one.client, 1 - one.client
    ends = {"client": client, "server": server}
    counts = {f"{name}_{end}": getattr(one, f"{name}s")[side] for name in SIDES for end, side in ends.items()}
    return counts | {
        "client": text(endpoints, one.ends[client]),
        "server": text(endpoints, one.ends[server]),
        "packets": sum(one.packets),
        "payload_bytes": sum(one.bytes),
        "syn": one.syns[client],
        "synack": one.syns[server],
        "syn_retransmissions": one.syn_repeats[client],
    }


def text(endpoints: Endpoints, end: int) -> str:
    return f"{ipaddress.ip_address(endpoints.address(end))}:{port(end)}"


def turned(stream: dict[str, Any]) -> dict[str, Any]:
    """A row of tshark's with its ends the other way round."""
    other = {"client": "server", "server": "client"}
    names = {f"{name}_{end}": f"{name}_{other[end]}" for name in SIDES for end in other} | other
    return stream | {name: stream[names[name]] for name in names}


def differing(ours: dict[str, Any], stream: dict[str, Any]) -> set[str]:
    """The fields that differ; where the ends are swapped that is one of them, and the others are compared by end."""
    swapped = ours["client"] == stream["server"] and ours["server"] == stream["client"]
    theirs = turned(stream) if swapped else stream
    return {name for name in ours if ours[name] != theirs[name]} | ({"client"} if swapped else set())


def test_the_connections_are_those_that_tshark_tells_apart(corpus: pathlib.Path) -> None:
    found: dict[str, dict[int, set[str]]] = {}
    for path in captures(corpus):
        beside = path.with_name(path.name + TRUTH)
        if not beside.exists():
            continue
        name = str(path.relative_to(corpus / "pcap"))
        streams = json.loads(beside.read_text())["streams"]
        rows, _ = told(path, CHUNK)
        assert len(rows) == len(streams), name
        pairs = zip(rows, streams, strict=True)
        differ = {stream["stream"]: fields for one, stream in pairs if (fields := differing(one, stream))}
        if differ:
            found[name] = differ
    listed = {name: {number: row[0] for number, row in rows.items()} for name, rows in DIFFERENCES.items()}
    assert found == {name: rows for name, rows in listed.items() if (corpus / "pcap" / name).exists()}


def test_what_is_damaged_gives_one_clear_error(corpus: pathlib.Path) -> None:
    """And all that stands before the damage; how much is read at once makes no difference."""
    for path in captures(corpus):
        rows, problem = told(path, CHUNK)
        assert problem is None or (problem.startswith("capture: ") and "\n" not in problem), path
        assert told(path, 1 << 16) == (rows, problem), path
