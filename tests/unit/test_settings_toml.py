import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.rehearsal.household import Account, SettingsError, settings_toml
from host_tools.settings_toml import SettingsSyntaxError, lookup
from tests.device.circuitpython_getenv import Unreadable, getenv

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
    "line",
    ["K = bare", 'K = "open', 'K = "a" b', r'K = "\q"', r'K = "\u12"', "K = 1.5", "K = true", "K ="],
)
def test_what_circuitpython_cannot_read_is_an_error(line):
    with pytest.raises(SettingsSyntaxError):
        lookup(line.encode(), "K")


@pytest.mark.parametrize("line", ['K =\u00a0"a"', "K = 7\u2028", "K = 7\x1c# note", 'K = "a"\x85'])
def test_what_is_space_beyond_ascii_is_none_to_circuitpython(line):
    with pytest.raises(SettingsSyntaxError):
        lookup(line.encode(), "K")


printable = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40)


@given(printable, printable)
def test_what_the_household_writes_both_parsers_read(issuer, audience):
    text = settings_toml(Account(issuer, "client", "http://api", audience))
    assert lookup(text, "STOA_ISSUER") == issuer
    assert tomllib.loads(text.decode())["STOA_AUDIENCE"] == audience


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\0\0\0\nK = "a"\n', None),
        (b'K = "a"\n\0', "a"),
        (b'J = 1\rK = "a"\n', None),
        (b'# note\x0cK = "a"\n', None),
        ('# note\u2028K = "a"\n'.encode(), None),
        (b' \t\v\f\rK\v=\f"a"\r\n', "a"),
        ('\u00a0K = "a"\nK = "b"\n'.encode(), "b"),
        ('K = "a\u2028\x85\v"\n'.encode(), "a\u2028\x85\v"),
    ],
)
def test_a_line_ends_with_a_line_feed_alone_and_the_file_with_a_nul(text, value):
    assert lookup(text, "K") == getenv(text, "K") == value


PIECES = st.sampled_from(["K", "J", " = ", "=", '"a"', '"', "7", "#", "[", "\n", *"\0\r\t\v\f\x1c\x85\u00a0\u2028"])


@given(st.lists(PIECES, max_size=24).map("".join))
def test_it_finds_what_circuitpython_finds(text):
    try:
        expected = getenv(text.encode(), "K")
    except Unreadable:
        with pytest.raises(SettingsSyntaxError):
            lookup(text.encode(), "K")
    else:
        assert lookup(text.encode(), "K") == expected


def test_a_control_character_is_refused():
    with pytest.raises(SettingsError, match="STOA_ISSUER has a control character"):
        settings_toml(Account("http://x\nSTOA_API = 1", "client", "http://api"))
