"""The addresses of this host, as the kernel's own tables of local routes have them."""

from __future__ import annotations

import re
from contextlib import suppress
from socket import AF_INET, inet_pton

from advisor.system import MIB, System

_LOCAL = re.compile(rb"\|-- ([0-9.]{7,15})\n\s+/32 host LOCAL")
"""A leaf of /proc/net/fib_trie that stands for one address of our own (net/ipv4/fib_trie.c, fib_trie_seq_show)."""
_V6 = re.compile(rb"^([0-9a-f]{32}) ", re.MULTILINE)
"""A line of /proc/net/if_inet6 (net/ipv6/addrconf.c, if6_seq_show)."""
_MOST = 64 * MIB


def read_addresses(system: System) -> frozenset[bytes] | None:
    """The addresses, each of 4 or 16 bytes; None where they can't be read. Those in 127.0.0.0/8 are not all listed.

    A tree that stands for a host may lack either file: then what the other says is all that is known.
    """
    found: set[bytes] = set()
    known = False
    with suppress(OSError):
        found |= {inet_pton(AF_INET, one.decode()) for one in _LOCAL.findall(system.read("/proc/net/fib_trie", _MOST))}
        known = True
    with suppress(OSError):
        found |= {bytes.fromhex(one.decode()) for one in _V6.findall(system.read("/proc/net/if_inet6", _MOST))}
        known = True
    return frozenset(found) if known else None
