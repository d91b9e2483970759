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
# Longer than any one thing a wake waits for: 40 s for BUSY, 30 s for an exchange, 15 s to join.
WATCHDOG_S = 120
# A code may live for half an hour (auth.device_grant.LIFETIME_MAX_S), a push before it for two minutes
# (auth.push.LIFETIME_S); all else takes a minute or two.
AWAKE_LIMIT_MS = 2280 * 1000


def now():
    """Epoch seconds by the board's real-time clock, an int."""
    return time.time()


def set_clock(moment):
    """Set the real-time clock to epoch seconds."""
    import rtc

    rtc.RTC().datetime = time.localtime(moment)


def clock_is_set():
    return time.time() >= CLOCK_IS_SET_S


def milliseconds():
    """An int that only grows, for deadlines."""
    return time.monotonic_ns() // 1000000


# Not zero where the sleep before was pretended.
BEGAN_MS = milliseconds()
_watchdog = None


def awake_ms():
    """How long this wake has lasted."""
    return milliseconds() - BEGAN_MS


def wait(seconds):
    """Sleep awake, however long: the watchdog is fed, until the wake has lasted AWAKE_LIMIT_MS."""
    while seconds > 0:
        step = min(seconds, WATCHDOG_S // 4)
        time.sleep(step)
        seconds -= step
        feed_watchdog()


def start_watchdog():
    """From here on a wake that hangs ends in a reset, where the chip's watchdog can be had."""
    global _watchdog
    try:
        import microcontroller
        from watchdog import WatchDogMode

        microcontroller.watchdog.timeout = WATCHDOG_S
        microcontroller.watchdog.mode = WatchDogMode.RESET
        _watchdog = microcontroller.watchdog
    except (ImportError, AttributeError, ValueError, RuntimeError, NotImplementedError):
        # Better an unwatched wake than none.
        pass


def feed_watchdog():
    if _watchdog is not None and awake_ms() < AWAKE_LIMIT_MS:
        _watchdog.feed()


def sleep_memory():
    return alarm.sleep_memory


def nvm():
    import microcontroller

    return microcontroller.nvm


def open_file(path, mode="r"):
    """`open`, after making the drive writable if it has to be written; OSError where it cannot be."""
    if "+" in mode:
        make_drive_writable()
    return open(path, mode)


def make_drive_writable():
    """Do this before what is to be written can arrive: at power-on it takes seconds.

    On boards with native USB the drive is read-only to code until it is remounted, which is for us to do only when
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


def deep_sleep(until, button=True):
    """Sleep until the clock says `until` (epoch s), or the button is pressed unless `button` is False.

    Never comes back: the next thing to run is code.py.
    """
    if _watchdog is not None:
        # It ends with the sleep, but not with the pretended one while a computer is attached.
        _watchdog.mode = None
    # An alarm in the past raises.
    alarms = [alarm.time.TimeAlarm(epoch_time=max(until, now() + SOONEST_S))]
    name = PROFILE["buttons"].get("refresh")
    if name and button:
        try:
            # An input-only pin has no pull-up and refuses to be asked for it (CircuitPython, PinAlarm.c).
            pull = name not in PROFILE["input_only"]
            alarms.append(alarm.pin.PinAlarm(getattr(board, name), value=False, pull=pull))
        except (AttributeError, ValueError, RuntimeError, OSError):
            # Not every pin can wake every chip. Without a button the clock still wakes it.
            pass
    alarm.exit_and_deep_sleep_until_alarms(*alarms)
