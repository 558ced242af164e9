"""What a capture shows: frames to TCP segments, segments to connections, connections to evidence.

Two passes share one table of fields (`connection`)::

    formats/pcap -> segments -> machine      one connection, packet by packet: the readable truth (RFC 9293)
                             -> tracker      all connections, chunk by chunk, in numpy; what is odd goes to `machine`

Nothing is kept per packet. The rest of this room: `link` and `internet` (headers to segments), `words` (what a
connection is called), `gaps` and `totals` (what is folded into the snapshot), `survival` and `choices` (what each
keepalive_timeout would give).
"""
