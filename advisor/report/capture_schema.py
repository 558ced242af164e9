"""The JSON document of a capture as pydantic models: what its JSON Schema is generated from.

Imported only to make the schema and to check documents, never to render one.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from advisor.report.schema import schema_of

Number = Annotated[int, Field(ge=0)]
PortNumber = Annotated[int, Field(ge=0, le=65535)]
Role = Literal["client", "server"]
StateWord = Literal[
    "CLOSED",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "CLOSING",
    "TIME_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
]
Count = dict[str, int]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(_Model):
    """How the capture was read; ``left_out`` counts frames by the reason why they are in no connection."""

    name: str
    format: str
    frames: Number
    segments: Number
    first_ns: int | None
    last_ns: int | None
    left_out: dict[str, Number]
    remarks: list[str]
    problem: str | None


class End(_Model):
    """One end of a connection."""

    address: str
    port: PortNumber


class Numbers(_Model):
    """A count of what each side sent."""

    client: Number
    server: Number


class States(_Model):
    """The state of each end; null for one that never showed itself."""

    client: StateWord | None
    server: StateWord | None


class Assumed(_Model):
    """Whether the state of each end was inferred rather than seen."""

    client: bool
    server: bool


class Connection(_Model):
    """One connection; ``number`` counts them by their first frames, from 1. Times are in nanoseconds."""

    number: Annotated[int, Field(ge=1)]
    client: End
    server: End
    opened: Literal[
        "handshake", "simultaneous", "refused", "unanswered", "half-open", "given up", "incomplete", "midstream"
    ]
    closed: Literal["open", "FIN", "FIN, FIN", "FIN, RST", "RST"]
    closed_first: Role | None
    states: States
    assumed: Assumed
    conn_state: Literal[
        "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"
    ]  # fmt: skip
    first_ns: int
    lasted_ns: int
    handshake_ns: int | None
    idle_ns: int
    packets: Numbers
    bytes: Numbers
    syns: Numbers
    fins: Numbers
    rsts: Numbers
    repeats: Numbers
    syn_repeats: Numbers
    probes: Numbers
    zero_windows: Numbers
    notes: list[str]


class StateCounts(_Model):
    """How many ends were left in each state; ``not seen`` counts those that never showed themselves."""

    client: Count
    server: Count


class Quantiles(_Model):
    """From the first SYN until both ends were ESTABLISHED; to 1 %."""

    p50: Number | None
    p99: Number | None


class Port(_Model):
    """What the connections to a server port come to; ``counts`` as in `advisor.capture.totals`."""

    port: PortNumber
    counts: Count
    states: StateCounts
    handshake_ns: Quantiles


class Server(_Model):
    """The same for one server; where the address is null, for all others of that port."""

    address: str | None
    port: PortNumber
    counts: Count
    states: StateCounts


class Step(_Model):
    """One line of a ladder; ``seq`` and ``ack`` count from the initial numbers."""

    time_ns: int
    until_ns: int
    sender: Annotated[Role, Field(alias="from")]
    flags: list[Literal["SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"]]
    seq: int
    ack: int | None
    length: Number
    packets: Annotated[int, Field(ge=1)]
    acks_back: Number
    states: States
    phase: Literal["handshake", "data", "teardown"]
    marks: list[str]


class Ladder(_Model):
    """A connection packet by packet; ``left_out`` lines are missing behind the first ``left_out_after``."""

    connection: Annotated[int, Field(ge=1)]
    steps: list[Step]
    left_out: Number
    left_out_after: Number


class Document(_Model):
    """What ``advisor capture -f json`` writes."""

    format: Annotated[Literal["advisor.capture/v1"], Field(alias="schema")]
    advisor: str
    capture: Reading
    total: Number
    matched: Number
    sort: str
    connections: list[Connection]
    ports: list[Port]
    servers: list[Server]
    ladders: list[Ladder]


def schema_text() -> str:
    """The JSON Schema (draft 2020-12), as it is shipped in ``capture-v1.schema.json``."""
    return schema_of(Document, "capture:v1")
