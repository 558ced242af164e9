"""One TCP connection as a capture shows it: the fields that the readable machine and the columns share."""

from __future__ import annotations

from advisor.catalog.tcp import State

NONE = -1
"""What stands where a sequence number, a time, an end or a state is not known."""


class Note:
    """What is out of the ordinary, or was not seen but inferred: in bits. Plain numbers: quicker than an Enum."""

    MIDSTREAM = 1
    """No SYN was captured: ESTABLISHED is assumed, and who the client is was guessed or read off a SYN,ACK."""
    GUESSED = 2
    """Who the client is was guessed from ports or from who spoke first."""
    GAP = 4
    """One end acknowledges, or goes on from, what the capture does not hold."""
    SPLIT = 8
    """Both ends sent a SYN without ACK (simultaneous open, or a split handshake)."""
    CROSSED = 16
    """Both FINs were on their way at once: CLOSING, and TIME_WAIT on both ends."""
    REUSED = 32
    """The same addresses and ports had an earlier connection in this capture."""
    REFUSED = 64
    """The SYN was answered by a RST."""
    CUT_SHORT = 128
    """A RST ended a TIME_WAIT (Linux with tcp_rfc1337=0)."""
    CHALLENGED = 256
    """A RST or SYN inside the window was not obeyed (RFC 5961)."""
    IGNORED = 512
    """A RST or a SYN,ACK that acknowledges or carries a wrong number was dropped."""
    REORDERED = 1024
    """The SYN stands behind its answer in the file."""
    LATE_DATA = 2048
    """New data came for an end that had sent its FIN."""
    RACE = 4096
    """The end that closed first answered that late data with a RST: a request lost at the timeout."""
    SUPERSEDED = 8192
    """A new handshake between the same ends took this connection's place."""
    EARLY_DATA = 16384
    """The SYN carried data that the SYN,ACK took (TCP Fast Open)."""


class Connection:
    """One connection; where a field is a pair, index 0 is the end with the lower endpoint number, 1 the other.

    Sequence numbers are 32 bits wide and compared serially; times are nanoseconds since the epoch; `NONE` is unknown.

    Attributes:
        ends: the two endpoints (see `advisor.capture.segments.Endpoints`).
        client: which end opened it, 0 or 1.
        number: its place in the capture by its first frame, from 1; 0 while not yet given.
        frame: the number of its first frame.
        first, last: times of its first and last packet.
        syn_at: the first SYN without ACK; open_at: when the second end was ESTABLISHED; closed_at: the first FIN, or
            the RST, that began its end.
        state: of each end, a `State`; CLOSE once closed; NONE where that end never showed itself.
        isn: initial sequence number; one below the first number seen (or acknowledged) where no SYN was.
        end: the highest number sent, plus one.
        got: what this end has received without a hole (RCV.NXT).
        acked: the highest acknowledgement this end sent.
        fin: the number behind this end's FIN.
        window: the last window this end offered, unscaled.
        packets, bytes: sent by each end; bytes of payload, repeated ones included.
        syns, fins, rsts: segments with that flag sent by each end (a SYN,ACK is a SYN of the server).
        repeats: segments whose payload, SYN or FIN had been sent before.
        syn_repeats: of these, SYNs (with or without ACK).
        probes: keep-alive and zero-window probes sent.
        zero_windows: segments that offered a window of 0.
        early: payload bytes on the SYN that nobody has acknowledged yet.
        closer: which end sent the first FIN, or the RST that closed; NONE while open.
        resetter: which end's RST was obeyed; NONE without.
        idle: the longest time between two packets that carry anything new, in nanoseconds.
        moved_at: when a packet last carried anything new (payload, SYN, FIN, RST).
        turn: whose new payload came last, an end, or NONE before any.
        turn_at: when it came.
        before: the end of the idle time that this payload broke: when the server's payload before it came, where it was
            the client's first after that, or the server's own after a pause of a second or more; else NONE.
        notes: of `Note`.
    """

    # fmt: off
    PAIRS = (
        "ends", "state", "isn", "end", "got", "acked", "fin", "window", "packets", "bytes",
        "syns", "fins", "rsts", "repeats", "syn_repeats", "probes", "zero_windows",
    )
    SINGLES = (
        "client", "number", "frame", "first", "last", "syn_at", "open_at", "closed_at", "early",
        "closer", "resetter", "idle", "moved_at", "turn", "turn_at", "before", "notes",
    )
    # fmt: on
    __slots__ = (*PAIRS, *SINGLES)

    ends: list[int]
    state: list[int]
    isn: list[int]
    end: list[int]
    got: list[int]
    acked: list[int]
    fin: list[int]
    window: list[int]
    packets: list[int]
    bytes: list[int]
    syns: list[int]
    fins: list[int]
    rsts: list[int]
    repeats: list[int]
    syn_repeats: list[int]
    probes: list[int]
    zero_windows: list[int]
    client: int
    number: int
    frame: int
    first: int
    last: int
    syn_at: int
    open_at: int
    closed_at: int
    early: int
    closer: int
    resetter: int
    idle: int
    moved_at: int
    turn: int
    turn_at: int
    before: int
    notes: int

    def __init__(self, ends: tuple[int, int], frame: int, time: int) -> None:
        self.ends = list(ends)
        for name in ("state", "isn", "end", "got", "acked", "fin", "window"):
            setattr(self, name, [NONE, NONE])
        for name in ("packets", "bytes", "syns", "fins", "rsts", "repeats", "syn_repeats", "probes", "zero_windows"):
            setattr(self, name, [0, 0])
        self.client = 0
        self.number = self.early = self.idle = self.notes = 0
        self.frame = frame
        self.first = self.last = self.moved_at = time
        self.syn_at = self.open_at = self.closed_at = self.turn_at = self.before = NONE
        self.closer = self.resetter = self.turn = NONE

    @property
    def finished(self) -> bool:
        """Whether both ends are closed or in TIME_WAIT: nothing but a late packet can come."""
        return all(state in (State.CLOSE, State.TIME_WAIT) for state in self.state)
