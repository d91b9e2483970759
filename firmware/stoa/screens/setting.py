"""A setting is missing or wrong: which, why, and what to write instead."""

from stoa.paragraph import draw_fitted, draw_lines, fit, rows

MARGIN = 8
GAP = 4
KEY_SIZES = ("serif-23", "serif-18", "serif-15", "serif-13")
TEXT_SIZES = ("serif-15", "serif-13")


def draw(canvas, content):
    width = canvas.width - 2 * MARGIN
    y = draw_fitted(canvas, ("sans-14",), "Check settings.toml", MARGIN, MARGIN, width, 16) + 5
    y = draw_fitted(canvas, KEY_SIZES, content["key"], MARGIN, y, width, 36, "_") + 6
    height = canvas.height - 5 - y
    problem = content["problem"]
    fix = content.get("fix") or ""
    for name in TEXT_SIZES:
        font, lines, leading, whole = fit((name,), problem, width, height)
        used = rows(font, len(lines), leading)
        _, fix_lines, fix_leading, fix_whole = fit((name,), fix, width, height - used - GAP)
        if whole and fix_whole and used + GAP + rows(font, len(fix_lines), fix_leading) <= height:
            y = draw_lines(canvas, font, lines, leading, MARGIN, y) + GAP
            draw_lines(canvas, font, fix_lines, fix_leading, MARGIN, y)
            return
    draw_fitted(canvas, TEXT_SIZES[-1:], problem + " " + fix, MARGIN, y, width, height)
