"""What a build of CircuitPython says of itself: in the name it is published by, and in strings that are in it.

Names are adafruit-circuitpython-<board id>-<language>-<version>.bin or .uf2. In the image lie the line that
boot_out.txt begins with, "Adafruit CircuitPython 10.3.1 on 2026-08-20; Adafruit MagTag with ESP32S2", and the board id,
both uncompressed (main.c, run_boot_py). That was read in the source, not seen in a published image: so the name
decides, and the content may only tell of a board that is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# What the firmware's portable subset was made for, and the release it was written against.
OLDEST, WRITTEN_FOR = (9, 0), "10.3.1"
_NAME = re.compile(r"adafruit-circuitpython-(?P<board>[^-]+)-(?P<language>\w+)-(?P<version>.+)\.(?:bin|uf2)$")
_BANNER = re.compile(
    rb"Adafruit CircuitPython (?P<version>[^\s\0]{1,60}) on \d{4}-\d\d-\d\d; (?P<name>[^\0\n]{1,80}?) with \w+"
)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Build:
    """board_id and board_name: where they are said. release: as written, "10.3.1"; version: its numbers."""

    board_id: str | None
    board_name: str | None
    release: str | None

    @property
    def version(self) -> tuple[int, int, int] | None:
        numbers = _VERSION.match(self.release or "")
        return (int(numbers[1]), int(numbers[2]), int(numbers[3])) if numbers else None


def identify(path: Path, content: bytes, known_ids: Iterable[str]) -> Build:
    """What the file's name says, and else what its content does. known_ids: of the boards to look for in it."""
    name = _NAME.match(path.name)
    banner = _BANNER.search(content)
    said = next((known for known in known_ids if _holds(content, known)), None)
    return Build(
        name["board"] if name else said,
        banner["name"].decode("utf-8", "replace") if banner else None,
        name["version"] if name else banner["version"].decode("ascii", "replace") if banner else None,
    )


def other_board(content: bytes, board_id: str, known_ids: Iterable[str]) -> str | None:
    """The known board that the content is for, if that is plainly another one."""
    if _holds(content, board_id):
        return None
    return next((known for known in known_ids if known != board_id and _holds(content, known)), None)


def file_name(board_id: str, suffix: str) -> str:
    """What to download, if not a newer one; suffix: ".bin" or ".uf2"."""
    return f"adafruit-circuitpython-{board_id}-en_US-{WRITTEN_FOR}{suffix}"


def page(board_id: str) -> str:
    return f"circuitpython.org/board/{board_id}"


def _holds(content: bytes, board_id: str) -> bool:
    """A C string by itself; it may be the end of another, for linkers merge those."""
    return re.search(rb"(?<![\w.])" + re.escape(board_id.encode()) + rb"\0", content) is not None
