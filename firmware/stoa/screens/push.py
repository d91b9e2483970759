"""A person's phone has been asked: the display says so, and keeps the quote."""

from stoa.screens.note import draw_note


def draw(canvas, content):
    text = "Use your authenticator app, or wait two minutes for a code to scan."
    draw_note(canvas, content.get("quote"), "Approve on your phone", text)
