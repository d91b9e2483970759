"""Putting a screen on the glass, and leaving the glass alone when it shows that picture already."""

from stoa import hardware, heap, log


def show(screen, content, state, save):
    """Draw `screen` (stoa.screens), refresh the panel if the picture is another than the last one, and return whether
    the glass shows it now.

    `state` remembers the picture under "glass" and its name under "screen"; `save` keeps it through a cut: while a
    refresh is under way what the glass shows is unknown, and the next wake draws again.
    """
    if "verification_uri" in content:
        content["qr"] = _encoded(content)
        heap.make_room()
    if screen != state.get("screen") and not __file__.endswith(".mpy"):
        # The glass will be refreshed, and this is the source: what takes the most heap to compile, 50 KB, comes while
        # there is no picture yet.
        __import__("adafruit_framebuf")
    picture, checksum = _drawn(screen, content)
    changed = checksum != state.get("glass")
    said = {"name": screen, "refreshed": changed}
    for key in ("user_code", "verification_uri", "verification_uri_complete"):
        if content.get(key):
            said[key] = content[key]
    log.say("screen", **said)
    if not changed:
        state["screen"] = screen
        return True
    state.pop("glass", None)
    state.pop("screen", None)
    save()
    heap.make_room("adafruit_framebuf")
    shown = _refresh(picture)
    heap.make_room()
    if shown:
        state["glass"] = checksum
        state["screen"] = screen
        save()
    return shown


def _encoded(content):
    from stoa import qr

    return qr.encode(qr.target(content))


def _drawn(screen, content):
    """The picture, in bands, and its CRC."""
    from stoa.canvas import Canvas
    from stoa.screens import draw

    panel = hardware.PROFILE["panel"]
    canvas = Canvas(panel["width"], panel["height"], panel["rotation"])
    draw(canvas, screen, content)
    return canvas.bands, canvas.crc()


def _refresh(picture):
    # First and alone, for the same reason.
    __import__("adafruit_framebuf")
    from stoa import panel

    try:
        panel.show(hardware.PROFILE["panel"], picture)
    except panel.BusyStuck:
        log.say("panel", fault="BUSY stuck")
        return False
    return True
