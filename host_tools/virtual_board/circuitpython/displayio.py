"""Only what frees the panel's pins: this firmware drives the panel by adafruit_epd, not by displayio."""

from _link import call


def release_displays():
    call("displayio.release_displays")
