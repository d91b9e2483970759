"""settings.toml, and what the screen says when it is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa import settings
from stoa.settings import LINE, SettingError, load

GOOD = {
    "STOA_WIFI_SSID": "porch",
    "STOA_WIFI_PASSWORD": "correct horse",
    "STOA_ISSUER": "https://id.example/",
    "STOA_CLIENT_ID": "display",
    "STOA_API": "https://api.example/api/quotes/today",
}


def wrong(**change):
    values = {**GOOD, **change}
    with pytest.raises(SettingError) as caught:
        load(values.get)
    return caught.value


def test_the_least_there_is_and_its_defaults():
    assert vars(load(GOOD.get)) == {
        "wifi_ssid": "porch",
        "wifi_password": "correct horse",
        "issuer": "https://id.example/",
        "client_id": "display",
        "audience": None,
        "scope": "openid offline_access read:quotes",
        "api": "https://api.example/api/quotes/today",
        "wake": 360,
        "zone": (0, None, None, None),
        "quiet": (1320, 360),
        "push": True,
        "ntp": "pool.ntp.org",
    }


def test_integers_of_older_circuitpython_are_text():
    found = load({**GOOD, "STOA_WIFI_PASSWORD": 12345678, "STOA_CLIENT_ID": 42, "STOA_ALLOW_HTTP": 1}.get)
    assert (found.wifi_password, found.client_id) == ("12345678", "42")


def test_an_open_network_has_an_empty_password():
    assert load({**GOOD, "STOA_WIFI_PASSWORD": ""}.get).wifi_password == ""


@pytest.mark.parametrize(("text", "minutes"), [("06:00", 360), ("6:05", 365), ("00:00", 0), ("23:59", 1439)])
def test_wake(text, minutes):
    assert load({**GOOD, "STOA_WAKE": text}.get).wake == minutes


@pytest.mark.parametrize(("text", "quiet"), [("22:00-06:00", (1320, 360)), ("9:30 - 12:00", (570, 720)), ("off", None)])
def test_quiet_hours(text, quiet):
    assert load({**GOOD, "STOA_QUIET": text}.get).quiet == quiet


@pytest.mark.parametrize(("text", "push"), [("on", True), ("off", False)])
def test_whether_a_phone_may_be_asked(text, push):
    assert load({**GOOD, "STOA_PUSH": text}.get).push is push


def test_the_time_zone():
    assert load({**GOOD, "STOA_TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}.get).zone[:2] == (3600, 7200)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8400/", "http://localhost/"])
def test_plain_http_on_loopback(url):
    assert load({**GOOD, "STOA_ISSUER": url}.get).issuer == url


@pytest.mark.parametrize("allow", ["1", 1])
def test_plain_http_elsewhere_only_when_asked_for(allow):
    change = {"STOA_ISSUER": "http://192.168.1.7:8400/"}
    assert wrong(**change).problem == "would send tokens unprotected"
    assert wrong(**change, STOA_ALLOW_HTTP="yes").key == "STOA_ISSUER"
    assert load({**GOOD, **change, "STOA_ALLOW_HTTP": allow}.get).issuer == change["STOA_ISSUER"]


@pytest.mark.parametrize("key", sorted(GOOD))
def test_missing(key):
    error = wrong(**{key: None})
    assert (error.key, error.problem, error.fix) == (key, "is missing", "add it to settings.toml")


@pytest.mark.parametrize("key", sorted({name for name, *_ in settings.TABLE} - {"STOA_WIFI_PASSWORD"}))
@pytest.mark.parametrize("value", ["", "  "])
def test_empty(key, value):
    error = wrong(**{key: value})
    assert error.key == key
    odd = {
        "STOA_WAKE": "is not a time of day",
        "STOA_QUIET": "is not two times of day",
        "STOA_TZ": "is no POSIX rule",
        "STOA_PUSH": "is neither on nor off",
    }
    assert error.problem == odd.get(key, "is empty")


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("STOA_WIFI_SSID", "ü" * 17, "is longer than 32 bytes"),
        ("STOA_WIFI_PASSWORD", "short", "is not 8 to 64 characters long"),
        ("STOA_WIFI_PASSWORD", "x" * 65, "is not 8 to 64 characters long"),
        ("STOA_ISSUER", "id.example", "must start with https://"),
        ("STOA_ISSUER", "https://id.example/ ", "has a character no URL has"),
        ("STOA_ISSUER", "http://127.0.0.1.evil.example/", "would send tokens unprotected"),
        ("STOA_ISSUER", "https://[::1]/", "has an IPv6 address"),
        ("STOA_API", "https://api.example/" + "x" * 512, "is too long"),
        ("STOA_API", "http://api.example/", "would send tokens unprotected"),
        ("STOA_CLIENT_ID", "two words", "has a space or odd character"),
        ("STOA_CLIENT_ID", "x" * 256, "is too long"),
        ("STOA_AUDIENCE", "line\nbreak", "has a space or odd character"),
        ("STOA_SCOPE", "openid read:quotes", "lacks offline_access"),
        ("STOA_SCOPE", 'offline_access "x"', "has an odd character"),
        ("STOA_SCOPE", "offline_access " + "x" * 256, "is too long"),
        ("STOA_WAKE", "six", "is not a time of day"),
        ("STOA_WAKE", 360, "is not a time of day"),
        ("STOA_WAKE", "6:5", "is not a time of day"),
        ("STOA_WAKE", "24:00", "is not a time of day"),
        ("STOA_WAKE", "12:60", "is not a time of day"),
        ("STOA_TZ", "Europe/Berlin", "has a number out of range"),
        ("STOA_TZ", "CET-1CEST", "lacks the dates of summer time"),
        ("STOA_QUIET", "22:00", "is not two times of day"),
        ("STOA_QUIET", "22-6", "is not two times of day"),
        ("STOA_QUIET", "22:00-24:00", "is not two times of day"),
        ("STOA_NTP", "pool ntp", "has a space or odd character"),
        ("STOA_PUSH", "1", "is neither on nor off"),
        ("STOA_PUSH", "Off", "is neither on nor off"),
    ],
)
def test_wrong(key, value, problem):
    error = wrong(**{key: value})
    assert (error.key, error.problem) == (key, problem)
    assert 0 < len(error.problem) <= LINE
    assert 0 < len(error.fix) <= LINE


@given(st.sampled_from([name for name, *_ in settings.TABLE]), st.text(max_size=80))
def test_any_text_is_taken_or_refused_in_two_short_lines_without_repeating_it(key, value):
    try:
        load({**GOOD, key: value}.get)
    except SettingError as error:
        assert error.key == key
        assert len(error.problem) <= LINE
        assert len(error.fix) <= LINE
        assert key != "STOA_WIFI_PASSWORD" or len(value) < 4 or value not in str(error)
    except UnicodeEncodeError:
        # A lone surrogate, which no settings.toml and no getenv of a board can hold.
        assert any(0xD800 <= ord(c) <= 0xDFFF for c in value)
