"""settings.toml edited: comments, order and other people's keys stay, and CircuitPython finds what was meant."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.device.configuring.settings_file import (
    LARGEST,
    SettingsFileError,
    edited,
    lines,
    note,
    syntax_error,
    value,
)
from host_tools.settings_toml import lookup
from tests.device.circuitpython_getenv import getenv

OWNERS = b"""\
# The porch's display. Bought in May.

  STOA_WIFI_SSID   =  "porch"   # upstairs
WEATHER_KEY = "mine"   # another program's
#STOA_ISSUER = "https://old.example/"

CIRCUITPY_WEB_API_PORT = 8080
# The end.
"""


def test_what_is_changed_is_changed_and_nothing_else():
    made = edited(OWNERS, {"STOA_WIFI_SSID": "loft", "STOA_ISSUER": "https://id.example/", "STACK": 4096}, {})
    assert made == OWNERS.replace(b'"porch"', b'"loft"') + b'STOA_ISSUER = "https://id.example/"\nSTACK = 4096\n'


def test_a_key_that_goes_takes_its_own_line_alone():
    made = edited(OWNERS, {"STOA_WIFI_SSID": None, "STOA_API": None}, {})
    assert made == OWNERS.replace(b'  STOA_WIFI_SSID   =  "porch"   # upstairs\n', b"")


def test_a_new_file_says_whose_it_is():
    made = edited(b"", {"STOA_TZ": "CET-1"}, {"STOA_TZ": "Europe/Berlin"})
    first, second, end = made.split(b"\n")
    assert first.startswith(b"# Stoa's settings.") and end == b""
    assert second == b'STOA_TZ = "CET-1" # Europe/Berlin'


def test_a_note_is_put_replaced_and_taken_away():
    one = edited(b'K = "a" # owner\'s\n', {"K": "b"}, {})
    assert one == b'K = "b" # owner\'s\n' and note(one, "K") == "owner's"
    assert edited(one, {"K": "c"}, {"K": "new"}) == b'K = "c" # new\n'
    assert edited(one, {"K": "c"}, {"K": ""}) == b'K = "c"\n'
    assert note(b'J = "a"\n', "K") == ""


def test_new_keys_stand_above_a_table_where_circuitpython_looks():
    made = edited(b'A = "1"\n\n[other]\nSTOA_API = "mine"\n', {"STOA_API": "https://api.example/"}, {})
    assert lookup(made, "STOA_API") == "https://api.example/"
    assert tomllib.loads(made.decode())["other"] == {"STOA_API": "mine"}


def test_a_key_in_quotes_is_written_as_circuitpython_finds_it():
    made = edited(b'"STOA_API" = "a"\nB = "1"\n', {"STOA_API": "b"}, {})
    assert made == b'B = "1"\nSTOA_API = "b"\n'


def test_a_value_that_circuitpython_cannot_read_is_replaced_in_its_place():
    made = edited(b"A = 'literal' # why\nB = \"1\"\n", {"A": "x"}, {})
    assert made == b'A = "x" # why\nB = "1"\n'


def test_the_ends_of_lines_stay_windows_s():
    made = edited(b'A = "1"\r\n# c\r\nB = "2"\r\n', {"A": "x", "C": "y"}, {})
    assert made == b'A = "x"\r\n# c\r\nB = "2"\r\nC = "y"\r\n'
    assert getenv(made, "C") == "y"


def test_a_byte_order_mark_goes_for_it_hides_the_first_key():
    assert edited(b'\xef\xbb\xbfA = "1"\nB = "2"\n', {"B": "x"}, {}) == b'A = "1"\nB = "x"\n'


def test_a_last_line_without_an_end_gets_one():
    assert edited(b'A = "1"', {"B": "2"}, {}) == b'A = "1"\nB = "2"\n'


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (b'A = "1"\nB "x"\n', 2, "is no TOML"),
        (b'A = "1"\n\n# c\nA = "2"\nB = 1\n', 4, "sets a key for the second time"),
        (b'A = "1"\n[t]\nB = 1\nB = 2\nC = 1\n', 4, "sets a key for the second time"),
        (b'A = "1"\nB = "open', 2, "is no TOML"),
        (b"A = 1\nB = [1,\n", 2, "is no TOML"),
        (b'A = "1"\nB = "\xff"\n', 2, "is not UTF-8"),
        (b"A = 1\rB = 2\n", 1, "is no TOML"),
        (b'A = "1"\n\0\0B = "\xff"\n', 2, "holds a NUL"),
    ],
)
def test_what_is_no_toml_is_told_by_its_line_and_left_alone(text, line, said):
    assert syntax_error(text) == (line, said)
    with pytest.raises(SettingsFileError, match=f"line {line} {said}"):
        edited(text, {"C": "x"}, {})


def test_no_message_holds_a_piece_of_a_password():
    for text in (b'P = "secret\n', b"P = secret\n", b'P = "se" cret\n', b'P = "\\secret"\n'):
        with pytest.raises(SettingsFileError) as raised:
            edited(text, {"A": "x"}, {})
        assert str(raised.value).startswith("line 1 is no TOML: put it right")


@pytest.mark.parametrize(
    "text",
    [
        # CircuitPython reads by the line, and takes the inside of these for settings.
        b'X = """\nA = "1"\n"""\n',
        b"X = [\n  [1],\n]\n",
    ],
)
def test_a_key_that_something_before_it_would_hide_is_not_written(text):
    with pytest.raises(SettingsFileError, match="A would not be found by CircuitPython"):
        edited(text, {"A": "x"}, {})


@pytest.mark.parametrize("text", [b"A.x = 1\n", b"[A]\nx = 1\n", b"[[A]]\nx = 1\n"])
def test_somebody_s_table_of_the_same_name_is_not_thrown_away(text):
    with pytest.raises(SettingsFileError, match="A is a table there"):
        edited(text, {"A": "x"}, {})


def test_a_file_that_would_be_too_large_is_refused():
    with pytest.raises(SettingsFileError, match="more than 8192 bytes"):
        edited(b"# " + b"x" * LARGEST + b"\n", {"A": "x"}, {})


@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_and_what_is_no_text_are_refused(control):
    with pytest.raises(SettingsFileError, match="the value for STOA_WIFI_PASSWORD has a control character") as raised:
        edited(b"", {"STOA_WIFI_PASSWORD": f"secret{control}more"}, {})
    assert "secret" not in str(raised.value)


def test_lines_tell_what_circuitpython_does_not_see():
    found = lines(b'A = 1\n"B" = 2\n# C = 3\n [t]\nA = 4\n')
    assert [(line.number, line.key, line.in_quotes, line.below_table) for line in found] == [
        (1, "A", False, False),
        (2, "B", True, False),
        (5, "A", False, True),
    ]
    assert lines(b"A = 1\n\0\nB = 2\n") == lines(b"A = 1\n")
    assert value(b"A = bare\n", "A") is None


ODD = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)


@given(ODD | st.text("\"\\#=[]\u2028\u2029\u00a0\ufeff\U0001f600 'u0041nrt", max_size=30))
def test_whatever_is_written_is_read_back_by_every_parser(text):
    made = edited(OWNERS, {"STOA_WIFI_PASSWORD": text}, {})
    assert lookup(made, "STOA_WIFI_PASSWORD") == text
    assert getenv(made, "STOA_WIFI_PASSWORD") == text
    assert tomllib.loads(made.decode())["STOA_WIFI_PASSWORD"] == text
    # And it stays the only thing that changed, there and back.
    assert edited(made, {"STOA_WIFI_PASSWORD": None}, {}) == OWNERS


KEYS = st.sampled_from(["STOA_API", "STOA_TZ", "WEATHER_KEY", "CIRCUITPY_WEB_API_PORT", "X"])


@given(st.dictionaries(KEYS, ODD | st.integers(-(2**31), 2**31) | st.none(), max_size=4), st.booleans())
def test_any_set_of_changes_leaves_the_rest_as_it_was(changes, windows):
    before = OWNERS.replace(b"\n", b"\r\n") if windows else OWNERS
    made = edited(before, changes, {})
    for key in ("STOA_WIFI_SSID", "WEATHER_KEY", "CIRCUITPY_WEB_API_PORT", "STOA_API", "STOA_TZ", "X"):
        wanted = changes.get(key, getenv(before, key))
        assert getenv(made, key) == (None if wanted is None else str(wanted))
    for comment in (b"# The porch's display. Bought in May.", b"# upstairs", b'#STOA_ISSUER = "https', b"# The end."):
        assert comment in made
