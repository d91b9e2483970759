"""A wrong setting, network, client or issuer: named on the glass, and nothing is lost by it."""

import json

import pytest

from host_tools.rehearsal.household import settings_toml
from host_tools.virtual_board.peripherals.station import AccessPoint
from tests.home import FEATHER, MAGTAG, is_whole
from tests.virtual_board.hostile import JSON, HostileServer


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
    wifi = home.board.access_point
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
