"""Nobody answered the code: the display sleeps, says until when, and keeps the quote."""

from stoa.screens.note import draw_note


def draw(canvas, content):
    until = content.get("until")
    when = "Next code at " + until + ", or press the button." if until else "Press the button for a new code."
    draw_note(canvas, content.get("quote"), "Approval needed", when)
