"""One run of the firmware as an operating-system process."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from host_tools.virtual_board.link import Link

LINK_IN, LINK_OUT = 3, 4
ROM = Path(__file__).parent.parent / "circuitpython"


class Runtime(Protocol):
    """Something that can run a board's firmware."""

    name: str

    def command(self, built_in: Path) -> Sequence[str]:
        """The program and arguments of one wake. `built_in` holds the libraries CircuitPython carries in its core."""
        ...


class FirmwareProcess:
    """A running interpreter, its link and its console.

    The console is read by a thread line by line, so that a chatty firmware never blocks on a full pipe.
    """

    def __init__(self, command: Sequence[str], on_console: Callable[[str], None]) -> None:
        to_device, from_bench = _pipe()
        to_bench, from_device = _pipe()
        console_out, console_in = _pipe()
        dup2 = os.POSIX_SPAWN_DUP2
        self._pid = os.posix_spawn(
            command[0],
            list(command),
            {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (dup2, console_in, 1),
                (dup2, console_in, 2),
                (dup2, to_device, LINK_IN),
                (dup2, from_device, LINK_OUT),
            ],
        )
        for theirs in (to_device, from_device, console_in):
            os.close(theirs)
        self._ours = (to_bench, from_bench)
        self.link = Link(to_bench, from_bench)
        self._failed: list[BaseException] = []
        self._console = threading.Thread(
            target=_read_lines, args=(console_out, on_console, self._failed.append), daemon=True
        )
        self._console.start()
        self._exit: int | None = None

    def end(self) -> int:
        """Cut the power if it still runs, wait for the console's last line, and return the exit status.

        Raises what `on_console` raised, if it did.
        """
        if self._exit is None:
            os.kill(self._pid, signal.SIGKILL)
            self._exit = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            self._console.join()
            for ours in self._ours:
                os.close(ours)
            if self._failed:
                raise self._failed[0]
        return self._exit


def _pipe() -> tuple[int, int]:
    """A pipe whose ends lie above 9: a descriptor that already is 3 or 4 would be closed at exec by its own flag."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]


def _read_lines(descriptor: int, on_line: Callable[[str], None], on_failure: Callable[[BaseException], None]) -> None:
    """To the end, whatever becomes of the listener: a console nobody reads would stop the firmware."""
    listening = True
    with os.fdopen(descriptor, "r", encoding="utf-8", errors="replace", newline="\n") as stream:
        for line in stream:
            if listening:
                try:
                    on_line(line.rstrip("\r\n"))
                except Exception as failure:
                    listening = False
                    on_failure(failure)
