"""The six screens on both panel shapes: readable codes, nothing over the edge, the quote kept."""

from __future__ import annotations

import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from host_tools.fonts.faces import TEXT
from stoa import paragraph, qr, screens
from stoa.canvas import Canvas
from stoa.screens.grant import typeable
from stoa.text import Font

pytestmark = pytest.mark.usefixtures("device_library_path", "fonts_folder")

PANELS = [(128, 296, 1), (122, 250, 1), (122, 250, 3)]
QUOTE = {"text": "Nothing is ours, except time.", "author": "Seneca", "work": "Letters", "locus": "1.3"}
GRANT = {
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://stoa-display.eu.auth0.com/activate",
    "verification_uri_complete": "https://stoa-display.eu.auth0.com/activate?user_code=WDJB-MJHT",
}
CONTENT = {
    "quote": {"quote": QUOTE},
    "pairing": GRANT,
    "mfa": {**GRANT, "quote": QUOTE},
    "waiting": {"until": "Tue 09:15", "quote": QUOTE},
    "error": {"title": "No Wi-Fi", "detail": "“Porch” is not in reach.", "fix": "Next try at 07:45.", "quote": QUOTE},
    "setting": {"key": "STOA_ISSUER", "problem": "It is missing.", "fix": "Write the address of your server."},
}


class Glass(Canvas):
    """A canvas that notes every black pixel that would fall off it."""

    def __init__(self, *arguments):
        self.lost = []
        super().__init__(*arguments)

    def pixel(self, x, y, color=0):
        if not color and not (0 <= x < self.width and 0 <= y < self.height):
            self.lost.append((x, y))
        super().pixel(x, y, color)

    def fill_rect(self, x, y, width, height, color=0):
        if not color and (x < 0 or y < 0 or x + width > self.width or y + height > self.height):
            self.lost.append((x, y, width, height))
        super().fill_rect(x, y, width, height, color)

    def image(self):
        """As seen: in a dark frame, with the rim of white glass that the quiet zone counts on, four times as large."""
        picture = Image.new("L", (self.width, self.height))
        picture.putdata([255 * self.is_white(x, y) for y in range(self.height) for x in range(self.width)])
        framed = Image.new("L", (self.width + 42, self.height + 42), 60)
        framed.paste(255, (20, 20, self.width + 22, self.height + 22))
        framed.paste(picture, (21, 21))
        return framed.resize((framed.width * 4, framed.height * 4), Image.Resampling.NEAREST)


@pytest.fixture
def said(monkeypatch):
    """Every line of text put on the glass, with its font's size."""
    lines = []
    draw = Font.draw

    def listening(self, canvas, text, x, baseline):
        lines.append((text, self.size))
        return draw(self, canvas, text, x, baseline)

    monkeypatch.setattr(Font, "draw", listening)
    return lines


def whole(said):
    return " ".join(text for text, _size in said)


def show(name, content, panel):
    canvas = Glass(*panel)
    screens.draw(canvas, name, content)
    return canvas


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", screens.NAMES)
def test_every_screen_stays_on_the_glass(name, panel):
    canvas = show(name, CONTENT[name], panel)
    assert canvas.lost == []
    assert canvas.crc() != Canvas(*panel).crc()


def test_every_screen_is_another_picture():
    assert len({show(name, CONTENT[name], PANELS[0]).crc() for name in screens.NAMES}) == len(screens.NAMES)


@pytest.mark.parametrize("name", screens.NAMES)
def test_what_was_drawn_before_is_gone(name):
    canvas = Glass(*PANELS[0])
    canvas.clear(0)
    screens.draw(canvas, name, CONTENT[name])
    assert canvas.crc() == show(name, CONTENT[name], PANELS[0]).crc()


characters = st.sampled_from(TEXT + "☃     eetaoinWW")
anything = st.one_of(st.text(characters, max_size=40), st.text(characters, min_size=60, max_size=320))
named = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-QJ"), min_size=1, max_size=24)
some_quote = st.none() | st.fixed_dictionaries(
    {"text": anything}, optional={"author": anything, "work": anything, "locus": anything}
)
some_uri = st.text("abcdefghijklmnopqrstuvwxyz0123456789-./", max_size=110).map("https://{}".format)
some_grant = st.fixed_dictionaries(
    {"user_code": named, "verification_uri": some_uri, "verification_uri_complete": st.none() | some_uri},
    optional={"quote": some_quote},
)
any_screen = st.one_of(
    st.tuples(st.just("quote"), st.fixed_dictionaries({"quote": some_quote.filter(bool)})),
    st.tuples(st.sampled_from(["pairing", "mfa"]), some_grant),
    st.tuples(st.just("waiting"), st.fixed_dictionaries({"until": anything, "quote": some_quote})),
    st.tuples(
        st.just("error"),
        st.fixed_dictionaries({"title": anything, "detail": anything, "fix": anything, "quote": some_quote}),
    ),
    st.tuples(st.just("setting"), st.fixed_dictionaries({"key": anything, "problem": anything, "fix": anything})),
)


@pytest.mark.parametrize("panel", PANELS[:2])
@given(screen=any_screen)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_leaves_the_glass(panel, screen):
    assert show(*screen, panel).lost == []


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
        assert qr.plan(GRANT["verification_uri_complete"], Canvas(*panel).height)[2] == 3


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


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["pairing", "mfa"])
@pytest.mark.parametrize("code", ["WDJB-MJHT", "QQQQ-JJJJ", "BCDFGHJK", "ABCDEFGH-IJKLMNOP", "wdjb mjht"])
def test_the_user_code_stands_there_complete_and_large(name, panel, code, said):
    canvas = show(name, {**CONTENT[name], "user_code": code}, panel)
    assert canvas.lost == []
    large = [text for text, size in said if size >= 18]
    assert code.replace(" ", "") in "".join(large).replace(" ", "")


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["mfa", "waiting", "error"])
def test_the_last_quote_stays_readable(name, panel, said):
    show(name, CONTENT[name], panel)
    assert QUOTE["text"] in whole(said)


@pytest.mark.parametrize("panel", PANELS)
def test_a_quote_of_300_characters_is_shown_whole(panel, said):
    text = "the things for which I exist and for which I was brought " * 5 + "into this world."
    assert len(text) > 300
    show("quote", {"quote": {**QUOTE, "text": text}}, panel)
    assert text in whole(said)
    assert "Letters 1.3" in whole(said)


@pytest.mark.parametrize("panel", PANELS)
def test_short_quotes_are_larger_than_long_ones(panel, said):
    show("quote", {"quote": QUOTE}, panel)
    show("quote", {"quote": {**QUOTE, "text": " ".join([QUOTE["text"]] * 9)}}, panel)
    assert said[0][1] == 30
    assert min(size for _text, size in said) == 13


def test_a_quote_too_long_ends_in_an_ellipsis_and_keeps_its_source(said):
    show("quote", {"quote": {**QUOTE, "text": "time " * 200}}, PANELS[1])
    assert "time…" in whole(said)
    assert "Letters 1.3" in whole(said)


def test_a_source_too_long_keeps_its_locus(said):
    show("quote", {"quote": {**QUOTE, "work": "Letters to Lucilius on the good life " * 3}}, PANELS[1])
    assert any(text.endswith("… 1.3") for text, _size in said)


@pytest.mark.parametrize("quote", [None, {}, {"text": ""}])
@pytest.mark.parametrize("name", ["mfa", "waiting", "error"])
def test_without_a_quote_the_message_has_the_whole_glass(name, quote, said):
    show(name, {**CONTENT[name], "quote": quote}, PANELS[0])
    heading, size = said[0] if name != "mfa" else said[-1]
    assert heading and (size >= 18 or name == "mfa")
    assert QUOTE["text"] not in whole(said)


def test_waiting_says_when_and_what_a_person_can_do(said):
    show("waiting", CONTENT["waiting"], PANELS[0])
    assert "Approval needed Next code at Tue 09:15, or press the button." in whole(said)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("quote", [None, QUOTE])
def test_errors_say_what_failed_and_what_happens_next(panel, quote, said):
    show("error", {**CONTENT["error"], "quote": quote}, panel)
    for part in ("No Wi-Fi", "“Porch” is not in reach.", "Next try at 07:45."):
        assert part in whole(said)


@pytest.mark.parametrize("panel", PANELS)
def test_a_wrong_setting_is_named_with_its_fix(panel, said):
    content = {
        "key": "CIRCUITPY_WIFI_PASSWORD",
        "problem": "It has 5 characters; WPA2 needs 8 to 63.",
        "fix": 'Write CIRCUITPY_WIFI_PASSWORD = "your password" in settings.toml and press reset.',
    }
    show("setting", content, panel)
    for part in content.values():
        assert part in whole(said)


def test_an_unknown_screen_is_refused_before_anything_is_drawn():
    canvas = Glass(*PANELS[0])
    canvas.clear(0)
    with pytest.raises(ValueError, match="no such screen: __init__"):
        screens.draw(canvas, "__init__", {})
    assert canvas.buffer == bytes(len(canvas.buffer))


def test_a_daily_wake_loads_neither_qr_nor_pairing():
    import subprocess
    import sys
    from pathlib import Path

    from stoa import text

    program = (
        "import sys; from stoa import screens, text; from stoa.canvas import Canvas; text.FOLDER = sys.argv[1];"
        "screens.draw(Canvas(128, 296, 1), 'quote', {'quote': {'text': 'x'}});"
        "print(sorted(name for name in sys.modules if name.startswith('stoa.')))"
    )
    firmware = Path(paragraph.__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", program, text.FOLDER], cwd=firmware, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str(
        ["stoa.canvas", "stoa.paragraph", "stoa.screens", "stoa.screens.quote", "stoa.text"]
    )
