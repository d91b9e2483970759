"""Processor, nvm, watchdog and reset. A pin is known to the bench by its board name."""

from _link import call
from watchdog import WatchDogTimer


class Pin:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return "board." + self._name


class ResetReason:
    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return "microcontroller.ResetReason." + self._name


for _name in ("POWER_ON", "BROWNOUT", "SOFTWARE", "DEEP_SLEEP_ALARM", "WATCHDOG"):
    setattr(ResetReason, _name, ResetReason(_name))


class Processor:
    @property
    def uid(self):
        return bytearray(call("cpu.uid"))

    @property
    def reset_reason(self):
        return getattr(ResetReason, call("cpu.reset_reason"))


class ByteArray:
    """A byte store on the bench, as `nvm.ByteArray` and `alarm.SleepMemory` are: indexed by int or slice.

    One assignment is one write, whatever its size.
    """

    def __init__(self, store):
        self._store = store
        self._size = call(store + ".size")

    def __len__(self):
        return self._size

    def __getitem__(self, index):
        if isinstance(index, slice):
            start, stop = self._span(index)
            return bytearray(call(self._store + ".read", start, stop - start))
        return call(self._store + ".read", self._at(index), 1)[0]

    def __setitem__(self, index, value):
        if isinstance(index, slice):
            start, stop = self._span(index)
            if len(value) != stop - start:
                raise ValueError("Slice and value different lengths.")
            call(self._store + ".write", start, value)
        else:
            call(self._store + ".write", self._at(index), bytes([value]))

    def _at(self, index):
        if index < 0:
            index += self._size
        if not 0 <= index < self._size:
            raise IndexError("index out of range")
        return index

    def _span(self, index):
        if index.step not in (None, 1):
            raise NotImplementedError("only slices with step=1 (aka None) are supported")
        start = 0 if index.start is None else index.start
        stop = self._size if index.stop is None else index.stop
        if start < 0:
            start += self._size
        if stop < 0:
            stop += self._size
        stop = min(stop, self._size)
        start = min(start, stop)
        return start, stop


cpu = Processor()
nvm = ByteArray("nvm")
watchdog = WatchDogTimer()


def reset():
    call("cpu.reset")
