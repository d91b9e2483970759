"""The clocks Stoa runs on. A clock belongs to nobody: the command line makes one and hands it to all who need it.

Times are integers of nanoseconds since 1970-01-01 UTC, so that no part of the system ever meets a rounded
float (a board's float has 22 bits of mantissa; see docs/decisions.md).

Three behaviours, one interface:

=============  ==========================  =====================================
clock          `sleep_ns` (device awake)   `skip_ns` (device in deep sleep)
=============  ==========================  =====================================
RealClock      waits                       waits
SkipSleepClock waits                       jumps
VirtualClock   jumps                       jumps
=============  ==========================  =====================================
"""

from __future__ import annotations

import threading
import time
from typing import Protocol

NS = 1_000_000_000


class Clock(Protocol):
    """What the authority and the virtual board may know of time."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...

    def sleep_ns(self, duration_ns: int) -> None:
        """Let time pass while something is awake and waiting."""
        ...

    def skip_ns(self, duration_ns: int) -> None:
        """Let time pass while the device is in deep sleep."""
        ...


def now_s(clock: Clock) -> int:
    """Whole seconds since 1970-01-01 UTC."""
    return clock.now_ns() // NS


class RealClock:
    """The time of the machine; every wait is a real one."""

    def now_ns(self) -> int:
        return time.time_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        if duration_ns > 0:
            time.sleep(duration_ns / NS)

    def skip_ns(self, duration_ns: int) -> None:
        self.sleep_ns(duration_ns)


class SkipSleepClock(RealClock):
    """Real time while the device is awake; deep sleep takes none.

    For a person or a foreign server on the other side, who live in real time.
    """

    def __init__(self) -> None:
        self._skipped_ns = 0
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        with self._lock:
            return time.time_ns() + self._skipped_ns

    def skip_ns(self, duration_ns: int) -> None:
        if duration_ns > 0:
            with self._lock:
                self._skipped_ns += duration_ns


class VirtualClock:
    """Time moves only when somebody sleeps. Only for runs in which everybody shares this very clock."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        with self._lock:
            return self._now_ns

    def sleep_ns(self, duration_ns: int) -> None:
        if duration_ns > 0:
            with self._lock:
                self._now_ns += duration_ns

    def skip_ns(self, duration_ns: int) -> None:
        self.sleep_ns(duration_ns)
