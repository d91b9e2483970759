"""`stoa` in a terminal of its own: a pseudo-terminal, so that what a person would see and type is what is tested."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# getpass opens the controlling terminal; the child makes the one it was given its own.
_RUN = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from host_tools.cli import main
main(sys.argv[1:])
"""
_HANGS_S = 60
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A context manager. `shown` is everything the terminal has shown, what was typed and echoed included."""

    def __init__(self, arguments: list[str], **environment: str) -> None:
        self.shown = ""
        self._unread = ""
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "200", **environment},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def until(self, words: str) -> None:
        """Read until the terminal shows them."""
        while words not in self._unread:
            if not self._read():
                raise AssertionError(f"{words!r} was never shown; after it came to an end with: {self._unread!r}")
        self._unread = self._unread.partition(words)[2]

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def answer(self, words: str, text: str) -> None:
        self.until(words)
        # What comes before the prompt is ready would be echoed, or thrown away by getpass.
        self.until(": ")
        self.type(text + "\n")

    def end(self, key: str = "") -> int:
        """The exit code, once it has come to an end; `key` is pressed until it has.

        CPython's input() misses a Ctrl-C that comes just before it waits, and so does a person's first.
        """
        waited = 0
        while waited < _HANGS_S:
            self.type(key)
            while self._is_shown_more(1 if key else _HANGS_S):
                if not self._read():
                    return self._process.wait(_HANGS_S)
            waited += 1
        raise AssertionError(f"it does not end; the last was {self._unread!r}")

    def _is_shown_more(self, seconds: float) -> bool:
        return bool(select.select([self._master], [], [], seconds)[0])

    def _read(self) -> bool:
        if not self._is_shown_more(_HANGS_S):
            raise AssertionError(f"nothing more is shown; the last was {self._unread!r}")
        try:
            data = os.read(self._master, 4096)
        except OSError:
            # Linux's way to say that the other side is closed.
            return False
        text = _COLOUR.sub("", data.decode("utf-8", "replace"))
        self.shown += text
        self._unread += text
        return bool(data)
