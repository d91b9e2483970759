"""What a board draws from its battery: the sum of current times time over the states seen on the link.

In integers of microamp-nanoseconds, so that a year adds up exactly. The currents are the board file's ([power]).
"""

from __future__ import annotations

from host_tools.boards import Power
from host_tools.clock import Clock

MS = 1_000_000
# Microamp-nanoseconds in a milliamp-hour.
MAH = 1_000 * 3_600 * 1_000_000_000
OFF, BOOT, IDLE, RADIO, JOINING, SLEEP = "off", "boot", "idle", "radio", "joining", "sleep"


class Meter:
    """Charge since it was made.

    What lasts is a state and is charged by the clock. A panel's refresh and an HTTP request are charged whole when they
    happen: the one goes on while the board does other things, and while the other is open a virtual clock stands still.
    """

    def __init__(self, power: Power, clock: Clock, state: str = OFF) -> None:
        self._power = power
        self._clock = clock
        self._state = state
        self._since_ns = clock.now_ns()
        self._charge = 0
        awake = power.awake_ua
        self._current_ua = {
            OFF: 0,
            BOOT: power.boot_ua,
            IDLE: awake,
            RADIO: awake + power.radio_ua,
            JOINING: awake + power.radio_ua + power.joining_ua,
            SLEEP: power.sleep_ua,
        }

    def change(self, state: str) -> None:
        """The board is in this state from now on."""
        now = self._clock.now_ns()
        self._charge += self._current_ua[self._state] * (now - self._since_ns)
        self._since_ns = now
        self._state = state

    def refresh(self, milliseconds: int) -> None:
        self._charge += self._power.refresh_ua * milliseconds * MS

    def request(self) -> None:
        self._charge += self._current_ua[RADIO] * self._power.request_ms * MS

    def charge(self) -> int:
        """Microamp-nanoseconds up to now."""
        self.change(self._state)
        return self._charge

    def mah(self) -> float:
        """Milliamp-hours up to now."""
        return self.charge() / MAH
