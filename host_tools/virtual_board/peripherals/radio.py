"""The network behind the access point: the machine's own TCP, TLS with verification, and a time server of the bench's.

Error numbers are newlib's, which CircuitPython on Espressif raises.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from host_tools.clock import NS, Clock
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.link import DeviceFault
from host_tools.virtual_board.peripherals.replies import PORTAL_REPLY, Reply
from host_tools.virtual_board.peripherals.station import Station
from host_tools.virtual_board.peripherals.time_server import time_answer

ETIMEDOUT, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EBADF = 116, 111, 104, 118, 9
MBEDTLS_VERIFY_FAILED, MBEDTLS_HANDSHAKE_FAILED = -9984, -30592
# An address of TEST-NET-1 (RFC 5737): nothing real answers there, so the bench may.
TIME_SERVER = "192.0.2.123"
# A socket without a time-out waits until the watchdog bites; without one, a day says it.
FOR_EVER_NS = 86_400 * NS
_FIRST_LINE = 2048


@dataclass
class Exchange:
    """One HTTP exchange as the air saw it; the query and all headers and bodies are left out, for they hold secrets."""

    method: str
    path: str
    status: int | None = None


@dataclass
class _Connection:
    sock: socket.socket | None
    timeout_ms: int | None = None
    connected: bool = False
    tls: tuple[ssl.SSLContext, str | None] | None = None
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    exchange: Exchange | None = None
    datagram: bytes | None = None
    reply: Reply | None = None
    portal: bytes | None = None
    lost: bool = False


class Radio:
    """What lies behind the access point. time_host: the name its time server has, which answers from the clock;
    exchanges: where each HTTP exchange is noted; roots: what the board trusts beside the public authorities, as PEM."""

    def __init__(
        self,
        clock: Clock,
        station: Station,
        time_host: str,
        exchanges: list[Exchange],
        faults: Faults,
        roots: str | None = None,
    ) -> None:
        self._clock = clock
        self._station = station
        self._time_host = time_host
        self._exchanges = exchanges
        self._faults = faults
        self._roots = roots
        self._connections: dict[int, _Connection] = {}
        self._next_handle = 1

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "net.resolve": self._resolve,
            "net.socket": self._socket,
            "net.connect": self._connect,
            "net.send": self._send,
            "net.sendto": self._send_datagram,
            "net.recv": self._receive,
            "net.settimeout": self._set_timeout,
            "net.close": self._close,
            "tls.wrap": self._wrap,
        }

    def close(self) -> None:
        """Drop everything, as a loss of power does."""
        for handle in list(self._connections):
            self._close(handle)
        self._station.leave()

    def _resolve(self, host: str) -> str | None:
        if not self._station.connected or (self._faults.dns and host != TIME_SERVER):
            return None
        if host == self._time_host:
            return TIME_SERVER
        try:
            found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            # UnicodeError: a label of more than 63 letters is no name at all.
            return None
        return str(found[0][4][0])

    def _socket(self, datagram: bool) -> int:
        handle = self._next_handle
        self._next_handle += 1
        self._connections[handle] = _Connection(None if datagram else socket.socket())
        return handle

    def _connection(self, handle: int) -> _Connection:
        try:
            return self._connections[handle]
        except KeyError:
            raise DeviceFault("OSError", "EBADF", EBADF) from None

    def _set_timeout(self, handle: int, milliseconds: int | None) -> None:
        self._connection(handle).timeout_ms = milliseconds

    def _connect(self, handle: int, host: str, port: int) -> None:
        connection = self._connection(handle)
        address = self._resolve(host)
        if address is None or connection.sock is None:
            raise DeviceFault("OSError", "EHOSTUNREACH", EHOSTUNREACH)
        sock = connection.sock
        if self._faults.refused:
            raise DeviceFault("OSError", "ECONNREFUSED", ECONNREFUSED)
        if self._faults.tls or (self._faults.portal and connection.tls is not None):
            raise DeviceFault("OSError", "certificate refused: self-signed certificate", MBEDTLS_VERIFY_FAILED)
        if self._faults.portal:
            connection.portal = PORTAL_REPLY
            return
        self._guarded(connection, lambda: sock.connect((address, port)))
        connection.connected = True
        connection.reply = Reply(self._faults, lambda size: self._from_server(connection, size), self._clock)
        self._shake_hands(connection)

    def _wrap(self, handle: int, server_hostname: str | None, root: str | bytes | None, check_hostname: bool) -> int:
        """As CircuitPython's: TLS is agreed on when the socket connects, or at the first byte if it has already."""
        connection = self._connections.pop(handle)
        context = ssl.create_default_context(cadata=root)
        if root is None and self._roots is not None:
            context.load_verify_locations(cadata=self._roots)
        context.check_hostname = check_hostname
        connection.tls = (context, server_hostname)
        handle = self._next_handle
        self._next_handle += 1
        self._connections[handle] = connection
        return handle

    def _shake_hands(self, connection: _Connection) -> None:
        if connection.tls is None or connection.sock is None or not connection.connected:
            return
        (context, host), plain = connection.tls, connection.sock
        connection.tls = None
        connection.sock = self._guarded(connection, lambda: context.wrap_socket(plain, server_hostname=host))

    def _send(self, handle: int, data: bytes) -> int:
        connection = self._connection(handle)
        self._shake_hands(connection)
        sock = connection.sock
        if sock is None:
            raise DeviceFault("OSError", "EBADF", EBADF)
        count: int = len(data) if connection.portal else self._guarded(connection, lambda: sock.send(data))
        if connection.exchange is None and len(connection.sent) < _FIRST_LINE:
            connection.sent += data[:count]
            self._note_request(connection)
        return count

    def _receive(self, handle: int, size: int) -> bytes:
        connection = self._connection(handle)
        if connection.sock is None:
            answer, connection.datagram = connection.datagram, None
            if answer is None:
                self._wait_in_vain(connection)
            return answer[:size]
        if self._faults.stall:
            self._wait_in_vain(connection)
        data = self._reply(connection, size)
        exchange = connection.exchange
        if exchange is not None and exchange.status is None and len(connection.received) < _FIRST_LINE:
            connection.received += data
            line, newline, _ = bytes(connection.received).partition(b"\r\n")
            words = line.split()
            if newline and len(words) > 1 and words[1].isdigit():
                exchange.status = int(words[1])
        return data

    def _reply(self, connection: _Connection, size: int) -> bytes:
        if connection.portal is not None:
            data, connection.portal = connection.portal[:size], connection.portal[size:]
            return data
        if connection.lost:
            # The server's answer is waited for, so that the request is known to be processed.
            self._from_server(connection, size)
            raise DeviceFault("OSError", "ECONNRESET", ECONNRESET)
        return connection.reply.read(size) if connection.reply is not None else self._from_server(connection, size)

    def _from_server(self, connection: _Connection, size: int) -> bytes:
        sock = connection.sock
        received: bytes = self._guarded(connection, lambda: sock.recv(size) if sock else b"")
        return received

    def _wait_in_vain(self, connection: _Connection) -> NoReturn:
        if connection.timeout_ms is None:
            self._clock.sleep_ns(FOR_EVER_NS)
        self._let_pass(self._clock.now_ns(), connection)
        raise DeviceFault("OSError", "ETIMEDOUT", ETIMEDOUT)

    def _send_datagram(self, handle: int, data: bytes, host: str, port: int) -> int:
        connection = self._connection(handle)
        if host == TIME_SERVER and port == 123 and self._station.connected and not self._faults.ntp_absent:
            connection.datagram = time_answer(data, self._clock.now_ns() + self._faults.ntp_wrong_s * NS)
        return len(data)

    def _close(self, handle: int) -> None:
        connection = self._connections.pop(handle, None)
        if connection is not None and connection.sock is not None:
            connection.sock.close()

    def _guarded(self, connection: _Connection, act: Callable[[], Any]) -> Any:
        """Do something with a real socket and turn what goes wrong into what a board would raise."""
        sock = connection.sock
        if sock is None:
            raise DeviceFault("OSError", "EBADF", EBADF)
        sock.settimeout(None if connection.timeout_ms is None else connection.timeout_ms / 1000)
        began = self._clock.now_ns()
        try:
            return act()
        except (TimeoutError, BlockingIOError):
            self._let_pass(began, connection)
            raise DeviceFault("OSError", "ETIMEDOUT", ETIMEDOUT) from None
        except ssl.SSLCertVerificationError as error:
            raise DeviceFault(
                "OSError", f"certificate refused: {error.verify_message}", MBEDTLS_VERIFY_FAILED
            ) from None
        except ssl.SSLError as error:
            raise DeviceFault("OSError", f"TLS failed: {error.reason}", MBEDTLS_HANDSHAKE_FAILED) from None
        except ConnectionRefusedError:
            raise DeviceFault("OSError", "ECONNREFUSED", ECONNREFUSED) from None
        except (ConnectionResetError, BrokenPipeError):
            raise DeviceFault("OSError", "ECONNRESET", ECONNRESET) from None
        except OSError:
            raise DeviceFault("OSError", "EHOSTUNREACH", EHOSTUNREACH) from None

    def _let_pass(self, began_ns: int, connection: _Connection) -> None:
        """A wait that ran out took its time for the device too, even where the clock does not run by itself."""
        waited = self._clock.now_ns() - began_ns
        self._clock.sleep_ns((connection.timeout_ms or 0) * 1_000_000 - waited)

    def _note_request(self, connection: _Connection) -> None:
        line, newline, _ = bytes(connection.sent).partition(b"\r\n")
        words = line.split()
        if newline and len(words) == 3:
            path = words[1].decode("ascii", "replace").partition("?")[0]
            connection.exchange = Exchange(words[0].decode("ascii", "replace"), path)
            self._exchanges.append(connection.exchange)
            self._lose_reply(connection)

    def _lose_reply(self, connection: _Connection) -> None:
        """Whether this exchange's reply will arrive: -1 loses each, N the N-th from now."""
        faults = self._faults
        connection.lost = faults.lost_reply in (-1, 1)
        if faults.lost_reply > 0:
            faults.lost_reply -= 1
