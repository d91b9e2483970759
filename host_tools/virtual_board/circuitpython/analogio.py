"""Analog inputs, as 16 bits of the reference voltage, calibrated (ports/espressif/common-hal/analogio/AnalogIn.c)."""

from _link import call
from _pin import ClaimedPin


class AnalogIn(ClaimedPin):
    def __init__(self, pin):
        ClaimedPin.__init__(self, pin, "analog.claim")

    @property
    def value(self):
        self._check_deinited()
        return call("analog.read", self._name)

    @property
    def reference_voltage(self):
        return 3.3
