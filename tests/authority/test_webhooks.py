"""The outbox's subscribers: real receivers of every temper, over real connections. Only the pauses take no time."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import queue
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

from host_tools.authority import AuthorityError, InvalidSetting, start_authority
from host_tools.authority.core.records import Message
from host_tools.authority.webhooks import MOST_WAITING, Webhooks
from host_tools.rehearsal.person import approve

from .conftest import START_NS, over_the_wire, quote_of_day

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
    return Message(f"m{number}", "auth0|1", "sms", "+15551234567", text, START_NS)


def refused_port() -> int:
    """One on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def test_every_subscriber_is_told_of_a_message(receive, telling, told):
    receivers = [receive(200), receive(202), receive(204)]
    telling(*(each.url for each in receivers)).send(message())
    for each in receivers:
        post = each.next()
        assert post.path == "/hook"
        assert post.headers["Content-Type"] == "application/json"
        assert post.headers["User-Agent"] == "stoa"
        assert post.headers["Webhook-Id"] == "m1"
        assert json.loads(post.body) == {
            "message_id": "m1",
            "channel": "sms",
            "recipient": "+15551234567",
            "text": "000001 is your verification code for Stoa display.",
            "sent": "2026-11-22T00:00:00Z",
        }
    assert told.all() == []


def test_a_message_in_any_script_arrives_as_it_is(receive, telling):
    receiver = receive()
    hostile = Message("m1", "u", "email", '"><b>\u202e\n@ü.example', "“κωδικός” \U0001f511", START_NS)
    telling(receiver.url).send(hostile)
    body = json.loads(receiver.next().body)
    assert (body["recipient"], body["text"]) == (hostile.recipient, hostile.text)


def test_a_slow_subscriber_holds_up_no_other(receive, telling, told):
    slow, quick = receive(), receive()
    slow.free.clear()
    webhooks = telling(slow.url, quick.url)
    for number in (1, 2, 3):
        webhooks.send(message(number))
    assert [quick.next().message_id for _ in range(3)] == ["m1", "m2", "m3"]
    assert slow.next().message_id == "m1"
    assert slow.all() == []
    slow.free.set()
    assert [slow.next().message_id for _ in range(2)] == ["m2", "m3"]
    assert told.all() == []


@pytest.mark.parametrize("passing", [0, 429, 500, 503])
def test_what_may_pass_is_tried_again_and_known_by_its_id(receive, telling, told, passing):
    receiver = receive(passing, passing, 204)
    webhooks = telling(receiver.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    posts = [receiver.next() for _ in range(4)]
    assert [each.headers["Webhook-Id"] for each in posts] == ["m1", "m1", "m1", "m2"]
    assert posts[0].body == posts[1].body == posts[2].body
    assert told.pauses == [1, 5]
    assert told.all() == []


def test_one_that_is_down_is_given_up_and_the_others_are_told(receive, telling, told):
    receiver, port = receive(), refused_port()
    telling(f"http://127.0.0.1:{port}/", receiver.url).send(message())
    assert receiver.next().message_id == "m1"
    assert told.next() == ("m1", f"127.0.0.1:{port} cannot be reached")
    assert told.pauses == [1, 5, 25]


@pytest.mark.parametrize(
    ("status", "why", "tries"),
    [(503, "answered 503", 4), (404, "answered 404", 1), (0, "broke off without an answer", 4)],
)
def test_what_was_given_up_is_told_and_the_next_is_tried(receive, telling, told, status, why, tries):
    receiver = receive(*[status] * tries, 204)
    webhooks = telling(receiver.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert [receiver.next().message_id for _ in range(tries + 1)] == ["m1"] * tries + ["m2"]
    assert told.next() == ("m1", f"{receiver.host} {why}")
    assert told.all() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_code_elsewhere(receive, telling, told, status):
    elsewhere = receive()
    receiver = receive(status, location=elsewhere.url)
    telling(receiver.url).send(message())
    assert told.next() == ("m1", f"{receiver.host} answered {status}; a redirect is not followed")
    assert len(receiver.all()) == 1
    assert elsewhere.all() == []


def test_one_that_never_answers_is_given_up(receive, telling, told):
    receiver = receive()
    receiver.free.clear()
    telling(receiver.url, timeout_s=0.05).send(message())
    assert told.next() == ("m1", f"{receiver.host} did not answer in 0.05 s")
    assert told.pauses == [1, 5, 25]


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


def test_an_answer_that_drips_is_not_waited_for(dripping, telling, told):
    server = dripping(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    telling(server.url, timeout_s=0.1).send(message())
    assert told.next() == ("m1", f"{server.host} did not answer in 0.1 s")


def test_nothing_is_read_of_an_answer_but_its_status(dripping, telling, told):
    server = dripping(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    webhooks = telling(server.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert [server.connections.get(timeout=PATIENCE_S) for _ in range(2)] == [1, 2]
    assert (told.pauses, told.all()) == ([], [])  # the second connection is the second message's


def test_a_queue_has_an_end_and_its_oldest_message_goes(receive, telling, told):
    slow, quick = receive(), receive()
    slow.free.clear()
    webhooks = telling(slow.url, quick.url)
    webhooks.send(message(0))
    assert slow.next().message_id == "m0"  # on its way: no longer in the queue
    for number in range(1, MOST_WAITING + 3):
        webhooks.send(message(number))
        assert quick.next()
    why = f"{slow.host} was too slow: {MOST_WAITING} wait for it"
    assert [told.next(), told.next()] == [("m1", why), ("m2", why)]
    slow.free.set()
    assert [slow.next().message_id for _ in range(MOST_WAITING)] == [f"m{n}" for n in range(3, MOST_WAITING + 3)]
    assert told.all() == []


def test_what_waits_at_the_end_is_still_delivered(receive, told):
    receiver = receive()

    async def never_over(seconds: float) -> None:
        await asyncio.Event().wait()

    webhooks = Webhooks([receiver.url], told.failure, never_over)
    webhooks.start()
    for number in (1, 2, 3):
        webhooks.send(message(number))
    webhooks.stop()
    assert [each.message_id for each in receiver.all()] == ["m1", "m2", "m3"]
    assert told.all() == []
    assert "stoa-webhooks" not in [each.name for each in threading.enumerate()]


def test_what_cannot_be_delivered_at_the_end_is_dropped_and_told(receive, telling, told):
    slow, quick = receive(), receive()
    slow.free.clear()
    webhooks = telling(slow.url, quick.url)
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert slow.next().message_id == "m1"
    assert [quick.next().message_id for _ in range(2)] == ["m1", "m2"]
    webhooks.stop()
    assert "stoa-webhooks" not in [each.name for each in threading.enumerate()]
    why = f"{slow.host} had not taken it when the authority ended"
    assert [each for each in told.all() if quick.host not in each[1]] == [("m1", why), ("m2", why)]
    webhooks.stop()
    webhooks.send(message(3))
    assert told.all() == []


def test_a_pause_between_tries_does_not_put_off_the_end(receive, told):
    receiver = receive(503)
    paused, never = threading.Event(), asyncio.Event()

    async def pause(seconds: float) -> None:
        if seconds == 1:
            paused.set()
            await never.wait()

    webhooks = Webhooks([receiver.url], told.failure, pause)
    webhooks.start()
    webhooks.send(message())
    assert paused.wait(PATIENCE_S)
    webhooks.stop()
    assert told.all() == [("m1", f"{receiver.host} had not taken it when the authority ended")]


def test_a_certificate_nobody_vouches_for_is_refused(receive, telling, told):
    receiver = receive(ca=trustme.CA())
    telling(receiver.url).send(message())
    _, why = told.next()
    assert why.startswith(f"{receiver.host} has no certificate to be trusted: ")
    assert receiver.all() == []


def test_a_ca_of_ones_own_is_trusted_by_ssl_cert_file(receive, telling, monkeypatch, tmp_path):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    receiver = receive(ca=ca)
    telling(receiver.url).send(message())
    assert receiver.next().message_id == "m1"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(AuthorityError, match="put SSL_CERT_FILE, HTTP_PROXY and their kin right"):
        telling(receiver.url)


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_stops_the_start(told, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(AuthorityError, match="put SSL_CERT_FILE, HTTP_PROXY and their kin right"):
        Webhooks(["https://hooks.example/"], told.failure)


def test_a_log_that_cannot_be_written_ends_no_deliveries(receive):
    receiver = receive(404, 204)

    def full(message: Message, why: str) -> None:
        raise OSError("No space left on device")

    webhooks = Webhooks([receiver.url], full)
    webhooks.start()
    webhooks.send(message(1))
    webhooks.send(message(2))
    assert [receiver.next().message_id for _ in range(2)] == ["m1", "m2"]
    webhooks.stop()


def test_a_proxy_for_elsewhere_does_not_come_between(receive, telling, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    receiver = receive()
    telling(receiver.url).send(message())
    assert receiver.next().message_id == "m1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/secret",
        "ftp://user:secret@hooks.example/",
        "http:///secret",
        "http://user:secret@",
        "http://hooks.example:secret/",
        "http://hooks.example/\nsecret",
    ],
)
def test_what_is_no_address_is_named_by_its_place_alone(told, url):
    with pytest.raises(InvalidSetting) as refused:
        Webhooks(["http://127.0.0.1/", url], told.failure)
    assert str(refused.value) == "webhooks has no http or https address at place 2"


# With the authority around it.


def test_a_code_reaches_the_subscriber_and_brings_tokens(receive, clock):
    receiver = receive()
    with (
        start_authority(clock, quote_of_day=quote_of_day, webhooks=[receiver.url]) as running,
        over_the_wire(running) as display,
    ):
        running.control.enrol(running.tenant.demo_user, "sms", "+15551234567")
        refresh_token, mfa_token = paired_and_challenged(running, display)
        challenge = {"client_id": running.tenant.client_id, "mfa_token": mfa_token, "challenge_type": "oob"}
        sent = display.http.post("/mfa/challenge", json=challenge).json()
        body = json.loads(receiver.next().body)
        assert (body["channel"], body["recipient"]) == ("sms", "+15551234567")
        code = re.match(r"(\d{6}) is your verification code for Stoa display\.$", body["text"]).group(1)
        granted = display.http.post(
            "/oauth/token",
            data={
                "grant_type": "http://auth0.com/oauth/grant-type/mfa-oob",
                "client_id": running.tenant.client_id,
                "mfa_token": mfa_token,
                "oob_code": sent["oob_code"],
                "binding_code": code,
            },
        )
        assert granted.status_code == 200, granted.text
        assert granted.json()["refresh_token"] != refresh_token
        assert [each for each in running.control.events() if each.kind == "delivery_failed"] == []


def paired_and_challenged(running, display) -> tuple[str, str]:
    """A refresh token, and the mfa_token with which its refresh was refused."""
    tenant = running.tenant
    begun = display.ask().json()
    approve(begun["verification_uri"], begun["user_code"], tenant.demo_user, tenant.demo_password, lambda: "")
    refresh_token = display.poll(begun["device_code"]).json()["refresh_token"]
    running.set_mfa("rule")
    return refresh_token, display.refresh(refresh_token).json()["mfa_token"]


def test_a_failure_is_in_the_log_without_any_secret(receive, clock):
    receiver = receive(404)
    url = f"http://user:pass-word@{receiver.host}/path-secret?token=query-secret"
    with start_authority(clock, quote_of_day=quote_of_day, webhooks=[url]) as running:
        outbox = running._authority.outbox
        sent = outbox.send("auth0|1", "sms", "+15551234567", "123456 is your verification code for Stoa display.")
        post = receiver.next()
        assert post.path == "/path-secret?token=query-secret"
        assert base64.b64decode(post.headers["Authorization"].removeprefix("Basic ")) == b"user:pass-word"
        failed = next(each for each in until(lambda: running.control.events()) if each.kind == "delivery_failed")
        assert (failed.user_id, failed.detail) == ("auth0|1", f"{receiver.host} answered 404")
        told = repr(running.control.events())
        for secret in ("user:", "pass-word", "path-secret", "query-secret", "123456", sent.recipient, sent.text):
            assert secret not in told


def until(events: Callable[[], list[Any]]) -> list[Any]:
    """The events once there are any: the receiver knows of its answer before the log does."""
    while not (found := events()):
        threading.Event().wait(0.005)
    return found


def test_what_waits_when_the_server_ends_is_in_the_log(receive, clock, tmp_path):
    receiver = receive()
    receiver.free.clear()
    database = tmp_path / "authority.sqlite"
    with start_authority(clock, database=database, quote_of_day=quote_of_day, webhooks=[receiver.url]) as running:
        running._authority.outbox.send("auth0|1", "sms", "+15551234567", "123456")
        receiver.next()
    with start_authority(clock, database=database, quote_of_day=quote_of_day) as again:
        failed = [each for each in again.control.events() if each.kind == "delivery_failed"]
    assert [each.detail for each in failed] == [f"{receiver.host} had not taken it when the authority ended"]


def test_a_wrong_address_stops_the_start(clock):
    with pytest.raises(InvalidSetting, match="at place 1"):
        start_authority(clock, quote_of_day=quote_of_day, webhooks=["hooks.example"])


STARTED = """
import sys
from host_tools.authority import start_authority
from host_tools.clock import VirtualClock
with start_authority(VirtualClock(0)) as running:
    running._authority.outbox.send("auth0|1", "sms", "+15551234567", "123456")
print("httpx2" in sys.modules)
"""


def test_who_has_no_subscriber_does_not_wait_for_an_http_client():
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
