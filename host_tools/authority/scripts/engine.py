"""Runs scripts in processes of their own (sandbox.py), and kills one that does not come back in time."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from host_tools.authority.errors import AuthorityError

# QuickJS ends a script after 0.2 s of processor. Where it cannot, and where this machine is slow, this is the end: a
# request is to hang no longer than a second.
DEADLINE_S = 0.8
_START_S = 20
_MOST_PROCESSES = 4  # scripts at once; more requests wait their turn
_LARGEST_LINE = 512 * 1024
_SANDBOX = Path(__file__).parent / "sandbox.py"


class Overrun(Exception):
    """A script's process did not come back, or ended, and is gone."""


class Engine:
    """Processes are started when they are first needed, and wait for the next script. Safe from any thread."""

    def __init__(self) -> None:
        # Each place holds a process that waits, or None for one that is to be started. The last that was used is taken
        # first, so that no more are started than are needed at once.
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(_MOST_PROCESSES):
            self._idle.put(None)
        self._closed = False

    def ask(self, **asked: str) -> dict[str, Any]:
        """What sandbox.py answers. Raises Overrun."""
        process = self._idle.get()
        try:
            if self._closed:
                raise Overrun
            process = process or _Process()
            return process.ask(asked)
        except BaseException:  # also of an interrupt: what this one would still answer must not be the next one's
            if process is not None:
                process.end()
            process = None
            raise
        finally:
            self._idle.put(process)

    def close(self) -> None:
        """End all processes, once what they run has ended."""
        self._closed = True
        for _ in range(_MOST_PROCESSES):
            process = self._idle.get()
            if process is not None:
                process.end()
        for _ in range(_MOST_PROCESSES):
            self._idle.put(None)


class _Process:
    def __init__(self) -> None:
        # -I: nothing of this program's folder or environment. No descriptor but its three is handed on.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_SANDBOX)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_SANDBOX.parent,
            env={},
        )
        try:
            ready = self._line(_START_S)
        except Overrun:
            ready = b""
        if ready.strip() != b"ready":
            self.end()
            raise AuthorityError("the engine for rules and actions did not start; reinstall stoa (quickjs-ng)")

    def ask(self, asked: dict[str, str]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as ended:
            raise Overrun from ended
        line = self._line(DEADLINE_S)
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        # A script may have changed what its harness writes with.
        return told if isinstance(told, dict) else {"fault": "left nothing that can be read"}

    def _line(self, deadline_s: float) -> bytes:
        """Its next line. Past the deadline it is killed, which ends the wait on every system."""
        assert self._process.stdout is not None
        watchdog = threading.Timer(deadline_s, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline(_LARGEST_LINE)
        finally:
            watchdog.cancel()
        if not line.endswith(b"\n"):
            raise Overrun
        return line

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process.wait()
