"""Analog inputs, as 16 bits of the reference voltage, calibrated (ports/espressif/common-hal/analogio/AnalogIn.c)."""

from _link import call


class AnalogIn:
    def __init__(self, pin):
        self._name = pin._name
        call("analog.claim", self._name)

    def deinit(self):
        if self._name:
            call("pin.release", self._name)
            self._name = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.deinit()

    @property
    def value(self):
        if self._name is None:
            raise ValueError("Object has been deinitialized and can no longer be used. Create a new object.")
        return call("analog.read", self._name)

    @property
    def reference_voltage(self):
        return 3.3
