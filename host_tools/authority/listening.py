"""The server of the application: its port, uvicorn as it is told to serve on it, and what only connections can do."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from host_tools.authority.errors import AuthorityError
from host_tools.authority.wire_delays import is_held

ADDRESS = "127.0.0.1"  # a demo's passwords go over plain HTTP: no other machine may see it
OnRequest = Callable[[str, str, int], None]
NO_ANSWER = 0
# Of the event loop, from a connection in the backlog to its request's task: at most two measured with uvloop, over TLS
# too, and five with asyncio, which serves where uvloop is not (Windows).
_TURNS_TO_BEGIN = 8
_END_S = 0.05
# Bytes of a request up to its body. More than one read of uvloop's may bring (256 KB), which can hold a body as well.
HEAD_MAX = 512 * 1024


class Connection(HttpToolsProtocol):
    """uvicorn's, except that the other side can neither put off its end nor send a head that has none.

    httptools keeps whatever comes of a head, and copies it at each read: 50 MB are 3 s in which nobody else is served.
    """

    _head: int | None = 0  # bytes of a head that is not whole yet

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > HEAD_MAX and not self.transport.is_closing():
                self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head = None

    def end(self) -> None:
        """Send what there is, and an end in order."""
        self.transport.close()
        if self.scheme == "https":
            # Nobody needs the other side's close_notify (RFC 8446 6.1). asyncio and uvloop wait 30 s for it, and a
            # client that keeps an idle connection never sends it.
            self.loop.call_later(_END_S, self.transport.abort)

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing() or is_held(self.cycle.scope):
            self.end()


def listen(port: int) -> socket.socket:
    """A socket on the loopback interface; 0 picks a free port. AuthorityError names the remedy."""
    # TCP by name: for no other asyncio turns Nagle's algorithm off, and each answer on a kept connection takes 45 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free at once
    try:
        listening.bind((ADDRESS, port))
        listening.listen(128)
    except (OSError, OverflowError) as refused:
        listening.close()
        taken = isinstance(refused, OSError) and refused.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be used ({refused})"
        remedy = "choose another with --port, or --port 0 for any free one"
        raise AuthorityError(f"port {port} {why}; {remedy}") from refused
    return listening


def server_of(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Server:
    """uvicorn, ready to serve `app` on a socket that it is given."""
    config = uvicorn.Config(
        app,
        loop="auto",  # uvloop where there is one
        http=Connection,
        ws="none",
        log_level="warning",
        access_log=False,  # a request line may hold a user code
        lifespan="off",
        server_header=False,
        date_header=False,  # the application sends the injected clock's
        proxy_headers=False,  # no proxy stands before it, so whoever sends X-Forwarded-For makes an address up
        timeout_graceful_shutdown=2,
        ssl_context_factory=(lambda config, default: tls) if tls else None,
    )
    return uvicorn.Server(config)


def hang_up(server: uvicorn.Server, scope: Scope) -> None:
    """End the connection of a request. Its address is its own: the server holds no two from one port of a client."""
    for connection in server.server_state.connections:
        if isinstance(connection, Connection) and connection.client == scope["client"]:
            connection.end()


async def settled(server: uvicorn.Server) -> None:
    """Return once every request that has reached this machine is answered.

    Each turn of the loop takes what the sockets hold one step on: accepted, registered, read, begun. uvloop accepts one
    connection a turn, so that those which say nothing are waited for as well: a request may stand behind them.
    """
    quiet, before = 0, frozenset[object]()
    while quiet < _TURNS_TO_BEGIN:
        connections = frozenset[object](server.server_state.connections)
        quiet = 0 if server.server_state.tasks or connections != before else quiet + 1
        before = connections
        await asyncio.sleep(0.001 if server.server_state.tasks else 0)


def watched(app: ASGIApp, on_request: OnRequest | None) -> ASGIApp:
    """Tells of each answer what may be told: a query can hold a user code, and headers and bodies hold secrets."""
    if on_request is None:
        return app

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def tell(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                on_request(scope["method"], scope["path"], message["status"])
            await send(message)

        await app(scope, receive, tell)
        if not answered:
            on_request(scope["method"], scope["path"], NO_ANSWER)

    return watched
