"""Ctrl-C that waits for a good moment."""

from __future__ import annotations

import signal
from types import FrameType


class Interrupt:
    """A context manager in which Ctrl-C, or SIGTERM, is noted and asked for; the second one ends the command.

    Raised in the midst of a wake, KeyboardInterrupt comes out of the file system's C code as a SystemError.
    """

    def __init__(self) -> None:
        self._wanted = False

    def is_wanted(self) -> bool:
        return self._wanted

    def __enter__(self) -> Interrupt:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._wanted:
            raise KeyboardInterrupt
        self._wanted = True
