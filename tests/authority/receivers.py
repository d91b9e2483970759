"""Subscribers of the outbox: real receivers of every temper, over real connections. Only the pauses take no time."""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

from host_tools.authority.core.records import Message
from host_tools.authority.webhooks import Webhooks

SENT_NS = 1_795_305_600 * 10**9  # 2026-11-22T00:00:00Z
PATIENCE_S = 20  # until a test that waits for what never comes has failed


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return json.loads(self.body)["message_id"]


class Receiver(ThreadingHTTPServer):
    """Answers with these statuses in turn, the last one for ever. While it is held it answers nothing."""

    def __init__(self, *statuses: int, location: str = "", ca: trustme.CA | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http"
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("127.0.0.1").configure_cert(context)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        self.statuses = list(statuses or (204,))
        self.location = location
        self.free = threading.Event()
        self.free.set()
        self.posts: queue.Queue[Post] = queue.Queue()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}/hook"

    def next(self) -> Post:
        return self.posts.get(timeout=PATIENCE_S)

    def all(self) -> list[Post]:
        """Those that have come and were not taken by `next`."""
        return [self.posts.get_nowait() for _ in range(self.posts.qsize())]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that does not trust it, or has gone."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.put(Post(self.path, dict(self.headers), body))
        self.server.free.wait(PATIENCE_S)
        statuses = self.server.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        if status == 0:  # no answer at all
            self.close_connection = True
            return
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *told: Any) -> None:
        pass


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    """Opens receivers."""
    opened: list[Receiver] = []

    def receive(*statuses: int, **options: Any) -> Receiver:
        opened.append(Receiver(*statuses, **options))
        return opened[-1]

    yield receive
    for each in opened:
        each.free.set()
        each.shutdown()
        each.server_close()


class Told:
    """What became of messages, and the pauses that were made: none of them took any time."""

    def __init__(self) -> None:
        self.failures: queue.Queue[tuple[str, str]] = queue.Queue()
        self.pauses: list[float] = []

    def failure(self, message: Message, why: str) -> None:
        self.failures.put((message.message_id, why))

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def next(self) -> tuple[str, str]:
        return self.failures.get(timeout=PATIENCE_S)

    def all(self) -> list[tuple[str, str]]:
        return [self.failures.get_nowait() for _ in range(self.failures.qsize())]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def telling(told) -> Iterator[Callable[..., Webhooks]]:
    """Starts webhooks to these URLs."""
    with contextlib.ExitStack() as started:

        def telling(*urls: str, **options: Any) -> Webhooks:
            webhooks = Webhooks(urls, told.failure, **({"pause": told.pause} | options))
            webhooks.start()
            started.callback(webhooks.stop)
            return webhooks

        yield telling


def message(number: int = 1) -> Message:
    text = f"{number:06} is your verification code for Stoa display."
    return Message(f"m{number}", "auth0|1", "sms", "+15551234567", text, SENT_NS)


def refused_port() -> int:
    """One on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


class Dripping:
    """A server that sends `first`, and then a byte before anybody has given up waiting for one, for ever."""

    def __init__(self, first: bytes) -> None:
        self._first = first
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = f"http://{self.host}/"
        self.connections: queue.Queue[int] = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            for number in itertools.count(1):
                accepted, _ = self._listening.accept()
                self.connections.put(number)
                with accepted, contextlib.suppress(OSError):
                    accepted.sendall(self._first)
                    while True:
                        threading.Event().wait(0.001)
                        accepted.sendall(b"x")

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes], Dripping]]:
    with contextlib.ExitStack() as opened:

        def dripping(first: bytes) -> Dripping:
            server = Dripping(first)
            opened.callback(server.close)
            return server

        yield dripping
