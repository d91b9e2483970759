"""Runs scripts in processes of their own (sandbox.py), and kills one that does not come back in time."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from host_tools.authority.errors import AuthorityError

# QuickJS ends a script after 0.2 s of processor. Where it cannot, where there are many, and where this machine is slow,
# this is the end: a request is to hang no longer than a second.
DEADLINE_S = 0.8
_START_S = 20
_MOST_PROCESSES = 4  # scripts at once; more requests wait their turn
_LARGEST_LINE = 512 * 1024
_DEEPEST = 64
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

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """A process for the scripts of one login, which share one deadline."""
        try:
            turn = Turn(self._idle.get(timeout=DEADLINE_S))
        except queue.Empty:  # others' scripts take all places
            raise Overrun from None
        try:
            if self._closed:
                raise Overrun
            yield turn
        finally:
            self._idle.put(turn.process)

    def ask(self, **asked: str) -> dict[str, Any]:
        """What sandbox.py answers, in a turn of its own. Raises Overrun."""
        with self.turn() as turn:
            return turn.ask(**asked)

    def close(self) -> None:
        """End all processes, once what they run has ended."""
        self._closed = True
        for _ in range(_MOST_PROCESSES):
            process = self._idle.get()
            if process is not None:
                process.end()
        for _ in range(_MOST_PROCESSES):
            self._idle.put(None)


class Turn:
    """`process`: the one that may be used again, or None."""

    def __init__(self, process: _Process | None) -> None:
        self.process = process
        self._ends_at: float | None = None

    def ask(self, **asked: str) -> dict[str, Any]:
        """What sandbox.py answers. Raises Overrun."""
        process, self.process = self.process, None
        try:
            if process is not None and process.has_ended():  # killed by the system while it waited
                process.end()
                process = None
            process = process or _Process()
            if self._ends_at is None:  # a start does not count
                self._ends_at = time.monotonic() + DEADLINE_S
            told = process.ask(asked, self._ends_at - time.monotonic())
        except BaseException:  # also of an interrupt: what this one would still answer must not be the next one's
            if process is not None:
                process.end()
            raise
        self.process = process
        return told


class _Process:
    def __init__(self) -> None:
        # -I: nothing of this program's folder or environment. No descriptor but its three is handed on.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_SANDBOX)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_SANDBOX.parent,
            env={"TZ": "UTC"},  # or getHours() would be this machine's
        )
        try:
            ready = self._line(_START_S)
        except Overrun:
            ready = b""
        if ready.strip() != b"ready":
            self.end()
            raise AuthorityError("the engine for rules and actions did not start; reinstall stoa (quickjs-ng)")

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def ask(self, asked: dict[str, str], deadline_s: float) -> dict[str, Any]:
        if deadline_s <= 0:
            raise Overrun
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as ended:
            raise Overrun from ended
        line = self._line(deadline_s)
        told = _readable(line)
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


def _readable(line: bytes) -> Any:
    """JSON that goes into records, tokens and addresses: half of a surrogate pair is a ? there, and what is nested
    deeper than any of their encoders goes is refused here, where it is the script's fault."""
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace").decode()
        return json.loads(text) if _depth(text) <= _DEEPEST else None
    except (ValueError, RecursionError):
        return None


def _depth(text: str) -> int:
    """How deep lists and objects are nested."""
    depth = deepest = 0
    for sign in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (sign in "[{") - (sign in "]}")
        deepest = max(deepest, depth)
    return deepest
