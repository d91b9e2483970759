import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.rehearsal.household import Account, SettingsError, settings_toml
from host_tools.settings_toml import SettingsSyntaxError, lookup

TEXT = rb"""
# A comment
STOA_WIFI_SSID = "home" # and another
EMPTY = ""
NUMBER = 42
HEX = 0xFF
QUOTED = "say \"hi\"\\ \t\u00e9\U0001F600"
LONGER_NUMBER = 7
[table]
INSIDE = "unreachable"
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("STOA_WIFI_SSID", "home"),
        ("EMPTY", ""),
        ("NUMBER", "42"),
        ("HEX", "0xFF"),
        ("QUOTED", 'say "hi"\\ \t\u00e9\U0001f600'),
        ("INSIDE", None),
        ("MISSING", None),
        ("STOA_WIFI", None),
    ],
)
def test_lookup(key, value):
    assert lookup(TEXT, key) == value


@pytest.mark.parametrize(
    "line", ["K = bare", 'K = "open', 'K = "a" b', r'K = "\q"', r'K = "\u12"', "K = 1.5", "K = true", "K ="]
)
def test_what_circuitpython_cannot_read_is_an_error(line):
    with pytest.raises(SettingsSyntaxError):
        lookup(line.encode(), "K")


printable = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40)


@given(printable, printable)
def test_what_the_household_writes_both_parsers_read(issuer, audience):
    text = settings_toml(Account(issuer, "client", "http://api", audience))
    assert lookup(text, "STOA_ISSUER") == issuer
    assert tomllib.loads(text.decode())["STOA_AUDIENCE"] == audience


def test_a_control_character_is_refused():
    with pytest.raises(SettingsError, match="STOA_ISSUER has a control character"):
        settings_toml(Account("http://x\nSTOA_API = 1", "client", "http://api"))
