"""The watchdog timer; its one instance is `microcontroller.watchdog`.

Without `deinit`, which CircuitPython 10 dropped: `mode = None` stops it in 9 and 10.
"""

import _link
from _link import call


class WatchDogTimeout(Exception):
    pass


# The bench raises it by name, in whichever call the time runs out.
_link._ERRORS["WatchDogTimeout"] = WatchDogTimeout


class WatchDogMode:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return "watchdog.WatchDogMode." + self._name


WatchDogMode.RAISE = WatchDogMode("RAISE")
WatchDogMode.RESET = WatchDogMode("RESET")


class WatchDogTimer:
    def __init__(self):
        self._timeout = 0

    def feed(self):
        call("watchdog.feed")

    @property
    def timeout(self):
        return self._timeout

    @timeout.setter
    def timeout(self, seconds):
        if seconds < 0:
            raise ValueError("timeout must be >= 0")
        if seconds * 1000 > 0xFFFFFFFF:
            raise ValueError("timeout must be <= 4294967")
        call("watchdog.timeout", int(seconds * 1000))
        self._timeout = seconds

    @property
    def mode(self):
        name = call("watchdog.mode")
        return None if name is None else getattr(WatchDogMode, name)

    @mode.setter
    def mode(self, mode):
        call("watchdog.set_mode", None if mode is None else mode._name)
