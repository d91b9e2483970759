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

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
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

    def schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Have `action` called once that much waiting has passed: how a person takes part in a run."""
        ...


def now_s(clock: Clock) -> int:
    """Whole seconds since 1970-01-01 UTC."""
    return clock.now_ns() // NS


def utc_text(seconds: int) -> str:
    """Seconds since 1970-01-01 as people and scripts read them: 2026-11-22T21:44:27Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RealClock:
    """The time of the machine; every wait is a real one."""

    def now_ns(self) -> int:
        return time.time_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        if duration_ns > 0:
            time.sleep(duration_ns / NS)

    def skip_ns(self, duration_ns: int) -> None:
        self.sleep_ns(duration_ns)

    def schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        """`action` runs in a thread of its own."""
        timer = threading.Timer(delay_ns / NS, action)
        timer.daemon = True
        timer.start()


class SkipSleepClock(RealClock):
    """Real time while the device is awake; deep sleep takes none.

    For a person or a foreign server on the other side, who live in real time. least_ns: what of each deep sleep is
    waited for all the same.
    """

    def __init__(self, least_ns: int = 0) -> None:
        self._least_ns = least_ns
        self._skipped_ns = 0
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        with self._lock:
            return time.time_ns() + self._skipped_ns

    def skip_ns(self, duration_ns: int) -> None:
        waited = min(self._least_ns, duration_ns)
        self.sleep_ns(waited)
        if duration_ns > waited:
            with self._lock:
                self._skipped_ns += duration_ns - waited


class VirtualClock:
    """Time moves only when somebody sleeps. Only for runs in which everybody shares this very clock."""

    @classmethod
    def starting_now(cls) -> VirtualClock:
        """At the whole second that it really is."""
        return cls(time.time_ns() // NS * NS)

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._lock = threading.Lock()
        self._actions: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now_ns(self) -> int:
        with self._lock:
            return self._now_ns

    def sleep_ns(self, duration_ns: int) -> None:
        """Actions that fall into the sleep are called from here, each at its time; what they raise comes out here."""
        until = self.now_ns() + max(duration_ns, 0)
        while True:
            with self._lock:
                if not self._actions or self._actions[0][0] > until:
                    self._now_ns = max(self._now_ns, until)
                    return
                at, _, action = heapq.heappop(self._actions)
                self._now_ns = max(self._now_ns, at)
            action()

    def skip_ns(self, duration_ns: int) -> None:
        self.sleep_ns(duration_ns)

    def set_ns(self, now_ns: int) -> None:
        """Put it to any time, to begin a run again. What was scheduled belonged to the run before and is forgotten."""
        with self._lock:
            self._now_ns = now_ns
            self._actions.clear()

    def schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._actions, (self._now_ns + delay_ns, next(self._order), action))
