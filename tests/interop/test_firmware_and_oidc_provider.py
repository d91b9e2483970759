"""Our firmware on the virtual board is a device of npm's oidc-provider: pairing, a rotation, and a stolen token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import pytest
import zxingcpp

from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime
from tests.home import FEATHER, MAGTAG, Home
from tests.interop.mirrored_clock import MirroredClock
from tests.interop.provider import CLIENT_ID, PERSON, RESOURCE, SCOPE, OidcProvider
from tests.interop.quote_api import QuoteApi

DISCOVERY = ("GET", "/.well-known/openid-configuration", 200)
QUOTE = ("GET", "/quotes/today", 200)


@dataclass(frozen=True)
class Account:
    """What the display's owner has been given by whoever runs the servers."""

    issuer: str
    client_id: str
    quotes_url: str
    audience: str
    scope: str


@dataclass(frozen=True)
class Elsewhere:
    """Stands where tests.home has an authority of ours: that board and its home need its account alone."""

    tenant: Account


@pytest.fixture(scope="module")
def quotes(provider: OidcProvider, clock: MirroredClock) -> Iterator[QuoteApi]:
    api = QuoteApi(provider.issuer, RESOURCE, clock)
    yield api
    api.close()


@pytest.fixture
def display(provider: OidcProvider, quotes: QuoteApi, clock: MirroredClock) -> Callable[..., Home]:
    """display(board_id, runtime) is a new board whose owner approves what it shows, at the provider's own pages."""

    def make(board_id: str = MAGTAG, runtime: Runtime | None = None) -> Home:
        account = Account(provider.issuer, CLIENT_ID, quotes.url, RESOURCE, SCOPE)
        home = Home(Elsewhere(account), clock, board_id=board_id, runtime=runtime)  # type: ignore[arg-type]
        home.person = PERSON  # type: ignore[assignment]
        return home

    return make


def wire(home: Home, made: int) -> list[tuple[str, str, int | None]]:
    """The exchanges of a board after the first `made`."""
    return [(exchange.method, exchange.path, exchange.status) for exchange in home.board.exchanges[made:]]


def read_qr(home: Home) -> str:
    """What a telephone reads off the glass as it was when the code was on it."""
    asking = next(screen for screen in home.screens if screen.shown)
    return zxingcpp.read_barcodes(asking.picture)[0].text


def thief_presents(provider: OidcProvider, refresh_token: str) -> httpx2.Response:
    sent = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": refresh_token}
    return httpx2.post(f"{provider.issuer}/token", data=sent)


def check_the_whole_story(home: Home, provider: OidcProvider, quotes: QuoteApi) -> None:
    """Pairing, a morning with a rotation, a theft, the morning after it, and one more."""
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    shown = home.screens[0].shown
    assert read_qr(home) == shown["verification_uri_complete"]
    assert shown["verification_uri"] == f"{provider.issuer}/device"
    asked, *polls, quote = wire(home, made=1)
    assert wire(home, made=0)[0] == DISCOVERY
    assert asked == ("POST", "/device/auth", 200)
    assert {poll[:2] for poll in polls} == {("POST", "/token")}
    assert [status for _, _, status in polls] == [400] * (len(polls) - 1) + [200]
    assert quote == QUOTE
    assert quotes.accepted[-1]["client_id"] == CLIENT_ID
    first = home.token()
    assert first

    wake = home.wake()
    assert home.names() == ["quote"]
    assert [(e.path, e.status) for e in wake.exchanges] == [("/token", 200), ("/quotes/today", 200)]
    second = home.token()
    assert second and second != first, "the rotated token is the one that is kept"
    assert home.token_held_by() == ("file", "nvm")

    assert thief_presents(provider, first).json()["error"] == "invalid_grant"
    made = len(home.board.exchanges)
    home.wake()
    assert home.names() == ["mfa", "quote"], "the display asks its person anew, and has its quote"
    assert wire(home, made)[:2] == [("POST", "/token", 400), ("POST", "/device/auth", 200)]
    assert wire(home, made)[-1] == QUOTE
    assert read_qr(home) == home.screens[0].shown["verification_uri_complete"]
    third = home.token()
    assert third and third not in (first, second)

    home.wake()
    assert home.names() == ["quote"]
    assert home.board.panel_faults == []


@pytest.mark.parametrize("board_id", [MAGTAG, FEATHER])
def test_it_pairs_rotates_and_recovers_from_a_theft(
    display: Callable[..., Home], provider: OidcProvider, quotes: QuoteApi, board_id: str
) -> None:
    check_the_whole_story(display(board_id), provider, quotes)


def test_so_does_a_real_virtual_machine_with_a_bounded_heap(
    display: Callable[..., Home], provider: OidcProvider, quotes: QuoteApi, micropython: list[str]
) -> None:
    check_the_whole_story(display(runtime=MicroPythonRuntime(micropython)), provider, quotes)


def test_a_lost_reply_costs_a_scan_where_the_server_has_no_grace(display: Callable[..., Home]) -> None:
    """It repeats the refresh at once, which is right with a server that forgives it; this one takes it for a theft."""
    home = display()
    home.wake_now()
    home.board.faults.lost_reply = 1
    made = len(home.board.exchanges)
    home.wake()
    assert wire(home, made)[:3] == [("POST", "/token", None), ("POST", "/token", 400), ("POST", "/device/auth", 200)]
    assert home.names() == ["mfa", "quote"]
    home.wake()
    assert home.names() == ["quote"]
