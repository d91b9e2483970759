"""The packed fonts, read here by the byte offsets the compiler's docstring states."""

from __future__ import annotations

import struct
from importlib.resources import files
from pathlib import Path

import pytest

from host_tools.fonts import FontError, compile_font, compiled_fonts
from host_tools.fonts.faces import ASCII, LATIN_1, PUNCTUATION, TEXT, USER_CODE

BUDGET = 40_000  # bytes of a drive that also holds firmware, libraries and caches

TEXT_FONTS = sorted(name for name in compiled_fonts() if not name.startswith("code"))


def serif() -> Path:
    return Path(str(files("font_source_serif_pro") / "files" / "SourceSerifPro-Regular.ttf"))


def glyphs(font: bytes) -> dict[str, tuple[list[str], int, int, int]]:
    """Character to (rows of '#' and '.', left, top, advance)."""
    (count,) = struct.unpack_from("<H", font, 10)
    found = {}
    for index in range(count):
        (code_point,) = struct.unpack_from("<H", font, 16 + 2 * index)
        offset, width, height, left, top, advance = struct.unpack_from("<HBBbbB", font, 16 + 2 * count + 7 * index)
        start = 16 + 9 * count + offset
        packed = font[start : start + (width * height + 7) // 8]
        bits = "".join(f"{byte:08b}" for byte in packed).replace("0", ".").replace("1", "#")
        found[chr(code_point)] = ([bits[y * width : (y + 1) * width] for y in range(height)], left, top, advance)
    return found


def test_all_fonts_together_fit_the_drive_budget():
    assert 10_000 < sum(map(len, compiled_fonts().values())) < BUDGET


def test_the_same_face_compiles_to_the_same_bytes():
    assert compile_font(serif(), 18, TEXT) == compile_font(serif(), 18, reversed(TEXT)) == compiled_fonts()["serif-18"]


@pytest.mark.parametrize("name", TEXT_FONTS)
def test_text_fonts_hold_ascii_latin_1_and_typographic_marks(name):
    assert set(ASCII + LATIN_1 + PUNCTUATION) <= set(glyphs(compiled_fonts()[name]))


def test_code_fonts_hold_only_what_user_codes_are_made_of():
    assert set(glyphs(compiled_fonts()["code-30"])) == {*USER_CODE, "\ufffd"}


@pytest.mark.parametrize("name", sorted(compiled_fonts()))
def test_index_is_sorted_and_bitmaps_are_complete(name):
    font = compiled_fonts()[name]
    found = glyphs(font)
    assert list(found) == sorted(found)
    for rows, _left, _top, _advance in found.values():
        assert all(len(row) == len(rows[0]) for row in rows)
    ink = max(found.values(), key=lambda glyph: glyph[2])[2]
    deepest = max(len(rows) - top for rows, _left, top, _advance in found.values())
    assert (font[8], font[9]) == (ink, deepest)


@pytest.mark.parametrize("name", TEXT_FONTS)
@pytest.mark.parametrize("letter", "Hdhiklmnru")
def test_letters_stand_on_the_baseline(name, letter):
    rows, _left, top, _advance = glyphs(compiled_fonts()[name])[letter]
    assert top == len(rows)
    assert "#" in rows[-1]


@pytest.mark.parametrize("name", TEXT_FONTS)
def test_header_rows_are_those_of_the_letters(name):
    font = compiled_fonts()[name]
    found = glyphs(font)
    assert font[4] == int(name.split("-")[1])
    assert (font[5], font[14], font[15]) == (found["d"][2], found["H"][2], found["x"][2])
    assert font[6] == len(found["p"][0]) - found["p"][2]
    assert font[7] > font[5] + font[6], "lines would touch"


@pytest.mark.parametrize("name", TEXT_FONTS)
@pytest.mark.parametrize("character", "mnuowaxHO…“”—")
def test_advance_leaves_room_for_the_ink(name, character):
    rows, left, _top, advance = glyphs(compiled_fonts()[name])[character]
    assert left + len(rows[0]) <= advance + 1


def test_spaces_have_no_bitmap_but_a_width():
    rows, _left, _top, advance = glyphs(compiled_fonts()["serif-13"])[" "]
    assert rows == []
    assert advance == 4  # 3.03 px as designed: rounded down, words run together


def test_missing_glyph_is_a_hollow_box():
    font = compiled_fonts()["serif-18"]
    (count, replacement) = struct.unpack_from("<HH", font, 10)
    rows = list(glyphs(font).values())[replacement][0]
    assert replacement < count
    assert set(rows[0]) == set(rows[-1]) == {"#"}
    assert {row.strip("#") for row in rows[1:-1]} == {"." * (len(rows[0]) - 2)}


def test_a_character_the_face_lacks_is_named():
    with pytest.raises(FontError, match=r"SourceSerifPro-Regular.ttf has no glyph for U\+2603"):
        compile_font(serif(), 13, "a☃")


def test_a_file_that_is_no_font_is_an_error(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    with pytest.raises(FontError, match=r"broken\.ttf"):
        compile_font(tmp_path / "broken.ttf", 13, "a")


def test_a_glyph_too_large_for_the_format_is_an_error():
    with pytest.raises(FontError, match=r"U\+0057 at 400 px"):
        compile_font(serif(), 400, "W")
