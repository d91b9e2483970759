"""The two byte stores beside the drive: nvm in flash, and sleep memory in the chip's always-on part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host_tools.virtual_board.power import Supply
from host_tools.virtual_board.state import Bytes


class ByteStore:
    """`content` under the link's prefix `name`. supply: for a store in flash, where each write is an erase of all.

    Counts writes: nvm wears by each one, whatever its size.
    """

    def __init__(self, name: str, content: Bytes, supply: Supply | None = None) -> None:
        self._name = name
        self._content = content
        self._supply = supply
        self.writes = 0

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            f"{self._name}.size": lambda: len(self._content),
            f"{self._name}.read": lambda start, size: bytes(self._content[start : start + size]),
            f"{self._name}.write": self._write,
        }

    def _write(self, start: int, data: bytes) -> None:
        if start < 0 or start + len(data) > len(self._content):
            raise ValueError(f"{len(data)} bytes at {start} do not fit")
        self.writes += 1
        if self._supply is None:
            self._content[start : start + len(data)] = data
        else:
            # The blob is written back whole, whatever part of it was assigned.
            whole = bytearray(self._content[: len(self._content)])
            whole[start : start + len(data)] = data
            self._supply.rewrite(self._content, self._name, slice(0, len(whole)), 0, bytes(whole))
