"""boot_out.txt, where CircuitPython writes at each boot what it is (supervisor/shared/workflow.c, main.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# CircuitPython writes no more than that.
SIZE = 512
_VERSION = re.compile(r"CircuitPython (\d+)\.(\d+)\.(\d+)(\S*)")
_FIELD = re.compile(r"^(Board ID|UID|MAC):\s*(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class BootOut:
    """version: (major, minor, patch, rest), as (10, 3, 1, "-beta.0"). The others None where they are not said."""

    version: tuple[int, int, int, str]
    board_id: str | None
    uid: str | None

    @property
    def release(self) -> str:
        major, minor, patch, rest = self.version
        return f"{major}.{minor}.{patch}{rest}"


def parse(text: str) -> BootOut | None:
    """What it says; None if it is no boot_out.txt of CircuitPython."""
    version = _VERSION.search(text)
    if version is None:
        return None
    fields = dict(_FIELD.findall(text))
    major, minor, patch, rest = version.groups()
    return BootOut((int(major), int(minor), int(patch), rest), fields.get("Board ID"), fields.get("UID"))
