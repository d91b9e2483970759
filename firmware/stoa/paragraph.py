"""Text longer than a line: broken, balanced, fitted to a box, cut with an ellipsis when nothing else is left.

A text is first cut into pieces that must stay whole, each ending in the space that followed it, if any. All line
breaking then works on the pieces' widths, which are measured once: measuring is the slow part on a microcontroller.
"""

from stoa.text import Font

ELLIPSIS = "\u2026"
HYPHENS = "-\u2013\u2014"


def pieces(text, marks=HYPHENS):
    """The unbreakable pieces of a text: its words, cut once more after each of `marks` inside them."""
    found = []
    # A soft hyphen is seen only where a line breaks at it, and none does here.
    text = text.replace("\u00ad", "")
    for separator in "\n\r\t":
        text = text.replace(separator, " ")
    # Not split() alone: CPython would break at a no-break space too, MicroPython would not.
    for word in text.split(" "):
        if not word:
            continue
        start = 0
        for place in range(1, len(word) - 1):
            if word[place] in marks and word[place + 1] not in marks and word[place - 1] not in marks:
                found.append(word[start : place + 1])
                start = place + 1
        found.append(word[start:] + " ")
    return found


def fill(widths, spaced, space, limit):
    """Greedy line breaking: the index after the last piece of each line.

    `widths` are the pieces' widths without their space, `spaced` tells which have one, `space` is its width. A piece
    wider than `limit` gets a line to itself.
    """
    ends = []
    pen = 0
    for index, width in enumerate(widths):
        if pen and pen + width > limit:
            ends.append(index)
            pen = 0
        pen += width + (space if spaced[index] else 0)
    if widths:
        ends.append(len(widths))
    return ends


def _split_long(font, found, width):
    """The pieces, with those wider than `width` cut wherever the width ends. At least one character a piece."""
    whole = []
    for piece in found:
        rest = piece
        while font.measure(rest.rstrip(" ")) > width and len(rest.rstrip(" ")) > 1:
            cut = 1
            pen = font.measure(rest[0])
            while pen + font.measure(rest[cut]) <= width:
                pen += font.measure(rest[cut])
                cut += 1
            whole.append(rest[:cut])
            rest = rest[cut:]
        whole.append(rest)
    return whole


def wrap(font, text, width, marks=HYPHENS, balanced=False):
    """The lines of a text no wider than `width` pixels; if `balanced`, as even as the same number of lines allows."""
    found = _split_long(font, pieces(text, marks), width)
    widths = [font.measure(piece.rstrip(" ")) for piece in found]
    spaced = bytes([piece.endswith(" ") for piece in found])
    space = font.measure(" ")
    ends = fill(widths, spaced, space, width)
    if balanced and len(ends) > 1:
        low = max(widths)
        high = width
        while low < high:
            middle = (low + high) // 2
            if len(fill(widths, spaced, space, middle)) > len(ends):
                low = middle + 1
            else:
                high = middle
        ends = fill(widths, spaced, space, low)
    lines = []
    start = 0
    for end in ends:
        lines.append("".join(found[start:end]).rstrip(" "))
        start = end
    return lines


def shorten(font, text, width):
    """The text if it fits `width`, else its beginning and an ellipsis; empty if not even that fits."""
    if font.measure(text) <= width:
        return text
    pen = font.measure(ELLIPSIS)
    if pen > width:
        return ""
    end = 0
    while pen + font.measure(text[end]) <= width:
        pen += font.measure(text[end])
        end += 1
    # Between words if that costs less than half of what fits.
    space = text.rfind(" ", 0, end + 1)
    if space > end // 2:
        end = space
    return text[:end].rstrip(" ,;:.-\u2014") + ELLIPSIS


def rows(font, count, leading):
    """Height in pixels of `count` lines, from the tops of the first to the tails of the last."""
    return font.ascent + (count - 1) * leading + font.descent if count else 0


def fit(names, text, width, height, marks=HYPHENS):
    """Set a text as large as fits a box: (font, lines, leading, whole).

    `names` are fonts from the largest to the smallest. A larger one is passed over if it would have to cut a word.
    In the smallest the leading tightens first; then the text ends in an ellipsis and `whole` is false;
    a box too low for one line gets none.
    """
    unbroken = pieces(text, marks)
    for name in names:
        font = Font(name)
        if name != names[-1] and any([font.measure(piece.rstrip(" ")) > width for piece in unbroken]):
            continue
        lines = wrap(font, text, width, marks)
        if rows(font, len(lines), font.line_height) <= height:
            return font, wrap(font, text, width, marks, True), font.line_height, True
    leading = font.ascent + font.descent + 1
    kept = max(0, (height - font.ascent - font.descent) // leading + 1)
    if len(lines) <= kept:
        return font, lines, leading, True
    if not kept:
        return font, [], leading, False
    rest = " ".join(lines[kept - 1 :])
    return font, lines[: kept - 1] + [shorten(font, rest, width)], leading, False


def draw_lines(canvas, font, lines, leading, x, top):
    """Draw lines under each other, the first with its ascenders at row `top`; returns the row under the last tail."""
    for index, line in enumerate(lines):
        font.draw(canvas, line, x, top + font.ascent + index * leading)
    return top + rows(font, len(lines), leading)


def draw_fitted(canvas, names, text, x, top, width, height, marks=HYPHENS):
    """Fit a text to a box and draw it from the box's top; returns the row under its last tail."""
    font, lines, leading, _ = fit(names, text, width, height, marks)
    return draw_lines(canvas, font, lines, leading, x, top)
