"""SPI: the bytes that reach whatever is selected on the bus."""

from _link import call

_WHOLE = 0x7FFFFFFF


class SPI:
    def __init__(self, clock, MOSI=None, MISO=None, half_duplex=False):
        self._names = [pin._name for pin in (clock, MOSI, MISO) if pin is not None]
        for name in self._names:
            call("pin.claim", name)
        self._locked = False

    def deinit(self):
        for name in self._names:
            call("pin.release", name)
        self._names = []

    def configure(self, *, baudrate=100000, polarity=0, phase=0, bits=8):
        self._check_lock()

    def try_lock(self):
        if self._locked:
            return False
        self._locked = True
        return True

    def unlock(self):
        self._locked = False

    def write(self, buffer, *, start=0, end=_WHOLE):
        self._check_lock()
        end = min(end, len(buffer))
        call("spi.write", buffer if start == 0 and end == len(buffer) else memoryview(buffer)[start:end])

    def readinto(self, buffer, *, start=0, end=_WHOLE, write_value=0):
        end = min(end, len(buffer))
        self.write(bytes([write_value]) * (end - start))
        # No panel here drives MISO: the line floats high.
        for i in range(start, end):
            buffer[i] = 0xFF

    def write_readinto(self, out_buffer, in_buffer, *, out_start=0, out_end=_WHOLE, in_start=0, in_end=_WHOLE):
        out_end = min(out_end, len(out_buffer))
        in_end = min(in_end, len(in_buffer))
        if out_end - out_start != in_end - in_start:
            raise ValueError("buffer slices must be of equal length")
        self.write(out_buffer, start=out_start, end=out_end)
        for i in range(in_start, in_end):
            in_buffer[i] = 0xFF

    def _check_lock(self):
        if not self._locked:
            raise RuntimeError("Function requires lock")
