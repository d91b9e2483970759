"""Drawing by hand what a chart needs: type, an axis of days, bars, lanes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from importlib.resources import as_file, files

from PIL import Image, ImageDraw, ImageFont

INK, DIM, RULE, GRID, PAPER = "#1d2733", "#66727f", "#b9c2cb", "#e6eaee", "#ffffff"
# Below so many days each can have a label of its own.
FEW_DAYS, SOME_DAYS, MANY_DAYS = 16, 120, 800
_LABEL_PX = 30


@cache
def type_face(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "SourceSansPro-Semibold.ttf" if bold else "SourceSansPro-Regular.ttf"
    with as_file(files("font_source_sans_pro") / "files" / name) as path:
        return ImageFont.truetype(str(path), size)


class Days:
    """The horizontal axis: `count` days from `start` between two pixels."""

    def __init__(self, start: date, count: int, left: int, right: int) -> None:
        self.start = start
        self.count = count
        self.left = left
        self.right = right

    def x(self, day: float) -> float:
        """The pixel where so many days have gone by."""
        return self.left + (self.right - self.left) * day / self.count

    def column(self, day: int) -> tuple[int, int]:
        """First and last pixel of a day, 0 the first; one at least, with a gap where there is room."""
        begin, end = int(self.x(day)), int(self.x(day + 1)) - 1
        return begin, max(begin, end - 1 if end - begin >= 6 else end)

    def marks(self) -> Iterator[tuple[int, str]]:
        """Days that get a line, and what it says; "" for a line alone."""
        for day in range(self.count):
            at = self.start + timedelta(day)
            if self.count <= FEW_DAYS:
                yield day, f"{at.day} {at:%b}"
            elif self.count <= SOME_DAYS:
                if at.weekday() == 0:
                    yield day, f"{at.day} {at:%b}"
            elif at.day == 1 and (self.count <= MANY_DAYS or at.month == 1):
                yield day, f"{at:%b %Y}" if at.month == 1 or not day else f"{at:%b}"


class Chart:
    """A sheet to draw on; text is placed by Pillow's anchors."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self, at: tuple[float, float], text: str, size: int = 15, ink: str = INK, anchor: str = "la", bold: bool = False
    ) -> float:
        """Gives how wide it is."""
        font = type_face(size, bold)
        self._draw.text(at, text, fill=ink, font=font, anchor=anchor)
        return font.getlength(text)

    def box(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """All four edges belong to it."""
        self._draw.rectangle((left, top, max(right, left), max(bottom, top)), fill=colour)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def line(self, left: float, y: float, right: float, colour: str = RULE) -> None:
        self._draw.line((left, y, right, y), fill=colour)

    def grid(self, days: Days, top: float, bottom: float, labels: bool) -> None:
        """Upright lines at the marks of the axis, and under them what they are."""
        free_from = float(days.left)
        for day, label in days.marks():
            x = days.x(day)
            self._draw.line((x, top, x, bottom), fill=RULE if label and labels else GRID)
            if labels and x + 3 >= free_from and x + _LABEL_PX <= days.right:
                free_from = x + 15 + self.text((x + 3, bottom + 3), label, 14, DIM)

    def bars(
        self, days: Days, values: Sequence[float], top: int, bottom: int, most: float, colour: str, unit: str
    ) -> None:
        """One bar a day from `bottom` up; the scale is marked at `most`, at its half and at naught."""
        self.grid(days, top, bottom, labels=False)
        for value in (0.0, most / 2, most):
            y = bottom - (bottom - top) * value / most
            self.line(days.left, y, days.right, RULE if not value else GRID)
            self.text((days.left - 8, y), f"{value:g}", 13, DIM, "rm")
        for day, value in enumerate(values[: days.count]):
            if value > 0:
                begin, end = days.column(day)
                self.box(begin, bottom - max(1.0, (bottom - top) * min(value, most) / most), end, bottom, colour)
        self.text((days.right, top - 9), unit, 13, DIM, "rs")


def round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 10, 20 and so on: a scale that halves well."""
    step = 1.0
    while step * 10 < value:
        step *= 10
    while step > value and step > 0.01:
        step /= 10
    return next(step * factor for factor in (1, 2, 4, 5, 8, 10) if step * factor >= value)
