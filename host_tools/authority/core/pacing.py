"""How often somebody may ask again who waits for a person: RFC 8628 3.5, and Auth0's mfa-oob grant likewise."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from host_tools.clock import NS

INTERVAL_S = 5  # RFC 8628 3.2: the default
SLOW_DOWN_S = 5  # RFC 8628 3.5: "the interval MUST be increased by 5 seconds"
_SWEPT_EACH = 4096


def too_soon(last_polled_at: int | None, interval_s: int, now: int) -> bool:
    """The first poll has nothing to be too close to: devices may ask at once (RFC 8628 sets no delay before it)."""
    return last_polled_at is not None and now - last_polled_at < interval_s * NS


@dataclass(frozen=True)
class Pace:
    """How one device code is polled, or one push's oob_code."""

    interval_s: int  # rises by 5 with each slow_down
    expires_at: int  # of the code
    last_polled_at: int | None = None


class Paces:
    """The pace of each code that has been polled, by the code's hash.

    They are in memory alone, which a restart forgets: a write for each poll took nearly half of its time (211 us with
    it, 111 without), and what is lost is at most that a device which hurried is let off. That is also what two threads
    may lose that poll one code at once, for a poll is two steps, `get` and `keep`: each is safe from any thread, both
    together are not one. Polls are answered on the event loop, where one follows the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paces: dict[str, Pace] = {}
        self._swept_at = _SWEPT_EACH

    def get(self, code_hash: str, interval_s: int, expires_at: int) -> Pace:
        return self._paces.get(code_hash) or Pace(interval_s, expires_at)

    def keep(self, code_hash: str, pace: Pace, now: int) -> None:
        with self._lock:
            self._paces[code_hash] = pace
            if len(self._paces) >= self._swept_at:
                self._paces = {each: kept for each, kept in self._paces.items() if now < kept.expires_at}
                self._swept_at = len(self._paces) + _SWEPT_EACH

    def image(self) -> dict[str, Pace]:
        """All of them, for `put_back`."""
        with self._lock:
            return dict(self._paces)

    def put_back(self, image: dict[str, Pace]) -> None:
        with self._lock:
            self._paces = dict(image)
