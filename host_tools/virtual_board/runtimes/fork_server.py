"""A CPython that is up and waiting, and forks a child for each wake.

Starting an interpreter and compiling the drive's sources took four fifths of a wake. Here both are done once: the
server (cpython_boot.py) has the interpreter up, and remembers what its children compiled by the very source they read
from the drive. Each wake is still a process of its own, which can be killed at any call and leaves nothing behind.
The server ends, and its children with it, when this end of its control socket is closed, be it by SIGKILL.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import socket
import struct
import sys
import tempfile
import threading
from pathlib import Path

from host_tools.virtual_board.runtimes.process import ENVIRONMENT, ROM

# In the server: 3 and 4 are kept for the children's link.
CONTROL, COMPILED = 5, 6


class ForkServer:
    """`start` forks a child for a wake. Threads may share it."""

    def __init__(self, built_in: Path) -> None:
        self.owner = os.getpid()
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        boot = Path(__file__).with_name("cpython_boot.py")
        # -I -S: nothing of the host's environment; -B: no bytecode beside our sources; -u: the console at once.
        command = [sys.executable, "-I", "-S", "-B", "-u", str(boot), str(ROM), str(built_in)]
        with theirs, tempfile.TemporaryFile() as compiled:
            # All its writers share the file, and one may leave it cut short.
            fcntl.fcntl(compiled, fcntl.F_SETFL, os.O_APPEND)
            ends = [fcntl.fcntl(end.fileno(), fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs, compiled)]
        try:
            self._pid = os.posix_spawn(
                command[0],
                command,
                ENVIRONMENT,
                file_actions=[
                    *((os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 3, 4)),
                    (os.POSIX_SPAWN_DUP2, ends[0], CONTROL),
                    (os.POSIX_SPAWN_DUP2, ends[1], COMPILED),
                ],
            )
        finally:
            for end in ends:
                os.close(end)
        atexit.register(self.close)

    def start(self, link: int, console: int) -> ForkedChild:
        with self._lock:
            socket.send_fds(self._control, [b"start"], [link, console])
            return ForkedChild(self, self._answer())

    def kill(self, pid: int) -> int:
        with self._lock:
            self._control.sendall(b"kill " + struct.pack("<i", pid))
            return self._answer()

    def close(self) -> None:
        self._control.close()
        if self.owner == os.getpid():
            os.waitpid(self._pid, 0)

    def _answer(self) -> int:
        answer = self._control.recv(4)
        if len(answer) < 4:
            raise RuntimeError("the interpreter that runs the firmware has ended; its last words are above")
        number: int = struct.unpack("<i", answer)[0]
        return number


class ForkedChild:
    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server = server
        self.pid = pid

    def kill(self) -> int:
        return os.waitstatus_to_exitcode(self._server.kill(self.pid))


_servers: dict[Path, ForkServer] = {}
_servers_lock = threading.Lock()


def fork_server(built_in: Path) -> ForkServer:
    """This process's server for the libraries of `built_in`; one is enough for any number of boards."""
    with _servers_lock:
        server = _servers.get(built_in)
        if server is None or server.owner != os.getpid():
            server = _servers[built_in] = ForkServer(built_in)
        return server
