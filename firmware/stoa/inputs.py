"""What the board can be asked: why it woke, who it is, its battery, and whether a button is held."""

import time

import alarm
import board

from stoa.hardware import PROFILE, milliseconds

# Held at boot, by somebody who just switched it on; and from sleep, where the same button asks for a quote.
WIPE_HOLD_MS = {"boot": 3000, "button": 10000}
WIPE_STUCK_MS = 60000


def woken_by():
    """ "alarm", "button", "watchdog" after it ended a wake, or "boot" after power-on or another reset."""
    cause = alarm.wake_alarm
    if cause is None:
        import microcontroller

        reason = microcontroller.cpu.reset_reason
        return "watchdog" if reason == microcontroller.ResetReason.WATCHDOG else "boot"
    return "button" if hasattr(cause, "pin") else "alarm"


def uid():
    """The chip's identity, bytes."""
    import microcontroller

    return bytes(microcontroller.cpu.uid)


def battery_mv():
    """The battery's voltage in millivolts, or None where the board cannot measure it."""
    power = PROFILE["power"]
    if "battery_pin" not in power:
        return None
    import analogio

    pin = analogio.AnalogIn(getattr(board, power["battery_pin"]))
    try:
        return pin.value * power["battery_scale_mv"] // 65536
    finally:
        pin.deinit()


def wipe_held(woken):
    """Whether the owner held the button that forgets the pairing, long enough, and let go; `woken` as woken_by says it.

    Where it is the chip's boot button it cannot be held through a reset, which would start the chip's own loader:
    there the display is woken by it.
    """
    name = PROFILE["buttons"].get("wipe")
    if not name or woken not in WIPE_HOLD_MS or (woken == "button" and name != PROFILE["buttons"]["refresh"]):
        return False
    import digitalio

    pin = digitalio.DigitalInOut(getattr(board, name))
    try:
        pin.switch_to_input(pull=None if name in PROFILE["input_only"] else digitalio.Pull.UP)
        held_since = milliseconds()
        while not pin.value:
            if milliseconds() - held_since > WIPE_STUCK_MS:
                # Nobody holds a button so long: it is stuck, and that must not cost the pairing.
                return False
            time.sleep(0.1)
        return milliseconds() - held_since >= WIPE_HOLD_MS[woken]
    finally:
        pin.deinit()
