"""The bytes of a board's console, as lines of text: whole ones, without what is meant for a terminal.

CircuitPython sets the terminal's title (OSC 0, supervisor/shared/status_bar.c) and clears its line before code.py
(main.c); a program may send what it likes. None of it reaches this computer's terminal, or hides a word from the mask.
"""

from __future__ import annotations

import codecs
import re

# A board whose line speed is another sends noise without an end.
LONGEST = 4096
CUT = "…"
# ECMA-48: control sequences (5.4); strings, as OSC and DCS, with their end (5.6); all other escapes (5.3).
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
)
# What of it has no end before the line's.
_REST = re.compile(r"\x1b[\]PX^_].*|\x1b\[[0-?]*[ -/]*$")
# All controls but the tab; and those that Unicode writes from right to left with.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")
# The cut may go through a token, whose first half is no token by its looks.
_LAST_WORD = re.compile(r"(?<!\S)\S+$")


class Lines:
    """Bytes in, as they come; lines out, without the empty ones. A byte that is no UTF-8 is U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        self._skips = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` has ended."""
        *ended, self._begun = (self._begun + self._decoder.decode(data)).split("\n")
        lines = []
        for line in ended:
            if not self._skips:
                lines.append(_clean(line))
            self._skips = False
        lines = [line for line in lines if line]
        # Titles come without a line's end, for hours.
        self._begun = "" if self._skips else _SEQUENCE.sub("", self._begun)
        if len(self._begun) > LONGEST:
            lines.append(_LAST_WORD.sub("", _clean(self._begun[:LONGEST])) + CUT)
            self._begun, self._skips = "", True
        return lines

    def unfinished(self) -> str:
        """What has come of the line that has begun, with the spaces at its end; it will come again when it is whole."""
        return _plain(self._begun)

    def end(self) -> list[str]:
        """The line that had begun, if there is one: the board is gone, and what comes is another's."""
        begun = "" if self._skips else _clean(self._begun + self._decoder.decode(b"", final=True))
        self._begun, self._skips = "", False
        self._decoder.reset()
        return [begun] if begun else []


def _clean(line: str) -> str:
    return _plain(line).rstrip()


def _plain(line: str) -> str:
    return _CONTROL.sub("", _REST.sub("", _SEQUENCE.sub("", line)))
