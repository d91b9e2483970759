"""CircuitPython's SocketPool, Socket and SSLContext with a script for a network, and urequests driven on them."""

from __future__ import annotations

import pytest

from stoa.net import http, usocket
from stoa.net.http import BODY_MAX, HttpError

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"


class Ticks:
    """Milliseconds that pass when the script says so, wrapping as supervisor.ticks_ms does."""

    def __init__(self, start=0):
        self.value = start

    def __call__(self):
        return self.value & 0x1FFFFFFF


class Socket:
    """CircuitPython's: connect, send, recv_into, settimeout, close and no more.

    `reply` is a list of what recv_into meets: bytes, an exception, or a number of milliseconds that pass.
    """

    type = 1

    def __init__(self, pool):
        self.pool = pool
        self.reply = list(pool.reply)
        self.received = b""
        self.connected = None
        self.closed = 0
        self.timeouts = []

    def settimeout(self, seconds):
        assert type(seconds) is int, "no float deadlines"
        assert seconds > 0
        self.timeouts.append(seconds)

    def connect(self, address):
        self.pool.meet("connect")
        self.connected = address

    def send(self, data):
        self.pool.meet("send")
        assert self.connected, "CircuitPython raises BrokenPipeError"
        self.received += bytes(data[: self.pool.piece])
        return min(len(data), self.pool.piece)

    def recv_into(self, buffer, size=0):
        while self.reply:
            met = self.reply[0]
            if isinstance(met, int):
                self.pool.ticks.value += met
                self.reply.pop(0)
            elif isinstance(met, BaseException):
                raise met
            elif not met:
                self.reply.pop(0)
            else:
                count = min(size or len(buffer), len(met), self.pool.piece)
                buffer[:count] = met[:count]
                self.reply[0] = met[count:]
                return count
        return 0

    def close(self):
        self.closed += 1


class Pool:
    AF_INET = 2
    SOCK_STREAM = 1

    def __init__(self, *reply, piece=10_000, ticks=None, **meets):
        self.reply = reply
        self.piece = piece
        self.ticks = ticks or Ticks()
        self.meets = meets
        self.sockets = []
        self.wrapped = None

    def meet(self, what):
        met = self.meets.get(what)
        if isinstance(met, int):
            self.ticks.value += met
        elif met is not None:
            raise met

    def getaddrinfo(self, host, port, family=0, kind=0):
        self.meet("getaddrinfo")
        assert (family, kind) == (self.AF_INET, self.SOCK_STREAM)
        return [] if self.meets.get("nobody") else [(2, 1, 0, "", ("192.0.2.7", port))]

    def socket(self, family, kind):
        self.meet("socket")
        self.sockets.append(Socket(self))
        return self.sockets[-1]

    @property
    def only(self):
        assert len(self.sockets) == 1, "exactly one connection"
        return self.sockets[0]


class Context:
    """CircuitPython's SSLContext: wraps an unconnected socket and shakes hands in connect."""

    def __init__(self, error=None):
        self.error = error
        self.asked = []
        self.closed = 0

    def wrap_socket(self, sock, server_hostname):
        assert sock.connected is None, "wrapping comes before connecting"
        self.asked.append(server_hostname)
        context = self

        class Wrapped:
            settimeout, recv_into = sock.settimeout, sock.recv_into

            def connect(self, address):
                sock.connect(address)
                if context.error:
                    raise context.error

            def send(self, data):
                return sock.send(data)

            def close(self):
                context.closed += 1

        return Wrapped()


def post(pool, url="http://id.example:8400/oauth/token?tenant=1", context=None, limit=BODY_MAX, timeout=30, **more):
    fields = more.pop("fields", (("grant_type", "refresh_token"), ("refresh_token", "v1.a+b/c=d&e f")))
    headers = more.pop("headers", None)
    return http.exchange("POST", url, fields, headers, limit, timeout, pool, context, pool.ticks)


def failure(pool, **how):
    with pytest.raises(HttpError) as caught:
        post(pool, **how)
    error = caught.value
    for word in ("tenant", "refresh_token", "v1.", "secret"):
        assert word not in error.detail
    assert all(sock.closed for sock in pool.sockets)
    assert usocket._wire is None
    return error.kind, error.detail, error.sent
