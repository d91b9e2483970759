"""What goes wrong in the field: a clear screen, the last quote kept, nothing stored lost, and a recovery by itself."""

import json

import pytest

from host_tools.clock import NS
from tests.home import is_whole
from tests.virtual_board.hostile import JSON, HostileServer

QUOTE = {"date": "2026-03-02", "text": "t", "author": "a", "work": "w", "locus": "1"}
BAD_QUOTES = {
    "malformed": (200, JSON, b'{"text": "half'),
    "no quote": (200, JSON, b'{"hello": 1}'),
    "a list": (200, JSON, b"[1, 2]"),
    "control characters": (200, JSON, json.dumps({**QUOTE, "text": "a\x00b"}).encode()),
    "a portal's page": (200, {"Content-Type": "text/html"}, b"<html>Accept our terms</html>"),
    "two megabytes": (200, JSON, b"[" + b"1," * 1_000_000 + b"1]"),
    "two megabytes of quote": (200, JSON, json.dumps({**QUOTE, "text": "x" * 2_000_000}).encode()),
    "less than promised": (200, {**JSON, "Content-Length": "5000"}, b"{"),
    "chunked": (200, {**JSON, "Transfer-Encoding": "chunked", "Content-Length": "0"}, b""),
    "an error of its own": (500, JSON, b"{}"),
    "not found": (404, JSON, b"{}"),
    "nothing": None,
}


@pytest.mark.parametrize("what", BAD_QUOTES)
def test_a_bad_answer_of_the_quote_server(home, what):
    home.wake_now()
    kept = bytes(home.board.state.nvm)
    with HostileServer(lambda heard: BAD_QUOTES[what]) as server:
        home.settle(api=server.url + "/quote")
        home.press_button()
        assert home.names() == ["error"]
        assert home.reason() == "unavailable"
        assert len(server.heard) == 1
        again = home.wake()
        assert again.refreshes == 0, "the same trouble, the same screen"
    assert bytes(home.board.state.nvm) == kept
    assert is_whole(home)


@pytest.mark.parametrize("place", ["api", "issuer"])
def test_a_server_that_asks_to_be_left_alone_is(home, place):
    home.wake_now()
    wait = (429, {**JSON, "Retry-After": "7200"}, b'{"error":"too_many_requests"}')
    with HostileServer(lambda heard: wait) as server:
        if place == "api":
            home.settle(api=server.url)
        else:
            pretend(home, server, wait)
        wake = home.press_button()
    assert home.names() == ["error"]
    slept = home.board.state.sleeping.until_ns - wake.ended_ns
    assert 7190 * NS < slept <= 7200 * NS * 9 // 8


def test_an_error_screen_keeps_the_last_quote(home):
    home.wake_now()
    quote = home.screens[-1].picture
    home.settle(api="http://127.0.0.1:9/")
    home.press_button()
    with_quote = home.screens[0].picture
    fresh_home = type(home)(home.authority, home.clock)
    fresh_home.settle(issuer="http://127.0.0.1:9/")
    fresh_home.wake_now()
    without = fresh_home.screens[0].picture
    assert home.names() == fresh_home.names() == ["error"]
    upper = (0, 0, with_quote.width, with_quote.height // 2)
    ink = [picture.crop(upper).tobytes().count(0) for picture in (quote, with_quote)]
    assert ink[1] > 0.4 * ink[0], "the quote's lines are on the upper half"
    assert with_quote.tobytes() != without.tobytes()


BAD_REFRESHES = {
    "a portal's page": (200, {"Content-Type": "text/html"}, b"<html>"),
    "malformed": (400, JSON, b'{"error": "invalid_'),
    "an error of its own": (503, {**JSON, "Retry-After": "7200"}, b'{"error":"invalid_grant"}'),
    "invalid_grant in no JSON": (403, {"Content-Type": "text/plain"}, b"invalid_grant"),
    "two megabytes": (200, JSON, b"{" + b" " * 2_000_000 + b"}"),
    "nothing": None,
}


def pretend(home, server, token_answer):
    """The endpoints are now where `server` is, and the access token at rest has ended."""
    server.answer = lambda heard: token_answer if heard.path == "/token" else (503, JSON, b"{}")
    home.believe_endpoints(server.url + "/token", server.url + "/code")
    home.clock.sleep_ns(4000 * NS)


@pytest.mark.parametrize("what", BAD_REFRESHES)
def test_no_bad_answer_of_the_token_endpoint_costs_the_token(home, what):
    home.wake_now()
    kept = bytes(home.board.state.nvm)
    with HostileServer(lambda heard: None) as server:
        pretend(home, server, BAD_REFRESHES[what])
        home.press_button()
        assert home.names() == ["error"]
        posts = [heard for heard in server.heard if heard.path == "/token"]
        # A reply that got lost is asked for once more, at once and with the same token; any other is taken as it is.
        assert len(posts) == (2 if what == "nothing" else 1)
        assert len({post.body for post in posts}) == 1
    assert bytes(home.board.state.nvm) == kept
    assert is_whole(home)


def test_invalid_grant_to_the_refresh_deletes_the_token_and_asks_anew(home, authority):
    home.wake_now()
    with HostileServer(lambda heard: (403, JSON, b'{"error":"invalid_grant"}')) as server:
        home.believe_endpoints(server.url + "/token", authority.issuer + "oauth/device/code")
        home.clock.sleep_ns(4000 * NS)
        home.press_button()
        assert home.names() == ["mfa", "waiting"]
        assert b"refresh_token=" in server.heard[0].body
    home.board.power_off()
    home.wake_now()
    assert home.names() == ["pairing", "quote"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_carries_no_token_away(home, status):
    home.wake_now()
    with HostileServer(lambda heard: (200, JSON, b"{}")) as thief, HostileServer(lambda heard: None) as server:
        away = (status, {"Location": thief.url + "/taken"}, b"")
        server.answer = lambda heard: away
        home.settle(api=server.url)
        home.press_button()
        assert server.heard[0].headers["authorization"].startswith("Bearer ")
        pretend(home, server, away)
        home.press_button()
        assert [heard.path for heard in server.heard][-1] == "/token"
        assert b"refresh_token=" in server.heard[-1].body
        assert thief.heard == []
    assert is_whole(home)


def test_an_issuer_that_sends_the_token_elsewhere_in_the_clear_is_not_believed(home):
    with HostileServer(lambda heard: None) as server:
        document = {
            "issuer": "https://other.example/",
            "token_endpoint": server.url + "/token",
            "device_authorization_endpoint": server.url + "/code",
        }
        server.answer = lambda heard: (200, JSON, json.dumps(document).encode())
        home.settle(issuer=server.url)
        home.wake_now()
        assert home.names() == ["error"]
        assert [heard.path for heard in server.heard] == ["/.well-known/openid-configuration"]
    assert is_whole(home)


def test_a_token_the_api_does_not_accept_is_refreshed_once(home):
    home.wake_now()
    challenge = 'Bearer error="invalid_token"'
    with HostileServer(lambda heard: (401, {"WWW-Authenticate": challenge}, b"")) as server:
        home.settle(api=server.url)
        wake = home.press_button()
        tokens = {heard.headers["authorization"] for heard in server.heard}
        assert len(server.heard) == len(tokens) == 2
    assert [e.path for e in wake.exchanges].count("/oauth/token") == 1
    assert home.names() == ["error"]
    assert home.reason() == "misconfigured"


def test_endpoints_that_have_moved_are_looked_up_again(home):
    home.wake_now()
    with HostileServer(lambda heard: (404, {}, b"")) as server:
        home.believe_endpoints(server.url, server.url)
        home.clock.sleep_ns(4000 * NS)
        home.press_button()
    assert home.reason() == "unavailable"
    wake = home.wake()
    assert wake.exchanges[0].path == "/.well-known/openid-configuration"
    assert home.reason() == "daily"


def test_the_last_quote_survives_a_loss_of_power(home):
    home.wake_now()
    home.settle(api="http://127.0.0.1:9/")
    home.press_button()
    with_quote = home.screens[-1].picture.tobytes()
    home.board.power_off()
    home.wake_now()
    home.press_button()
    assert home.names() == ["error"]
    assert home.screens[-1].picture.tobytes() == with_quote


def test_while_a_computer_has_the_drive_sleep_memory_keeps_the_quote(home):
    home.board.usb_attached = True
    home.wake_now()
    home.settle(api="http://127.0.0.1:9/")
    home.press_button()
    with_quote = home.screens[-1].picture.tobytes()
    home.board.state.sleep_memory[:] = bytes(4096)
    home.press_button()
    assert home.screens[-1].picture.tobytes() != with_quote


def test_without_the_cache_there_is_no_quote_to_keep(home):
    home.wake_now()
    home.settle(api="http://127.0.0.1:9/")
    home.press_button()
    with_quote = home.screens[-1].picture.tobytes()
    home.board.power_off()
    from stoa import quotes

    home.board.install({path.removeprefix("/"): quotes.initial_file() for path in quotes.PATHS})
    home.wake_now()
    assert home.screens[-1].picture.tobytes() != with_quote
