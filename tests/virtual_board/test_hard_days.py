"""What goes wrong in the field: a clear screen, the last quote kept, nothing stored lost, and a recovery by itself."""

import json

import pytest

from host_tools.clock import NS
from host_tools.rehearsal.household import settings_toml
from tests.home import FEATHER, MAGTAG
from tests.virtual_board.hostile import HostileServer

JSON = {"Content-Type": "application/json"}
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


def is_whole(home):
    """The display is well again once the world is."""
    home.settle()
    home.wake()
    return home.names()[-1:] in (["quote"], []) and home.reason() == "daily"


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
    assert 7190 * NS < slept <= 7201 * NS


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


@pytest.mark.parametrize("board_id", [MAGTAG, FEATHER])
@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (b"", "STOA_WIFI_SSID"),
        (b'STOA_WIFI_SSID = "x"\n', "STOA_WIFI_PASSWORD"),
        (b"STOA_WIFI_SSID = unquoted\n", "settings.toml"),
    ],
)
def test_a_wrong_setting_names_its_key_on_the_glass(make_home, board_id, settings, key):
    home = make_home(board_id=board_id)
    home.write_settings(settings)
    wake = home.wake_now()
    assert home.names() == ["setting"]
    assert home.onlooker.last("obstacle")["title"] == key
    assert wake.exchanges == []
    assert home.reason() == "misconfigured"
    assert is_whole(home)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"issuer": "ftp://x"}, "STOA_ISSUER"),
        ({"issuer": "http://example.com/"}, "STOA_ISSUER"),
        ({"client_id": ""}, "STOA_CLIENT_ID"),
        ({"scope": "read:quotes"}, "STOA_SCOPE"),
        ({"api": "quotes"}, "STOA_API"),
    ],
)
def test_every_setting_is_checked_before_the_radio_is_touched(home, changes, key):
    home.settle(**changes)
    assert home.wake_now().exchanges == []
    assert home.names() == ["setting"]
    assert home.onlooker.last("obstacle")["title"] == key


def test_wrong_wifi_and_a_network_that_comes_back(home):
    wifi = home.board._access_point
    from host_tools.virtual_board.peripherals.radio import AccessPoint

    home.write_settings(settings_toml(home.account, AccessPoint("elsewhere", "password")))
    home.wake_now()
    assert home.names() == ["error"]
    assert home.onlooker.last("obstacle")["detail"] == "No network with that ssid."
    home.write_settings(settings_toml(home.account, AccessPoint(wifi.ssid, "mistyped-password")))
    home.wake()
    assert home.onlooker.last("obstacle")["detail"] == "Authentication failure."
    home.settle()
    home.wake()
    assert home.names() == ["pairing", "quote"]


def test_an_outage_is_waited_out_ever_more_patiently(home):
    home.settle(issuer="http://127.0.0.1:9/")
    home.wake_now()
    ended, gaps = home.board.clock.now_ns(), []
    for _ in range(8):
        wake = home.wake()
        gaps.append(round((wake.began_ns - ended) / NS / 60))
        ended = wake.ended_ns
    assert gaps == [5, 10, 20, 40, 80, 160, 320, 360]
    assert is_whole(home)


def test_a_client_the_tenant_does_not_know_is_a_misconfiguration_and_not_a_pairing_loop(home):
    home.settle(client_id="nobody")
    home.wake_now()
    assert home.names() == ["error"]
    assert home.reason() == "misconfigured"


def test_scope_the_api_does_not_take_is_named_and_does_not_pair_again(home):
    home.wake_now()
    challenge = 'Bearer error="insufficient_scope", scope="read:more"'
    with HostileServer(lambda heard: (403, {"WWW-Authenticate": challenge}, b"")) as server:
        home.settle(api=server.url)
        home.press_button()
    assert home.names() == ["error"]
    assert home.reason() == "misconfigured"
    assert "insufficient_scope" in home.onlooker.last("obstacle")["detail"]


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


def test_a_defect_of_the_firmware_ends_in_deep_sleep_too(home):
    home.board.install({"stoa/quotes.py": b"raise RuntimeError('broken')\n"})
    home.wake_now()
    assert home.onlooker.last("defect")["kind"] == "RuntimeError"
    assert home.board.state.sleeping.until_ns - home.clock.now_ns() == pytest.approx(6 * 3600 * NS, abs=2 * NS)


def test_a_stuck_panel_does_not_keep_the_board_awake(home, monkeypatch):
    monkeypatch.setattr(home.board._controller, "busy", lambda: True)
    wake = home.wake_now()
    assert 'stoa panel fault="BUSY stuck"' in wake.console
    assert wake.refreshes == 0
    monkeypatch.undo()
    home.wake()
    assert home.screens != [], "what the glass shows is unknown: it is drawn anew"


@pytest.mark.parametrize(
    "broken", [b"def (:\n", b"raise MemoryError\n", b"import nothing_here\n", b"def run():\n    raise KeyError\n"]
)
def test_a_program_that_is_not_whole_sleeps_too(home, broken):
    home.board.install({"stoa/wake.py": broken})
    wake = home.wake_now()
    assert wake.console[-1].startswith("stoa defect ")
    slept = home.board.state.sleeping.until_ns - wake.ended_ns
    assert slept == pytest.approx(6 * 3600 * NS, abs=NS)


def test_a_button_that_cannot_wake_the_board_does_not_keep_it_awake(home):
    profile = home.board.board.buttons["refresh"].encode()
    with_profile = home.drive_file("board_profile.py")
    home.board.install({"board_profile.py": with_profile.replace(profile, b"NO_SUCH_PIN")})
    home.wake_now()
    assert home.names() == ["pairing", "quote"]
    assert home.board.state.sleeping.pins == []


def test_what_sleep_memory_holds_cannot_poison_every_wake(home):
    from stoa import sleep_state

    home.wake_now()
    memory = home.board.state.sleep_memory
    sleep_state.save(memory, {**sleep_state.load(memory), "access": 7})
    home.wake()
    assert home.onlooker.last("defect")["kind"] == "TypeError"
    home.wake()
    assert home.onlooker.last("defect") is None
    assert home.reason() == "daily"


def test_another_issuers_honest_refusal_does_not_cost_the_token(home):
    home.wake_now()
    kept = bytes(home.board.state.nvm)
    with HostileServer(lambda heard: None) as server:
        document = {
            "issuer": server.url,
            "token_endpoint": server.url + "/token",
            "device_authorization_endpoint": server.url + "/code",
        }
        refusal = (403, JSON, b'{"error":"invalid_grant"}')
        server.answer = lambda heard: (200, JSON, json.dumps(document).encode()) if "known" in heard.path else refusal
        home.settle(issuer=server.url)
        home.press_button()
        assert [heard.path for heard in server.heard][1:] == ["/code"], "no token of one issuer goes to another"
    assert bytes(home.board.state.nvm) == kept
    home.settle()
    home.wake()
    assert home.names() == ["quote"], "back at the right one, nobody is needed"


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
