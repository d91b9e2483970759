"""The board: the only module that touches pins, sleeps, and knows the profile."""

import time

import alarm
import board
from board_profile import PROFILE

# A real-time clock that was never set counts from 2000. 2024-01-01: no Stoa ran before.
CLOCK_IS_SET_S = 1704067200
# CircuitPython itself waits as long for a computer before it sleeps (supervisor/shared/workflow.c).
USB_TAKES_MS = 5000
SOONEST_S = 60


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


def open_file(path, mode="r"):
    """`open`, after making the drive writable if it has to be written; OSError where it cannot be."""
    if "+" in mode:
        _make_drive_writable()
    return open(path, mode)


def _make_drive_writable():
    """On boards with native USB the drive is read-only to code until it is remounted, which is for us to do only when
    no computer has it: taken from an owner who has just plugged in, it could not be edited (circuitpython#6920)."""
    import storage
    import supervisor

    if not storage.getmount("/").readonly:
        return
    while alarm.wake_alarm is None and milliseconds() < USB_TAKES_MS and not supervisor.runtime.usb_connected:
        time.sleep(1)
    if not supervisor.runtime.usb_connected:
        try:
            storage.remount("/", readonly=False)
        except RuntimeError:
            # "Cannot remount path when visible via USB.": the write that follows will say that it cannot.
            pass


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
    spi = busio.SPI(getattr(board, names["sck"]), MOSI=getattr(board, names["mosi"]))
    try:
        for role in ("cs", "dc", "reset", "busy"):
            pins[role] = digitalio.DigitalInOut(getattr(board, names[role]))
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
    # An alarm in the past raises.
    alarms = [alarm.time.TimeAlarm(epoch_time=max(until, now() + SOONEST_S))]
    button = PROFILE["buttons"].get("refresh")
    if button:
        try:
            alarms.append(alarm.pin.PinAlarm(getattr(board, button), value=False, pull=True))
        except (AttributeError, ValueError, RuntimeError, OSError):
            # Not every pin can wake every chip. Without a button the clock still wakes it.
            pass
    alarm.exit_and_deep_sleep_until_alarms(*alarms)
