"""The seven screens on both panel shapes: nothing over the edge, the quote kept, every message complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tools.fonts.faces import TEXT
from host_tools.quote_packs import load_pack
from stoa import screens, text
from stoa.canvas import Canvas
from tests.unit.glass import CONTENT, PANELS, QUOTE, Glass, show, whole

pytestmark = pytest.mark.usefixtures("device_library_path", "fonts_folder")


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
    st.tuples(st.just("push"), st.fixed_dictionaries({"quote": some_quote})),
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
@pytest.mark.parametrize("name", ["quote", "mfa", "push", "waiting", "error"])
@pytest.mark.parametrize("times", [1, 3, 9, 20, 80])
def test_accents_and_cedillas_stay_on_the_glass(name, panel, times):
    quote = {"text": "ÅÇ Éj" * times, "author": "Ébène Åç", "work": "Çj", "locus": "1"}
    assert show(name, {**CONTENT[name], "quote": quote}, panel).lost == []


@pytest.mark.parametrize("panel", PANELS)
def test_a_short_quote_stands_in_the_middle_of_the_room_above_its_source(panel):
    canvas = show("quote", {"quote": QUOTE}, panel)
    rows = [any(not canvas.is_white(x, y) for x in range(canvas.width)) for y in range(canvas.height)]
    first = rows.index(True)
    source = len(rows) - rows[::-1].index(True) - 14
    last = max(y for y in range(source) if rows[y])
    assert abs(first - (source - last)) <= 10


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["mfa", "push", "waiting", "error"])
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
def test_every_line_of_the_pack_is_shown_whole_with_its_source(panel, said):
    pack = load_pack()
    for quote in pack:
        said.clear()
        fields = {"text": quote.text, "author": quote.author, "work": quote.work, "locus": quote.locus}
        assert show("quote", {"quote": fields}, panel).lost == []
        # A line may have been broken inside a word that holds a dash.
        shown = whole(said).replace(" ", "")
        assert f"{quote.text}{quote.author},{quote.work}{quote.locus}".replace(" ", "") == shown
    assert len(pack) >= 20


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
@pytest.mark.parametrize("name", ["mfa", "push", "waiting", "error"])
def test_without_a_quote_the_message_has_the_whole_glass(name, quote, said):
    show(name, {**CONTENT[name], "quote": quote}, PANELS[0])
    heading, size = said[0] if name != "mfa" else said[-1]
    assert heading and (size >= 18 or name == "mfa")
    assert QUOTE["text"] not in whole(said)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("quote", [None, QUOTE])
def test_a_push_says_where_to_look_and_what_else_there_will_be(panel, quote, said):
    show("push", {"quote": quote}, panel)
    assert "Approve on your phone Use your authenticator app, or wait two minutes for a code to scan." in whole(said)


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
    assert not any(b"".join(canvas.bands))


def test_a_daily_wake_loads_neither_qr_nor_pairing():
    program = (
        "import sys; from stoa import screens, text; from stoa.canvas import Canvas; text.FOLDER = sys.argv[1];"
        "screens.draw(Canvas(128, 296, 1), 'quote', {'quote': {'text': 'x'}});"
        "print(sorted(name for name in sys.modules if name.startswith('stoa.')))"
    )
    firmware = Path(text.__file__).parent.parent
    run = subprocess.run(
        [sys.executable, "-c", program, text.FOLDER], cwd=firmware, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == str(
        ["stoa.canvas", "stoa.paragraph", "stoa.screens", "stoa.screens.quote", "stoa.text"]
    )
