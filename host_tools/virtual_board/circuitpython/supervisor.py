"""What the firmware may ask of CircuitPython itself."""

from _link import call


class SafeModeReason:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return "supervisor.SafeModeReason." + self._name


for _name in (
    "NONE",
    "BROWNOUT",
    "FLASH_WRITE_FAIL",
    "GC_ALLOC_OUTSIDE_VM",
    "HARD_FAULT",
    "INTERRUPT_ERROR",
    "NLR_JUMP_FAIL",
    "NO_CIRCUITPY",
    "NO_HEAP",
    "PROGRAMMATIC",
    "SDK_FATAL_ERROR",
    "STACK_OVERFLOW",
    "USER",
    "WATCHDOG",
):
    setattr(SafeModeReason, _name, SafeModeReason(_name))


class Runtime:
    @property
    def usb_connected(self):
        return call("supervisor.usb_connected")

    @property
    def serial_connected(self):
        return call("supervisor.usb_connected")

    @property
    def safe_mode_reason(self):
        return getattr(SafeModeReason, call("supervisor.safe_mode_reason"))


runtime = Runtime()


def ticks_ms():
    # Wraps at 2^29 ms and starts 65.5 s before the wrap, so that code that forgets to wrap fails early.
    return (call("time.monotonic_ns") // 1000000 + 0x1FFF0000) & 0x1FFFFFFF


def get_setting(key, default=None):
    value = call("os.getenv", key)
    return default if value is None else value
