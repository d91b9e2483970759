import pytest
from PIL import Image

from host_tools.rehearsal.half_blocks import UPPER_HALF, half_blocks


def shades(text):
    """(ink, paper) of each character, line by line, as grey values."""
    lines = [[]]
    for span in text.spans:
        character = text.plain[span.start]
        if character == UPPER_HALF:
            lines[-1].append((span.style.color.triplet.red, span.style.bgcolor.triplet.red))
        elif character == "\n":
            lines.append([])
    return [shade for line in lines for shade in line]


def test_two_pixels_a_character():
    picture = Image.new("L", (2, 2), 255)
    picture.putpixel((1, 0), 0)
    picture.putpixel((0, 1), 0)
    text = half_blocks(picture, 10)
    assert text.plain == UPPER_HALF * 2 + "\n"
    assert shades(text) == [(255, 0), (0, 255)]


@pytest.mark.parametrize(("columns", "width"), [(296, 296), (200, 148), (100, 99), (80, 74), (1, 1)])
def test_a_panel_is_shrunk_by_a_whole_factor_to_fit(columns, width):
    text = half_blocks(Image.new("L", (296, 128), 255), columns)
    assert {len(line) for line in text.plain.splitlines()} == {width}


def test_an_odd_height_gets_a_white_line():
    text = half_blocks(Image.new("L", (1, 3), 0), 10)
    assert shades(text) == [(0, 0), (0, 255)]
