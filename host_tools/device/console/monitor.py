"""A board's console for as long as one likes: through resets, and through sleeps in which its port goes and comes back.

A board's own USB goes with it into deep sleep, and may come back under another name; what it prints before the port is
open again is lost, for CircuitPython does not keep it. Behind a UART bridge the port stays.

A board that hangs may have begun a line. That is told after a silence, without what may be half a secret; should the
board go on with it, the whole line is told too, for only a whole one can be masked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from host_tools.device.console.console_lines import CUT, Lines
from host_tools.device.console.masking import Masker
from host_tools.device.errors import DeviceError

# A daily wake is over in some seconds, and its first lines come within one of the port.
LOOK_AGAIN_S = 0.1
# udev needs a moment to give a new port to its group; then it is worth telling.
TRIES_BEFORE_TOLD = 50
# Longer than a board takes in the middle of a line, but for one that waits for something.
SILENCE = timedelta(seconds=2)


class Port(Protocol):
    """As much of serial.Serial. `read` returns what has come, in a while b"" if nothing does; OSError if it is gone."""

    @property
    def in_waiting(self) -> int: ...

    def read(self, size: int = 1, /) -> bytes: ...


OpenPort = TypeVar("OpenPort", bound=Port)


@dataclass(frozen=True)
class Said:
    """A line of the console, masked. time: when its end came, in UTC. is_whole: its end did come."""

    time: datetime
    line: str
    is_whole: bool = True


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
        """What happens, without an end. DeviceErrors of the first opening. Closing the iterator closes the port.

        A KeyboardInterrupt in it, or thrown into it, comes out again after the line that has begun.
        """
        name, masker = self.port, Masker()
        if self.is_away:
            name, port = yield from self._opened_again()
        else:
            port = self.open_port(name)
        while True:
            try:
                yield Opened(self.now(), name)
                yield from self._lines(port, masker)
            finally:
                self.close_port(port)
            yield Gone(self.now(), name)
            name, port = yield from self._opened_again()

    def _lines(self, port: OpenPort, masker: Masker) -> Iterator[Said]:
        """Until the port is gone."""
        lines, begun, is_told = Lines(), "", True
        silent_since: datetime | None = None
        ended: Iterator[str] = iter(())
        try:
            while True:
                heard = lines.feed(port.read(max(1, port.in_waiting)))
                ended = iter(heard)
                for line in ended:
                    yield Said(self.now(), masker.whole(line))
                if heard or lines.unfinished() != begun:
                    begun, silent_since = lines.unfinished(), None
                    is_told = not begun.strip()
                elif not is_told:
                    now = self.now()
                    silent_since = silent_since or now
                    if now - silent_since >= SILENCE:
                        is_told = True
                        yield _begun(now, masker.unfinished(begun))
        # pyserial's SerialException is one.
        except OSError:
            for line in lines.end():
                if not is_told or line != begun.rstrip():
                    yield Said(self.now(), masker.unfinished(line), is_whole=False)
        except KeyboardInterrupt:
            for line in ended:
                yield Said(self.now(), masker.whole(line))
            rest = lines.unfinished()
            if rest.strip() and not (is_told and rest == begun):
                yield _begun(self.now(), masker.unfinished(rest))
            raise

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


def _begun(now: datetime, masked: str) -> Said:
    return Said(now, masked.rstrip().removesuffix(CUT) + CUT, is_whole=False)
