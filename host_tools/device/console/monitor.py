"""A board's console for as long as one likes: through resets, and through sleeps in which its port goes and comes back.

A board's own USB goes with it into deep sleep, and may come back under another name; what it prints before the port is
open again is lost, for CircuitPython does not keep it. Behind a UART bridge the port stays.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from host_tools.device.console.console_lines import Lines
from host_tools.device.console.masking import mask
from host_tools.device.errors import DeviceError

# A daily wake is over in some seconds, and its first lines come within one of the port.
LOOK_AGAIN_S = 0.1
# udev needs a moment to give a new port to its group; then it is worth telling.
TRIES_BEFORE_TOLD = 50


class Port(Protocol):
    """As much of serial.Serial. `read` returns what has come, in a while b"" if nothing does; OSError if it is gone."""

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1, /) -> bytes: ...


OpenPort = TypeVar("OpenPort", bound=Port)


@dataclass(frozen=True)
class Said:
    """A line of the console, masked. time: when its end came, in UTC."""

    time: datetime
    line: str


@dataclass(frozen=True)
class Gone:
    """The port has gone: the board sleeps, is being reset, or was unplugged."""

    time: datetime
    port: str


@dataclass(frozen=True)
class CannotOpen:
    """The port is back and cannot be opened; it is tried on."""

    time: datetime
    why: str


@dataclass(frozen=True)
class Opened:
    """The port is open, for the first time or again; it may have another name."""

    time: datetime
    port: str


Event = Opened | Said | Gone | CannotOpen


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Monitor(Generic[OpenPort]):
    """open_port: PortInUse or NoBoard if it cannot. find: the port's name now, None while it is gone. wait: seconds.

    is_away: the port may be gone at the beginning already, as after a reset, and is waited for.
    """

    port: str
    open_port: Callable[[str], OpenPort]
    close_port: Callable[[OpenPort], None]
    find: Callable[[], str | None]
    now: Callable[[], datetime] = now_utc
    wait: Callable[[float], None] = time.sleep
    is_away: bool = False

    def events(self) -> Generator[Event, None, None]:
        """What happens, without an end. DeviceErrors of the first opening. Closing the iterator closes the port."""
        name = self.port
        if self.is_away:
            name, port = yield from self._opened_again()
        else:
            port = self.open_port(name)
        while True:
            try:
                yield Opened(self.now(), name)
                yield from self._lines(port)
            finally:
                self.close_port(port)
            yield Gone(self.now(), name)
            name, port = yield from self._opened_again()

    def _lines(self, port: OpenPort) -> Iterator[Said]:
        """Until the port is gone."""
        lines = Lines()
        # pyserial's SerialException is an OSError.
        with contextlib.suppress(OSError):
            while True:
                data = port.read(max(1, port.in_waiting))
                for line in lines.feed(data):
                    yield Said(self.now(), mask(line))
        for line in lines.end():
            yield Said(self.now(), mask(line))

    def _opened_again(self) -> Generator[Event, None, tuple[str, OpenPort]]:
        tries = 0
        while True:
            self.wait(LOOK_AGAIN_S)
            name = self.find()
            if name is None:
                tries = 0
                continue
            try:
                return name, self.open_port(name)
            except DeviceError as error:
                tries += 1
                if tries == TRIES_BEFORE_TOLD:
                    yield CannotOpen(self.now(), str(error))
