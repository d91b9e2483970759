"""The bench's end of the link to the firmware's process."""

from __future__ import annotations

import socket
from typing import Any

from host_tools.virtual_board.circuitpython import _codec

_MOST = 1 << 16
_DONE = bytes(_codec.frame((True, None)))


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
    """Reads requests from `connection` and writes replies to it; it is the caller's no more."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._timeout_s: float | None = None
        self._unread = b""

    def receive(self, timeout_s: float) -> tuple[str, list[Any]]:
        """The next (operation, arguments). Waits at most `timeout_s` real seconds for each part of it to come."""
        if timeout_s != self._timeout_s:
            self._timeout_s = timeout_s
            self._connection.settimeout(timeout_s)
        data = self._unread
        while len(data) < 4:
            data += self._receive_some()
        end = 4 + int.from_bytes(data[:4], "little")
        if end - 4 > _codec.MAX_FRAME:
            raise LinkClosed(f"a link frame of {end - 4} bytes")
        while len(data) < end:
            data += self._receive_some()
        self._unread = data[end:]
        request, _ = _codec.decode(data, 4)
        return request[0], request[1:]

    def reply(self, result: Any) -> None:
        self._send(_DONE if result is None else _codec.frame((True, result)))

    def fail(self, fault: DeviceFault) -> None:
        self._send(_codec.frame((False, fault.kind, fault.number, fault.message)))

    def close(self) -> None:
        self._connection.close()

    def _receive_some(self) -> bytes:
        try:
            data = self._connection.recv(_MOST)
        except TimeoutError:
            raise LinkStalled from None
        except ConnectionResetError:
            raise LinkClosed from None
        if not data:
            raise LinkClosed
        return data

    def _send(self, data: bytes | bytearray) -> None:
        try:
            self._connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise LinkClosed from None
        except TimeoutError:
            raise LinkStalled from None
