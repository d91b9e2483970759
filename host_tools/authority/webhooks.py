"""The outbox's messages, posted as JSON to any number of subscribers: the SMS broadcaster of seeds/000's author.

`send` only hands a message over, for it is called while a request is answered. Each subscriber has a queue of its own,
so that one that is slow or down holds up no other.

===================================  ==============================================================================
the subscriber                       what follows
===================================  ==============================================================================
answers 2xx                          it has the message
answers 429 or 5xx                   tried again after 1, 5 and 25 s; then given up
cannot be reached, breaks off,       the same; it may get the message twice, and knows that by its `Webhook-Id`
or has not answered in 10 s
answers 3xx                          given up: the message has a code in it, and was meant for the address named
answers anything else                given up
===================================  ==============================================================================

A message that is given up is told by the subscriber's host and port alone: the rest of a URL may hold a password.
The times here are the network's and thus real ones, whatever clock the authority runs by.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from host_tools.authority.core.records import Message
from host_tools.authority.errors import AuthorityError, InvalidSetting
from host_tools.clock import NS, utc_text

if TYPE_CHECKING:
    import httpx2

OnFailure = Callable[[Message, str], None]  # the message, and what became of it: "hooks.example answered 404"
Pause = Callable[[float], Coroutine[Any, Any, None]]

TIMEOUT_S = 10.0
MOST_WAITING = 100  # for one subscriber, as many as the outbox shows
_PAUSES_S = (1, 5, 25)  # with four tries it is over well before the code is: challenges.LIFETIME_S
_GRACE_S = 2.0
_UNDELIVERED = "had not taken it when the authority ended"
# Webhook-Id: standardwebhooks.com's name for what stays the same when a message is sent again.
_HEADERS = {"Content-Type": "application/json", "User-Agent": "stoa"}


@dataclass
class _Subscriber:
    url: httpx2.URL
    waiting: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    @property
    def host(self) -> str:
        """With its port, where it has one. No user, no password, no path: these may be secrets."""
        return self.url.netloc.decode()


@dataclass(frozen=True)
class _Failure:
    why: str
    may_pass: bool = True


class Webhooks:
    """Posts messages from a thread of its own, between `start` and `stop`."""

    def __init__(
        self, urls: Sequence[str], on_failure: OnFailure, pause: Pause = asyncio.sleep, timeout_s: float = TIMEOUT_S
    ) -> None:
        """
        Args:
            urls: of the subscribers, http or https; user and password in one are sent as Basic authentication.
            on_failure: called in that thread with each message that a subscriber did not get.
            pause: waits between tries, seconds.
            timeout_s: for one try, from the connection to the status.

        Raises:
            InvalidSetting: a URL is none. It is named by its place, for it may hold a password.
            AuthorityError: the environment names certificates or a proxy that cannot be used.
        """
        # Only who has subscribers pays for it: 60 ms of the authority's start, with the certificates.
        import httpx2

        self._subscribers = [_Subscriber(_parsed(number, url)) for number, url in enumerate(urls, 1)]
        try:
            self._client = httpx2.AsyncClient(
                headers=_HEADERS,
                timeout=None,  # asyncio.timeout bounds a whole try: one that drips keeps any limit of an operation
                limits=httpx2.Limits(max_connections=None),
                follow_redirects=False,
                # A proxy of the environment's is for what is elsewhere.
                mounts={"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None},
            )
        except (OSError, ValueError, ImportError) as unusable:  # of certificates; of a proxy, or of one that is SOCKS
            message = f"subscribers cannot be told ({unusable}); put SSL_CERT_FILE, HTTP_PROXY and their kin right"
            raise AuthorityError(message) from unusable
        self._on_failure = on_failure
        self._pause = pause
        self._timeout_s = timeout_s
        self._ending = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="stoa-webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send(self, message: Message) -> None:
        """Have it posted to every subscriber. Returns at once; after the end it does nothing."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._put, message)

    def stop(self) -> None:
        """Give what waits a short time, and drop the rest. Doing so twice does no harm."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_GRACE_S + 1)

    def _run(self) -> None:
        # Not asyncio.run: at its end it waits for threads that still look up a name.
        try:
            self._loop.run_until_complete(self._deliver())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    def _put(self, message: Message) -> None:
        for each in self._subscribers:
            if each.waiting.full():
                # The oldest goes: its code is the first that nobody can use any more.
                self._give_up(each, each.waiting.get_nowait(), f"was too slow: {MOST_WAITING} wait for it")
                each.waiting.task_done()
            each.waiting.put_nowait(message)

    async def _deliver(self) -> None:
        async with self._client:
            deliveries = [asyncio.create_task(self._deliver_to(each)) for each in self._subscribers]
            await self._ending.wait()
            emptied = asyncio.create_task(self._emptied())
            grace = asyncio.create_task(self._pause(_GRACE_S))
            await asyncio.wait((emptied, grace), return_when=asyncio.FIRST_COMPLETED)
            for task in (*deliveries, emptied, grace):
                task.cancel()
            await asyncio.wait((*deliveries, emptied, grace))

    async def _emptied(self) -> None:
        for each in self._subscribers:
            await each.waiting.join()

    async def _deliver_to(self, subscriber: _Subscriber) -> None:
        """One message after another, in their order, until cancelled."""
        try:
            while True:
                message = await subscriber.waiting.get()
                why: str | None = _UNDELIVERED
                try:
                    why = await self._posted(subscriber, message)
                finally:
                    if why is not None:
                        self._give_up(subscriber, message, why)
                    subscriber.waiting.task_done()
        finally:
            while not subscriber.waiting.empty():
                self._give_up(subscriber, subscriber.waiting.get_nowait(), _UNDELIVERED)

    def _give_up(self, subscriber: _Subscriber, message: Message, why: str) -> None:
        with suppress(Exception):  # a log on a full disk: the next message is delivered all the same
            self._on_failure(message, f"{subscriber.host} {why}")

    async def _posted(self, subscriber: _Subscriber, message: Message) -> str | None:
        """None once the subscriber has it, else why not."""
        failure = await self._tried(subscriber, message)
        for pause_s in _PAUSES_S:
            if failure is None or not failure.may_pass:
                break
            await self._pause(pause_s)
            failure = await self._tried(subscriber, message)
        return None if failure is None else failure.why

    async def _tried(self, subscriber: _Subscriber, message: Message) -> _Failure | None:
        headers = {"Webhook-Id": message.message_id}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                # The body is not read: it says nothing that is wanted, and may have no end.
                self._client.stream("POST", subscriber.url, content=_body(message), headers=headers) as reply,
            ):
                status = reply.status_code
        except TimeoutError:
            return _Failure(f"did not answer in {self._timeout_s:g} s")
        except Exception as broken:  # whatever a foreign server provokes: its next message is tried all the same
            return _Failure(_words(broken))
        if 200 <= status <= 299:
            return None
        if 300 <= status <= 399:
            return _Failure(f"answered {status}; a redirect is not followed", may_pass=False)
        return _Failure(f"answered {status}", may_pass=status == 429 or status >= 500)


def _parsed(number: int, url: str) -> httpx2.URL:
    import httpx2

    with suppress(httpx2.InvalidURL):
        parsed = httpx2.URL(url)
        if parsed.scheme in ("http", "https") and parsed.host:
            return parsed
    raise InvalidSetting("webhooks", f"has no http or https address at place {number}")


def _body(message: Message) -> bytes:
    told = {
        "message_id": message.message_id,
        "channel": message.channel,
        "recipient": message.recipient,
        "text": message.text,
        "sent": utc_text(message.sent_at // NS),
    }
    return json.dumps(told).encode()


def _words(broken: BaseException) -> str:
    import httpx2

    for cause in _causes(broken):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"has no certificate to be trusted: {cause.verify_message}"
    return "cannot be reached" if isinstance(broken, httpx2.ConnectError) else "broke off without an answer"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
