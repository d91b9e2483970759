"""Ten thousand guessed user codes, while one device waits and for as long as its code lives (RFC 8628 5.1)."""

from __future__ import annotations

import asyncio
import inspect
import math
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from host_tools.authority.core import attempts
from host_tools.authority.core.attempts import LIMITS, Limit
from host_tools.authority.core.authority import Authority
from host_tools.authority.core.device_grants import LIFETIME_S
from host_tools.authority.core.user_code import UserCodes
from host_tools.clock import NS, VirtualClock

from .conftest import ISSUER, START_NS, Browser

GUESSES, AT_ONCE = 10_000, 50
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"
DIGITS = UserCodes("digits", "***-***-***")


def looked_at(limit: Limit) -> int:
    """How many guesses are looked at in the time a code lives, the bucket being full when it begins."""
    return limit.burst + (LIFETIME_S - 1) // limit.refill_s


def guessed(number: int) -> str:
    """A code that no device shows, for it is another each time."""
    return "BCDF-" + "".join("BCDFGHJKLM"[int(digit)] for digit in f"{number:04}")


def times_looked(authority: Authority) -> int:
    """By the tenant's log."""
    return sum(each.kind == "device_activation_failed" for each in authority.events.newest(GUESSES))


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: Playwright keeps a loop running in the thread of the tests that come after its own."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, work).result()


@dataclass
class Guesser:
    """Sends the form straight to the application: ten thousand times through an HTTP client would take a minute."""

    app: ASGIApp
    clock: VirtualClock
    statuses: list[int] = field(default_factory=list)

    def guess_all(self, a_new_session_each: bool) -> None:
        """Many at once, and evenly over the life of a code that has just been issued."""
        run_apart(self._guess_all(a_new_session_each))

    def guess_some(self, number: int) -> None:
        """At once, each from a new session."""

        async def all_of_them() -> None:
            await asyncio.gather(*(self._guess(guessed(each), None) for each in range(number)))

        run_apart(all_of_them())

    async def _guess_all(self, a_new_session_each: bool) -> None:
        session = await self._new_session()
        for first in range(0, GUESSES, AT_ONCE):
            guesses = [guessed(number) for number in range(first, first + AT_ONCE)]
            await asyncio.gather(*(self._guess(each, None if a_new_session_each else session) for each in guesses))
            self.clock.sleep_ns(AT_ONCE * LIFETIME_S * NS // GUESSES)

    async def _guess(self, user_code: str, session: tuple[str, str] | None) -> None:
        cookies, csrf_token = session or await self._new_session()
        form = urlencode({"csrf_token": csrf_token, "user_code": user_code}).encode()
        status, _, _ = await self._request("POST", cookies, form)
        self.statuses.append(status)

    async def _new_session(self) -> tuple[str, str]:
        """Cookies and CSRF token of a browser never seen."""
        _, headers, page = await self._request("GET", "", b"")
        cookies = "; ".join(value.split(";")[0] for name, value in headers if name == "set-cookie")
        return cookies, re.search(r'name="csrf_token" value="([0-9a-f.]+)"', page).group(1)

    async def _request(self, method: str, cookies: str, body: bytes) -> tuple[int, list[tuple[str, str]], str]:
        headers = {"host": "127.0.0.1", "content-type": "application/x-www-form-urlencoded", "cookie": cookies}
        scope = {
            "type": "http",
            "method": method,
            "path": "/activate",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value],
            "client": (HERE, 50000),
        }
        told: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def send(message: Message) -> None:
            told.append(message)

        await self.app(scope, receive, send)
        start, *parts = told
        received = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return start["status"], received, b"".join(part.get("body", b"") for part in parts).decode()


@pytest.fixture
def guesser(http, clock) -> Guesser:
    return Guesser(http.app, clock)


@pytest.fixture
def person_at(http, tenant, clock):
    def person(address: str) -> Browser:
        return Browser(TestClient(http.app, base_url=ISSUER, client=(address, 50000)), tenant, clock)

    return person


def test_of_ten_thousand_guesses_in_one_browser_nine_are_looked_at(authority, display, guesser):
    begun = display.ask().json()
    guesser.guess_all(a_new_session_each=False)
    assert guesser.statuses.count(400) == times_looked(authority) == looked_at(LIMITS["user code, session"]) == 9
    assert guesser.statuses.count(429) == GUESSES - 9
    assert display.poll(begun["device_code"]).json()["error"] == "expired_token"  # and nobody had it


def test_of_ten_thousand_guesses_at_one_address_24_are_looked_at(authority, display, guesser, person_at, clock):
    """Whoever lives at that address too is let in again a minute after the guesser has gone."""
    begun = display.ask().json()
    guesser.guess_all(a_new_session_each=True)
    assert guesser.statuses.count(400) == times_looked(authority) == looked_at(LIMITS["user code, address"]) == 24
    assert guesser.statuses.count(429) == GUESSES - 24
    assert display.poll(begun["device_code"]).json()["error"] == "expired_token"
    user_code, person = display.ask().json()["user_code"], person_at(HERE)
    guesser.guess_some(1)
    clock.sleep_ns(int(person.type_code(user_code).headers["retry-after"]) * NS)
    assert clock.now_ns() <= START_NS + (LIFETIME_S + 60) * NS
    assert person.type_code(user_code).status_code == 200


def test_while_the_guessing_lasts_its_address_is_shut_out_and_no_other(display, guesser, person_at, clock):
    """Who cannot be told from the guesser waits with it, and for that alone no try of theirs is counted."""
    user_code = display.ask().json()["user_code"]
    person = person_at(HERE)
    for _ in range(3 * LIMITS["user code, session"].burst):
        guesser.guess_some(LIMITS["user code, address"].burst)
        refused = person.type_code(user_code)
        assert (refused.status_code, "Wait 1 minute and try again." in refused.text) == (429, True)
        assert int(refused.headers["retry-after"]) <= 60
        clock.sleep_ns(30 * NS)
    assert person_at(ELSEWHERE).type_code(user_code).status_code == 200
    clock.sleep_ns(30 * NS)
    assert person.type_code(user_code).status_code == 200


@pytest.mark.parametrize("codes", [UserCodes(), DIGITS])
@pytest.mark.parametrize("kind", ["user code, session", "user code, address"])
def test_the_odds_are_those_that_are_stated(codes, kind):
    odds = codes.bits - math.log2(looked_at(LIMITS[kind]))
    assert f"2**-{odds:.1f}" in inspect.getsource(attempts)
