"""A note to the reader: under the last quote if there is one, else the whole glass."""

from stoa.paragraph import draw_fitted, draw_lines, fit, rows
from stoa.screens.quote import AIRY, CLOSE, SIZES, draw_quote
from stoa.text import Font

MARGIN = 8
NOTE_SIZES = ("serif-13",)
PAGE_TITLES = ("serif-23", "serif-18", "serif-15")
PAGE_SIZES = ("serif-18", "serif-15", "serif-13")
MOST_NOTE_LINES = 3


def draw_note(canvas, quote, title, text):
    """Say `title` and `text`, keeping the quote (a dict, or None) if there is one."""
    if quote and quote.get("text"):
        _draw_under_quote(canvas, quote, title, text)
    else:
        _draw_page(canvas, title, text)


def _draw_under_quote(canvas, quote, title, text):
    width = canvas.width - 2 * MARGIN
    heading = Font("sans-14")
    small = Font(NOTE_SIZES[0])
    _, lines, leading, _ = fit(NOTE_SIZES, text, width, rows(small, MOST_NOTE_LINES, small.line_height))
    note_rows = heading.ascent + 5 + rows(small, len(lines), leading)
    top = canvas.height - 3 - note_rows
    draw_fitted(canvas, ("sans-14",), title, MARGIN, top, width, heading.ascent + heading.descent)
    draw_lines(canvas, small, lines, leading, MARGIN, top + heading.ascent + 5)
    rule = top - 5
    canvas.fill_rect(MARGIN, rule, width, 1)
    if not draw_quote(canvas, quote, MARGIN, 3, width, rule - 4, AIRY, False, SIZES[1:]):
        draw_quote(canvas, quote, MARGIN, 1, width, rule - 2, CLOSE, True)


def _draw_page(canvas, title, text):
    width = canvas.width - 2 * MARGIN
    y = draw_fitted(canvas, PAGE_TITLES, title, MARGIN, MARGIN + 2, width, canvas.height // 3) + 6
    canvas.fill_rect(MARGIN, y, 24, 1)
    draw_fitted(canvas, PAGE_SIZES, text, MARGIN, y + 8, width, canvas.height - y - 8 - 4)
