"""The board: the only module that touches pins, sleeps, and knows the profile."""

import time

import alarm
import board
from board_profile import PROFILE

# A real-time clock that was never set counts from 2000. 2024-01-01: no Stoa ran before.
CLOCK_IS_SET_S = 1704067200


def now():
    """Epoch seconds by the board's real-time clock, an int."""
    return time.time()


def clock_is_set():
    return time.time() >= CLOCK_IS_SET_S


def milliseconds():
    """An int that only grows, for deadlines."""
    return time.monotonic_ns() // 1000000


def wait(seconds):
    time.sleep(seconds)


def woken_by():
    """ "alarm", "button", or "boot" after power-on or a reset."""
    cause = alarm.wake_alarm
    if cause is None:
        return "boot"
    return "button" if hasattr(cause, "pin") else "alarm"


def sleep_memory():
    return alarm.sleep_memory


def nvm():
    import microcontroller

    return microcontroller.nvm


def make_drive_writable():
    """On boards with native USB code may write only when no computer has the drive. True when it may."""
    import storage

    if storage.getmount("/").readonly:
        try:
            storage.remount("/", readonly=False)
        except RuntimeError:
            return False
    return True


def new_canvas():
    from stoa.canvas import Canvas

    panel = PROFILE["panel"]
    return Canvas(panel["width"], panel["height"], panel["rotation"])


def show(picture):
    """Refresh the glass with a canvas' buffer; seconds long. Raises stoa.panel.BusyStuck."""
    import busio
    import digitalio
    import displayio

    from stoa.panel import Panel

    profile = PROFILE["panel"]
    names = profile["pins"]
    # Boards that start their panel themselves hold its pins until this.
    displayio.release_displays()
    pins = {}
    for role in ("cs", "dc", "reset", "busy"):
        pins[role] = digitalio.DigitalInOut(getattr(board, names[role]))
    spi = busio.SPI(getattr(board, names["sck"]), MOSI=getattr(board, names["mosi"]))
    try:
        panel = Panel(
            profile["width"],
            profile["height"],
            spi,
            profile["colstart"],
            cs_pin=pins["cs"],
            dc_pin=pins["dc"],
            sramcs_pin=None,
            rst_pin=pins["reset"],
            busy_pin=pins["busy"],
        )
        panel.show(picture)
    finally:
        spi.deinit()
        for pin in pins.values():
            pin.deinit()


def deep_sleep(until):
    """Sleep until `until` (epoch s) or the button, and never come back: the next thing to run is code.py."""
    alarms = []
    if until > now():
        alarms.append(alarm.time.TimeAlarm(epoch_time=until))
    else:
        alarms.append(alarm.time.TimeAlarm(monotonic_time=time.monotonic() + 60))
    button = PROFILE["buttons"].get("refresh")
    if button:
        alarms.append(alarm.pin.PinAlarm(getattr(board, button), value=False, pull=True))
    alarm.exit_and_deep_sleep_until_alarms(*alarms)
