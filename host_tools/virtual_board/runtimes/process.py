"""One run of the firmware as an operating-system process."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from host_tools.virtual_board.link import Link

LINK_IN, LINK_OUT = 3, 4
ROM = Path(__file__).parent.parent / "circuitpython"
ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}


class Child(Protocol):
    """A process that runs firmware."""

    pid: int

    def kill(self) -> int:
        """End it at once if it still runs, and return its exit status."""
        ...


class Runtime(Protocol):
    """Something that can run a board's firmware: from source, or from bytecode where it has an `mpy_cross`."""

    name: str
    mpy_cross: Path | None

    def start(self, built_in: Path, on_console: Callable[[str], None]) -> FirmwareProcess:
        """Begin a wake. `built_in` holds the libraries CircuitPython carries in its core."""
        ...


class FirmwareProcess:
    """A running interpreter, its link and its console.

    start: makes the process, given the descriptors of its end of the link and of its console, which remain the
    caller's. on_end is called when it has ended. The console is read by a thread line by line, so that a chatty
    firmware never blocks on a full pipe.
    """

    def __init__(
        self,
        start: Callable[[int, int], Child],
        on_console: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        ours, theirs = socket.socketpair()
        console_out, console_in = os.pipe()
        try:
            self._child = start(theirs.fileno(), console_in)
        except BaseException:
            ours.close()
            os.close(console_out)
            raise
        finally:
            theirs.close()
            os.close(console_in)
        self.link = Link(ours)
        self._on_end = on_end
        self._failed: list[BaseException] = []
        self._console = threading.Thread(
            target=_read_lines, args=(console_out, on_console, self._failed.append), daemon=True
        )
        self._console.start()
        self._exit: int | None = None
        self._affinity = _share_processor(self._child.pid)

    def end(self) -> int:
        """Cut the power if it still runs, wait for the console's last line, and return the exit status.

        Raises what `on_console` raised, if it did.
        """
        if self._exit is None:
            try:
                self._exit = self._child.kill()
                if self._affinity:
                    os.sched_setaffinity(0, self._affinity)
                self._console.join()
                self.link.close()
            finally:
                self._on_end()
            if self._failed:
                raise self._failed[0]
        return self._exit


class SpawnedChild:
    """A program of its own, with the link on descriptors 3 and 4."""

    def __init__(self, command: Sequence[str], link: int, console: int) -> None:
        # Above 9: a descriptor that already is 3 or 4 would be closed at exec by its own flag.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (link, console)]
        dup2 = os.POSIX_SPAWN_DUP2
        try:
            self.pid = os.posix_spawn(
                command[0],
                list(command),
                ENVIRONMENT,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (dup2, ends[1], 1),
                    (dup2, ends[1], 2),
                    (dup2, ends[0], LINK_IN),
                    (dup2, ends[0], LINK_OUT),
                ],
            )
        finally:
            for end in ends:
                os.close(end)

    def kill(self) -> int:
        os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _share_processor(pid: int) -> set[int]:
    """Keep this thread and process `pid` on the processor the thread is on; return where the thread may run else.

    One of the two always waits for the other. A call took 77 us with the child on the second processor of two and
    takes 19 us on the same one: waking an idle processor is what cost the time. Empty where the system cannot.
    """
    try:
        processor = int(Path("/proc/thread-self/stat").read_bytes().rpartition(b")")[2].split()[36])
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(pid, {processor})
        os.sched_setaffinity(0, {processor})
    except (AttributeError, OSError, LookupError, ValueError):
        return set()
    return before


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
