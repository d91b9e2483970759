"""A picture in the terminal: two pixels a character, the upper as its ink and the lower as its paper."""

from __future__ import annotations

from PIL import Image
from rich.color import Color
from rich.style import Style
from rich.text import Text

UPPER_HALF = "\u2580"


def half_blocks(picture: Image.Image, columns: int) -> Text:
    """The grey picture as text of at most `columns` characters a line; shrunk by a whole factor to fit, in greys."""
    factor = -(-picture.width // max(columns, 1))
    grey = picture.convert("L").reduce(factor) if factor > 1 else picture.convert("L")
    if grey.height % 2:
        padded = Image.new("L", (grey.width, grey.height + 1), 255)
        padded.paste(grey)
        grey = padded
    values = grey.tobytes()
    text = Text(no_wrap=True, end="")
    for upper in range(0, len(values), 2 * grey.width):
        lower = upper + grey.width
        for x in range(grey.width):
            text.append(UPPER_HALF, _style(values[upper + x], values[lower + x]))
        text.append("\n")
    return text


def _style(ink: int, paper: int) -> Style:
    return Style(color=Color.from_rgb(ink, ink, ink), bgcolor=Color.from_rgb(paper, paper, paper))
