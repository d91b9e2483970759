"""Text drawn, measured and broken into lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.fonts.faces import TEXT
from stoa import paragraph
from stoa.canvas import Canvas
from stoa.text import Font

pytestmark = pytest.mark.usefixtures("fonts_folder")

words = st.text(st.sampled_from(TEXT + "☃ \n     eetaoin"), max_size=400)
sizes = st.sampled_from(["serif-13", "serif-18", "serif-30", "italic-14", "sans-14"])
widths = st.integers(40, 296)


def characters_of(text):
    """What must be seen of a text: all but spaces, line ends and soft hyphens."""
    return text.replace(" ", "").replace("\n", "").replace("\xad", "")


def ink(canvas):
    """Columns and rows that hold black pixels."""
    black = [(x, y) for y in range(canvas.height) for x in range(canvas.width) if not canvas.is_white(x, y)]
    return [x for x, _ in black], [y for _, y in black]


def test_a_line_covers_what_was_measured_and_stands_on_the_baseline():
    font = Font("serif-18")
    canvas = Canvas(128, 296, 1)
    end = font.draw(canvas, "Hill", 10, 40)
    columns, rows = ink(canvas)
    assert end == 10 + font.measure("Hill")
    assert min(columns) >= 10
    assert max(columns) < end
    assert (min(rows), max(rows)) == (40 - font.ascent, 39)


def test_measuring_adds_up():
    font = Font("serif-13")
    assert font.measure("") == 0
    assert font.measure("ab") == font.measure("a") + font.measure("b") > font.measure("a") > 0


def test_a_missing_character_is_drawn_as_a_box():
    font = Font("serif-18")
    pictures = []
    for character in "☃\ufffd":
        canvas = Canvas(122, 250, 1)
        font.draw(canvas, character, 5, 30)
        pictures.append(b"".join(canvas.bands))
    assert pictures[0] == pictures[1] != b"\xff" * 16 * 250
    assert font.has("é") and not font.has("☃")


@pytest.mark.parametrize("character", TEXT)
def test_every_character_is_found(character):
    assert Font("serif-13").has(character)


def test_a_font_file_cut_short_or_foreign_is_refused(fonts_folder, tmp_path):
    content = (fonts_folder / "serif-13").read_bytes()
    for name, broken in (("short", content[:900]), ("empty", b""), ("foreign", b"GIF8" + content[4:])):
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(ValueError, match=name):
            Font(name, str(tmp_path))
    with pytest.raises(OSError):
        Font("absent", str(tmp_path))


@given(text=words, size=sizes, width=widths, balanced=st.booleans())
def test_wrapping_loses_nothing_and_overflows_nothing(text, size, width, balanced):
    font = Font(size)
    lines = paragraph.wrap(font, text, width, balanced=balanced)
    assert "".join(lines).replace(" ", "") == characters_of(text)
    assert all(lines) and all(font.measure(line) <= width for line in lines)


@given(text=words, size=sizes, width=widths)
def test_balancing_keeps_the_number_of_lines_and_widens_none(text, size, width):
    font = Font(size)
    greedy = paragraph.wrap(font, text, width)
    even = paragraph.wrap(font, text, width, balanced=True)
    assert len(even) == len(greedy)
    assert max(map(font.measure, even), default=0) <= max(map(font.measure, greedy), default=0)


@given(text=st.lists(st.text("abcdefghij", min_size=1, max_size=8), max_size=40).map(" ".join), width=widths)
def test_words_that_fit_are_never_cut(text, width):
    font = Font("serif-13")
    if all(font.measure(word) <= width for word in text.split()):
        assert " ".join(paragraph.wrap(font, text, width)).split() == text.split()


def test_lines_break_after_hyphens_and_dashes_but_not_at_a_no_break_space():
    font = Font("serif-18")
    assert paragraph.wrap(font, "self-sufficient", font.measure("sufficient")) == ["self-", "sufficient"]
    assert paragraph.wrap(font, "time—only", font.measure("time—")) == ["time—", "only"]
    assert paragraph.pieces("post\u00adpone") == ["postpone "]
    assert paragraph.pieces("a 1.3\u00a0f. -5 b--c x-") == ["a ", "1.3\u00a0f. ", "-5 ", "b--c ", "x- "]


@given(text=st.lists(st.text("abcdefghij", min_size=1, max_size=8), min_size=9, max_size=40).map(" ".join))
def test_balanced_lines_could_not_be_narrower(text):
    font = Font("serif-13")
    even = paragraph.wrap(font, text, 200, balanced=True)
    widest = max(map(font.measure, even))
    if widest > max(font.measure(word) for word in text.split()):
        assert len(paragraph.wrap(font, text, widest - 1)) > len(even)


def test_balanced_lines_are_even():
    font = Font("serif-18")
    text = "nothing is ours except time"
    width = font.measure("nothing is ours except")
    assert paragraph.wrap(font, text, width) == ["nothing is ours except", "time"]
    assert paragraph.wrap(font, text, width, balanced=True) == ["nothing is ours", "except time"]


@given(text=words, size=sizes, width=st.integers(0, 296))
def test_shortening_ends_in_an_ellipsis_and_fits(text, size, width):
    font = Font(size)
    short = paragraph.shorten(font, text, width)
    assert font.measure(short) <= width
    if short and short != text:
        assert short.endswith("…") and text.startswith(short[:-1])


def test_shortening_ends_between_words():
    font = Font("serif-13")
    text = "nothing is ours except time, Lucilius"
    assert paragraph.shorten(font, text, font.measure("nothing is ours except time, Lucil")) == (
        "nothing is ours except time…"
    )


@given(text=words, width=widths, height=st.integers(0, 128))
def test_a_fitted_text_is_inside_its_box_and_says_when_it_is_cut(text, width, height):
    font, lines, leading, whole = paragraph.fit(("serif-30", "serif-18", "serif-13"), text, width, height)
    assert paragraph.rows(font, len(lines), leading) <= height or not lines
    assert all(font.measure(line) <= width for line in lines)
    kept = "".join(lines).replace(" ", "")
    wanted = characters_of(text)
    assert whole == (kept == wanted) or kept == wanted
    if not whole and lines:
        assert lines[-1].endswith("…") or not lines[-1]


def test_the_largest_size_that_fits_is_taken_and_no_word_cut_for_it():
    sizes = ("serif-30", "serif-18", "serif-13")
    assert paragraph.fit(sizes, "time", 200, 50)[0].size == 30
    assert paragraph.fit(sizes, "time", 200, 20)[0].size == 18
    narrow = Font("serif-30").measure("postponement") - 1
    assert paragraph.fit(sizes, "postponement", narrow, 128)[0].size == 18
