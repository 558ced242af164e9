"""How an idle gap ends: words that the machine, the tracker and those who count gaps share."""

from __future__ import annotations

REUSED, CLIENT_CLOSED, SERVER_CLOSED, CUT = range(4)
"""By the next request, by the client's close, by the server's, or with the capture."""
GOODBYE = 5
"""Takes back a REUSED gap of that length: what ended it was no request, but the client's last word before the close."""
LAST_WORD = 1_000_000_000
"""Payload behind an idle gap, so short a time before the close, in nanoseconds, and not answered by any, belongs to the
close: TLS says close_notify (RFC 8446, 6.1), to which the other end's answer is its FIN. It ends no gap and begins
none, and who said it closed."""
