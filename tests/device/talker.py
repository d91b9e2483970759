"""A port with something on it that never is silent and takes no Ctrl-C: an ESP32 in a boot loop, a GPS."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import time
import tty

BOOT_LOOP = b"rst:0x7 (TG0WDT_SYS_RST),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\ninvalid header: 0xffffffff\r\n"
# It ends by itself, and a test that waits for its silence then fails and does not hang.
TALKS_S = 60.0


class Talker:
    """`port` is the pseudo-terminal's name while the context lasts. each_s: between two lines; 0 is a flood.

    lines: after which it says no more.
    """

    def __init__(self, each_s: float, lines: int = 1_000_000_000) -> None:
        self.each_s = each_s
        self.lines = lines

    def __enter__(self) -> Talker:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join(10)
        os.close(self._slave)
        os.close(self._master)

    @property
    def talks(self) -> bool:
        return self._thread.is_alive()

    def fill(self) -> None:
        """Nothing takes what is sent, and what lies between is full."""
        end = os.open(self.port, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        # The kernel moves it on from one buffer to the next.
        while select.select([], [end], [], 0.2)[1]:
            with contextlib.suppress(BlockingIOError):
                os.write(end, bytes(4096))
        os.close(end)

    def _talk(self) -> None:
        ends = time.monotonic() + TALKS_S
        for _ in range(self.lines):
            if time.monotonic() > ends or self._over.wait(self.each_s):
                return
            if select.select([], [self._master], [], 0.05)[1]:
                with contextlib.suppress(BlockingIOError):
                    os.write(self._master, BOOT_LOOP)
