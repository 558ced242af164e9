"""What a capture shows: frames to TCP segments, segments to connections, connections to evidence.

Two passes share one table of fields (`connection`)::

    formats/pcap -> segments -> machine      one connection, packet by packet: the readable truth (RFC 9293)
                             -> tracker      all connections, chunk by chunk, in numpy; what is odd goes to `machine`

Nothing is kept per packet. The machine is made of `handshake`, `exchange` and `reset`; the tracker of `flows` (rows by
endpoints), `chunk` (packets in order), `attempts`, `openings` and `usual` (what goes by the book). The rest:
`decode`, `headers`, `link` and `internet` (frames to segments), `selection` (which connections to show), `ladder` and
`words` (how), `gaps` and `totals` (what is folded into the snapshot), `survival` and `choices` (what each
keepalive_timeout would give).
"""
