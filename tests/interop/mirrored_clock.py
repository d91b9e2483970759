"""A virtual clock that programs in other languages can read: the time stands in a file of eight bytes."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

from host_tools.clock import VirtualClock


class MirroredClock(VirtualClock):
    """The file holds nanoseconds since 1970-01-01 UTC, little-endian; it is made here, and is right whenever a sleep
    has ended or an action begins. An aligned store of eight bytes is seen whole or not at all."""

    def __init__(self, start_ns: int, file: Path) -> None:
        super().__init__(start_ns)
        file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._stamp = memoryview(mmap.mmap(opened.fileno(), 8)).cast("Q")
        self.file = file
        self._mirror()

    def sleep_ns(self, duration_ns: int) -> None:
        super().sleep_ns(duration_ns)
        self._mirror()

    def set_ns(self, now_ns: int) -> None:
        super().set_ns(now_ns)
        self._mirror()

    def schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        def act() -> None:
            self._mirror()
            action()

        super().schedule(delay_ns, act)

    def _mirror(self) -> None:
        self._stamp[0] = self.now_ns()
