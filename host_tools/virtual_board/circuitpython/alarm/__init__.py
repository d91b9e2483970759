"""Deep sleep and what ends it."""

from _link import call
from alarm import pin, time
from microcontroller import ByteArray

sleep_memory = ByteArray("sleep")


def _woken_by():
    cause = call("alarm.wake")
    if cause is None:
        return None
    if cause[0] == "pin":
        return pin.PinAlarm(pin._named(cause[1]), cause[2])
    return time._woken(cause[1])


wake_alarm = _woken_by()


def exit_and_deep_sleep_until_alarms(*alarms, preserve_dios=()):
    call("alarm.deep_sleep", [one._wire() for one in alarms])
    # The bench ends this process while the call is open: code after deep sleep never runs.
    raise SystemExit


def light_sleep_until_alarms(*alarms):
    cause = call("alarm.light_sleep", [one._wire() for one in alarms])
    return alarms[cause]
