"""Digital pins."""

from _link import call
from _pin import ClaimedPin


class Direction:
    pass


Direction.INPUT = Direction()
Direction.OUTPUT = Direction()


class DriveMode:
    pass


DriveMode.PUSH_PULL = DriveMode()
DriveMode.OPEN_DRAIN = DriveMode()


class Pull:
    pass


Pull.UP = Pull()
Pull.DOWN = Pull()


class DigitalInOut(ClaimedPin):
    def __init__(self, pin):
        self._direction = Direction.INPUT
        self._pull = None
        ClaimedPin.__init__(self, pin, "pin.claim")

    def switch_to_output(self, value=False, drive_mode=DriveMode.PUSH_PULL):
        self._direction = Direction.OUTPUT
        call("pin.write", self._name, bool(value))

    def switch_to_input(self, pull=None):
        self._direction = Direction.INPUT
        self.pull = pull

    @property
    def direction(self):
        return self._direction

    @direction.setter
    def direction(self, direction):
        if direction is Direction.OUTPUT:
            self.switch_to_output()
        else:
            self.switch_to_input()

    @property
    def value(self):
        self._check_deinited()
        return call("pin.read", self._name)

    @value.setter
    def value(self, value):
        if self._direction is not Direction.OUTPUT:
            raise AttributeError("Cannot set value when direction is input.")
        self._check_deinited()
        call("pin.write", self._name, bool(value))

    @property
    def pull(self):
        return self._pull

    @pull.setter
    def pull(self, pull):
        self._pull = pull
        call("pin.pull", self._name, None if pull is None else pull is Pull.UP)
