"""The quote of the day: as large as fits, in even lines, its source beneath. The face the display shows for years."""

from stoa.paragraph import draw_lines, fit, rows, shorten
from stoa.text import Font

SIZES = ("serif-30", "serif-23", "serif-18", "serif-15", "serif-13")
MARGIN = 8
# Rows for the source under the quote: with air above it, or close, when a long quote needs every row.
AIRY = 22
CLOSE = 15


def draw(canvas, content):
    quote = content["quote"]
    width = canvas.width - 2 * MARGIN
    if draw_quote(canvas, quote, MARGIN, MARGIN - 2, width, canvas.height - 2 * MARGIN + 4, AIRY, False):
        return
    draw_quote(canvas, quote, MARGIN - 4, 2, width + 8, canvas.height - 3, CLOSE, True)


def draw_quote(canvas, quote, x, y, width, height, source_rows, cut, sizes=SIZES):
    """Draw a quote and its source in a box. Unless `cut`, a quote that would have to be cut is not drawn: False."""
    room = height - source_rows
    font, lines, leading, whole = fit(sizes, quote.get("text") or "", width, room)
    if not (whole or cut):
        return False
    used = rows(font, len(lines), leading)
    draw_lines(canvas, font, lines, leading, x, y + max(0, room - used) // 2)
    _draw_source(canvas, quote, x, y + height - 4, width, source_rows == CLOSE)
    return True


def _draw_source(canvas, quote, x, baseline, width, right):
    """The author upright, the work and its locus in italics, on one line, at its right end when the text is close.

    The locus is the last to go.
    """
    author = quote.get("author") or ""
    work = quote.get("work") or ""
    locus = quote.get("locus") or ""
    upright = Font("serif-15")
    italic = Font("italic-14")
    if author and (work or locus):
        author += ", "
    if work and locus:
        locus = " " + locus
    author = shorten(upright, author, width)
    room = width - upright.measure(author)
    source = shorten(italic, shorten(italic, work, room - italic.measure(locus)) + locus, room)
    if right:
        x += room - italic.measure(source)
    italic.draw(canvas, source, upright.draw(canvas, author, x, baseline), baseline)


def draw_reminder(canvas, quote, x, y, width, height):
    """Draw a quote in a box too low for a line of source: the author follows in the same paragraph if that fits."""
    text = quote.get("text") or ""
    signed = text + " \u2014\u00a0" + quote["author"] if quote.get("author") else text
    font, lines, leading, whole = fit(SIZES[2:], signed, width, height)
    if not whole:
        font, lines, leading, whole = fit(SIZES[-1:], text, width, height)
    draw_lines(canvas, font, lines, leading, x, y + max(0, height - rows(font, len(lines), leading)) // 2)
