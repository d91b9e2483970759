"""The bench's end of the link to the firmware's process."""

from __future__ import annotations

import os
import select
import struct
from typing import Any

from host_tools.virtual_board.circuitpython import _codec


class LinkClosed(Exception):
    """The firmware's process has gone: deep sleep, a crash, or a kill."""


class LinkStalled(Exception):
    """The firmware made no hardware call for longer than allowed: it hangs."""


class DeviceFault(Exception):
    """What a peripheral raises to make the firmware's call raise.

    kind: the name of a built-in exception of CircuitPython; number: its errno, or None.
    """

    def __init__(self, kind: str, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.number = number
        self.message = message


class Link:
    """Reads requests from descriptor `rx` and writes replies to `tx`, both owned by the caller."""

    def __init__(self, rx: int, tx: int) -> None:
        self._rx = rx
        self._tx = tx

    def receive(self, timeout_s: float) -> tuple[str, list[Any]]:
        """The next (operation, arguments). Waits at most `timeout_s` real seconds."""
        ready, _, _ = select.select([self._rx], [], [], timeout_s)
        if not ready:
            raise LinkStalled
        (size,) = struct.unpack("<I", self._read(4))
        if size > _codec.MAX_FRAME:
            raise LinkClosed(f"a link frame of {size} bytes")
        request, _ = _codec.decode(self._read(size), 0)
        return request[0], request[1:]

    def reply(self, result: Any) -> None:
        self._write(_codec.frame((True, result)))

    def fail(self, fault: DeviceFault) -> None:
        self._write(_codec.frame((False, fault.kind, fault.number, fault.message)))

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = os.read(self._rx, size - len(data))
            if not more:
                raise LinkClosed
            data += more
        return data

    def _write(self, data: bytes | bytearray) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._tx, view) :]
        except BrokenPipeError:
            raise LinkClosed from None
