"""Wake at a time: of the board's monotonic clock, or of its real-time clock."""

from _link import call


class TimeAlarm:
    def __init__(self, *, monotonic_time=None, epoch_time=None):
        if (monotonic_time is None) == (epoch_time is None):
            raise ValueError("Supply one of monotonic_time or epoch_time")
        now = call("time.monotonic_ns")
        if epoch_time is not None:
            self._at = now + (int(epoch_time) - call("time.time")) * 1000000000
        else:
            self._at = int(monotonic_time * 1000000000)
        if self._at < now:
            raise ValueError("Time is in the past.")
        self.monotonic_time = self._at / 1000000000

    def _wire(self):
        return ("time", self._at)


def _woken(at):
    woken = object.__new__(TimeAlarm)
    woken._at = at
    woken.monotonic_time = at / 1000000000
    return woken
