"""A reply on its way to the board, as the faults let it through."""

from __future__ import annotations

import re
from collections.abc import Callable

from host_tools.clock import NS, Clock
from host_tools.virtual_board.faults import Faults

_PAGE = b"<html><title>Welcome</title><p>Accept our terms to use this network.</html>"
PORTAL_REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(_PAGE), _PAGE)
_HEAD_MAX = 65536
_CHUNK = 4096


class Reply:
    """What one connection receives. `receive` gets bytes from the server, b"" at the end; waits go by `clock`."""

    def __init__(self, faults: Faults, receive: Callable[[int], bytes], clock: Clock) -> None:
        self._faults = faults
        self._receive = receive
        self._clock = clock
        self._ready = b""
        self._filler = 0
        self._read_head = False
        self._passed = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        faults = self._faults
        if faults.truncate is not None:
            size = min(size, faults.truncate - self._passed)
            if size <= 0:
                return b""
        if faults.drip is not None:
            size = min(size, faults.drip)
        data = self._next(size)
        self._passed += len(data)
        if faults.drip is not None:
            self._clock.sleep_ns(len(data) * NS // faults.drip)
        return data

    def _next(self, size: int) -> bytes:
        if (self._faults.content_type or self._faults.huge_body) and not self._read_head:
            self._read_head = True
            self._rewrite_head()
        if self._ready:
            data, self._ready = self._ready[:size], self._ready[size:]
            return data
        if self._filler:
            # Spaces: JSON allows them after the value, so that size alone is wrong.
            data = b" " * min(size, self._filler)
            self._filler -= len(data)
            return data
        return self._receive(size)

    def _rewrite_head(self) -> None:
        received = b""
        while b"\r\n\r\n" not in received and len(received) < _HEAD_MAX:
            piece = self._receive(_CHUNK)
            if not piece:
                break
            received += piece
        head, end, body = received.partition(b"\r\n\r\n")
        if self._faults.content_type:
            head = _with_header(head, b"Content-Type", self._faults.content_type.encode())
        if end and self._faults.huge_body:
            while piece := self._receive(_CHUNK):
                body += piece
            self._filler = max(self._faults.huge_body - len(body), 0)
            head = _with_header(head, b"Content-Length", b"%d" % (len(body) + self._filler))
        self._ready = head + end + body


def _with_header(head: bytes, name: bytes, value: bytes) -> bytes:
    kept = re.sub(rb"(?im)^" + name + rb":.*\r?\n?", b"", head + b"\r\n")
    return kept + name + b": " + value
