"""Putting a screen on the glass, and leaving the glass alone when it shows that picture already."""

from stoa import hardware, log
from stoa.screens import draw


def show(screen, content, state, save):
    """Draw `screen` (stoa.screens), refresh the panel if the picture is another than the last one, and return whether
    the glass shows it now.

    `state` remembers the picture under "glass" and its name under "screen"; `save` keeps it through a cut: while a
    refresh is under way what the glass shows is unknown, and the next wake draws again.
    """
    canvas = hardware.new_canvas()
    draw(canvas, screen, content)
    picture = canvas.crc()
    changed = picture != state.get("glass")
    said = {"name": screen, "refreshed": changed}
    for key in ("user_code", "verification_uri", "verification_uri_complete"):
        if content.get(key):
            said[key] = content[key]
    log.say("screen", **said)
    if not changed:
        state["screen"] = screen
        return True
    from stoa.panel import BusyStuck

    state.pop("glass", None)
    state.pop("screen", None)
    save()
    try:
        hardware.show(canvas.buffer)
    except BusyStuck:
        log.say("panel", fault="BUSY stuck")
        return False
    state["glass"] = picture
    state["screen"] = screen
    save()
    return True
