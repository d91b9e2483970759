"""Pairing and MFA on both panel shapes: the code reads, the address can be typed, the user code is large."""

from __future__ import annotations

import pytest
import zxingcpp

from stoa import qr
from stoa.canvas import Canvas
from stoa.screens.grant import typeable
from tests.unit.glass import CONTENT, GRANT, PANELS, QUOTE, show, whole

pytestmark = pytest.mark.usefixtures("device_library_path", "fonts_folder")


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["pairing", "mfa"])
@pytest.mark.parametrize("length", [60, 62, 70, 78, 79, 90, 106, 107, 110])
def test_the_code_on_the_glass_reads_as_the_complete_uri(name, panel, length):
    uri = GRANT["verification_uri_complete"].replace("WDJB", "W" * (length - 58))
    assert len(uri) == length
    canvas = show(name, {**CONTENT[name], "verification_uri_complete": uri}, panel)
    (read,) = zxingcpp.read_barcodes(canvas.image())
    assert read.text == uri


def test_without_a_complete_uri_the_code_is_the_plain_one():
    canvas = show("pairing", {**GRANT, "verification_uri_complete": None}, PANELS[1])
    (read,) = zxingcpp.read_barcodes(canvas.image())
    assert read.text == GRANT["verification_uri"]


def test_pairing_modules_are_three_pixels_on_both_panels():
    for panel in PANELS:
        assert qr.plan(GRANT["verification_uri_complete"], Canvas(*panel).height)[0] == 3


@pytest.mark.parametrize("panel", PANELS)
def test_a_uri_too_long_for_a_code_leaves_words_that_can_be_typed(panel, said):
    long = GRANT["verification_uri"] + "?" + "x" * 240
    canvas = show("pairing", {**GRANT, "verification_uri_complete": long}, panel)
    assert zxingcpp.read_barcodes(canvas.image()) == []
    assert ("WDJB-MJHT", 30) in said
    assert "Open stoa-display.eu.auth0.com/activate and enter" in whole(said).replace("/ activate", "/activate")


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["pairing", "mfa"])
@pytest.mark.parametrize(
    "uri",
    [
        "https://stoa-display.eu.auth0.com/activate",
        "http://127.0.0.1:8080/activate",
        "https://login.a-rather-long-company-name.example.com/oauth2/v1/device/activate",
    ],
)
def test_the_address_stands_there_complete(name, panel, uri, said):
    show(name, {**CONTENT[name], "verification_uri": uri}, panel)
    assert typeable(uri) in "".join(text for text, _size in said)


def test_only_the_scheme_a_browser_adds_is_left_out():
    assert typeable("https://example.com/device") == "example.com/device"
    assert typeable("https://example.com/") == "example.com"
    assert typeable("https://example.com/device/") == "example.com/device/"
    assert typeable("http://192.0.2.1:8080/activate") == "http://192.0.2.1:8080/activate"


def test_an_address_breaks_at_its_dots_before_it_is_cut(said):
    show("pairing", GRANT, PANELS[1])
    assert {"stoa-display.eu.", "auth0.com/activate"} <= {text for text, _size in said}


@pytest.mark.parametrize("panel", PANELS)
def test_an_address_that_would_be_cut_gets_the_quotes_room(panel, said):
    uri = "https://login.a-rather-long-company-name.example.com/oauth2/v1/device/activate"
    content = {**CONTENT["mfa"], "user_code": "ABCDEFGH-IJKLMNOP", "verification_uri": uri}
    canvas = show("mfa", {**content, "verification_uri_complete": uri + "?user_code=ABCDEFGH-IJKLMNOP"}, panel)
    assert canvas.lost == []
    assert typeable(uri) in "".join(text for text, _size in said)


@pytest.mark.parametrize("panel", PANELS)
def test_without_a_code_to_scan_a_smaller_user_code_keeps_the_quote(panel, said):
    long = GRANT["verification_uri"] + "?" + "x" * 240
    show("mfa", {**CONTENT["mfa"], "verification_uri_complete": long, "user_code": "wdjb mjht"}, panel)
    assert typeable(GRANT["verification_uri"]) in "".join(text for text, _size in said)
    assert QUOTE["text"] in whole(said)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["pairing", "mfa"])
@pytest.mark.parametrize("code", ["WDJB-MJHT", "QQQQ-JJJJ", "BCDFGHJK", "ABCDEFGH-IJKLMNOP", "wdjb mjht"])
def test_the_user_code_stands_there_complete_and_large(name, panel, code, said):
    canvas = show(name, {**CONTENT[name], "user_code": code}, panel)
    assert canvas.lost == []
    large = [text for text, size in said if size >= 18]
    assert code.replace(" ", "") in "".join(large).replace(" ", "")
