"""What the firmware may ask of CircuitPython itself."""

from _link import call


class SafeModeReason:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return "supervisor.SafeModeReason." + self._name


# Of the others, which are more than a small heap should hold, `safe_mode_reason` makes one where it has to.
for _name in ("NONE", "BROWNOUT", "HARD_FAULT", "PROGRAMMATIC", "USER"):
    setattr(SafeModeReason, _name, SafeModeReason(_name))


class Runtime:
    @property
    def usb_connected(self):
        return call("supervisor.usb_connected")

    @property
    def safe_mode_reason(self):
        name = call("supervisor.safe_mode_reason")
        return getattr(SafeModeReason, name, None) or SafeModeReason(name)


runtime = Runtime()
