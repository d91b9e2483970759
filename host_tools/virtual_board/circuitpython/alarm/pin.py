"""Wake when a pin has a level (ESP32 chips cannot wake on an edge)."""

import microcontroller


class PinAlarm:
    def __init__(self, pin, value, edge=False, pull=False):
        if edge:
            raise ValueError("Cannot wake on pin edge. Only level.")
        self.pin = pin
        self.value = value
        self._pull = pull

    def _wire(self):
        return ("pin", self.pin._name, bool(self._pull))


def _named(name):
    return microcontroller.Pin(name)
