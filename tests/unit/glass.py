"""What the tests of the screens look through: a canvas that notices, panels, and something to show on them."""

from __future__ import annotations

from PIL import Image

from stoa import screens
from stoa.canvas import Canvas

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
    "push": {"quote": QUOTE},
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


def show(name, content, panel):
    """Draw a screen on a new Glass."""
    canvas = Glass(*panel)
    screens.draw(canvas, name, content)
    return canvas


def whole(said):
    """All that was said, in the order in which it was drawn."""
    return " ".join(text for text, _size in said)
