"""How far a long run has come, on stderr."""

from __future__ import annotations

import sys
import time

# A terminal's line is written over; in a log each is a line of its own.
TERMINAL_S, LOG_S = 0.2, 10.0


class Progress:
    """A context manager; `on_day` is called with the number of each day that is over."""

    def __init__(self, days: int) -> None:
        self._days = days
        self._terminal = sys.stderr.isatty()
        self._told_at = time.monotonic()
        self._told = False

    def on_day(self, day: int) -> None:
        now = time.monotonic()
        if now - self._told_at < (TERMINAL_S if self._terminal else LOG_S):
            return
        self._told_at, self._told = now, True
        end = "\r" if self._terminal else "\n"
        print(f"day {day} of {self._days}", end=end, file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._told and self._terminal:
            print("\x1b[K", end="", file=sys.stderr, flush=True)
