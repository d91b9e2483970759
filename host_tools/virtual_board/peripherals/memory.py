"""The two byte stores beside the drive: nvm in flash, and sleep memory in the chip's always-on part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host_tools.virtual_board.state import Bytes


class ByteStore:
    """`content` under the link's prefix `name`. Counts writes: nvm wears by each one, whatever its size."""

    def __init__(self, name: str, content: Bytes) -> None:
        self._name = name
        self._content = content
        self.writes = 0

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            f"{self._name}.size": lambda: len(self._content),
            f"{self._name}.read": lambda start, size: bytes(self._content[start : start + size]),
            f"{self._name}.write": self._write,
        }

    def _write(self, start: int, data: bytes) -> None:
        self._content[start : start + len(data)] = data
        self.writes += 1
