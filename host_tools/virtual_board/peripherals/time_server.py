"""The time server that the virtual home's network reaches."""

from __future__ import annotations

import struct

from host_tools.clock import NS

NTP_TO_UNIX_S = 2_208_988_800


def time_answer(request: bytes, now_ns: int) -> bytes:
    """RFC 5905 section 7.3: version 4, mode 4 (server), stratum 1, our clock in both transmit and receive."""
    stamp = struct.pack("!II", now_ns // NS + NTP_TO_UNIX_S, now_ns % NS * (1 << 32) // NS)
    head = struct.pack("!BBbb", 0x24, 1, 6, -20) + bytes(8) + b"STOA"
    return head + stamp + request[40:48] + stamp + stamp
