"""Something failed: what, and what happens next. The last quote stays if there is one."""

from stoa.screens.note import draw_note


def draw(canvas, content):
    text = " ".join([part for part in (content.get("detail"), content.get("fix")) if part])
    draw_note(canvas, content.get("quote"), content["title"], text)
