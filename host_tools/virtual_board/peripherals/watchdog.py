"""The watchdog timer: what the firmware waits for may not last past its deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host_tools.clock import Clock
from host_tools.virtual_board.link import DeviceFault

_MS = 1_000_000


class WatchdogReset(Exception):
    """Nobody fed it in time: the chip resets."""


class Watchdog:
    """A clock for all that the firmware waits for while awake: a wait ends where the watchdog bites.

    In RESET mode that raises WatchdogReset; in RAISE mode the firmware's call raises WatchDogTimeout, and the watchdog
    is off, as the port's esp_task_wdt_isr_user_handler has it (ports/espressif/common-hal/watchdog/WatchDogTimer.c).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mode: str | None = None
        self._timeout_ns = 0
        self._fed_ns = 0

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "watchdog.timeout": self._set_timeout,
            "watchdog.mode": lambda: self._mode,
            "watchdog.set_mode": self._set_mode,
            "watchdog.feed": self._feed,
        }

    @property
    def resets(self) -> bool:
        """Whether it is on, in RESET mode."""
        return self._mode == "RESET"

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def sleep_ns(self, duration_ns: int) -> None:
        """Let time pass; what the deadline raises, at the deadline."""
        left = self._left_ns()
        if left is None or duration_ns < left:
            self._clock.sleep_ns(duration_ns)
            return
        self._clock.sleep_ns(max(left, 0))
        self.check()

    def skip_ns(self, duration_ns: int) -> None:
        self._clock.skip_ns(duration_ns)

    def schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._clock.schedule(delay_ns, action)

    def check(self) -> None:
        """Raise what the deadline raises, if it has passed."""
        left = self._left_ns()
        if left is None or left > 0:
            return
        if self.resets:
            raise WatchdogReset
        self._mode = None
        raise DeviceFault("WatchDogTimeout", "")

    def hang(self) -> None:
        """A call that never returns: WatchdogReset, or nothing at all where there is no watchdog to end it."""
        if self.resets:
            self.sleep_ns(self._timeout_ns)

    def _left_ns(self) -> int | None:
        return None if self._mode is None else self._fed_ns + self._timeout_ns - self._clock.now_ns()

    def _feed(self) -> None:
        self._fed_ns = self._clock.now_ns()

    def _set_timeout(self, milliseconds: int) -> None:
        self._timeout_ns = milliseconds * _MS
        self._feed()

    def _set_mode(self, mode: str | None) -> None:
        if mode is not None and not self._timeout_ns:
            raise DeviceFault("ValueError", "timeout must be >= 1")
        if mode != self._mode:
            self._mode = mode
            self._feed()
