"""A pin that belongs to one object at a time, as on the board."""

from _link import call


class ClaimedPin:
    def __init__(self, pin, operation):
        self._name = pin._name
        call(operation, self._name)

    def deinit(self):
        if self._name:
            call("pin.release", self._name)
            self._name = None

    def _check_deinited(self):
        if self._name is None:
            raise ValueError("Object has been deinitialized and can no longer be used. Create a new object.")
