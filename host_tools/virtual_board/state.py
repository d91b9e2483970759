"""What a board keeps: flash, nvm, sleep memory, its clock, the picture on its glass."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Protocol

from host_tools.boards import Board
from host_tools.virtual_board.flash import Flash


class Bytes(Protocol):
    """A bytearray, or a mapped file that is one: what is written is kept at once."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice, /) -> bytes | bytearray: ...

    def __setitem__(self, index: slice, value: bytes, /) -> None: ...


@dataclass
class Sleeping:
    """Deep sleep: until `until_ns` of the bench's clock (None: no time alarm), or until one of `pins` is pressed."""

    until_ns: int | None
    pins: list[str] = field(default_factory=list)


@dataclass
class BoardState:
    """Everything that outlives a wake. `rtc_offset_ns` and `sleep_memory` are lost at power-off, the rest is not."""

    flash: Flash
    nvm: Bytes
    sleep_memory: Bytes
    uid: bytes
    glass: bytes | None = None
    rtc_offset_ns: int | None = None
    sleeping: Sleeping | None = None

    @classmethod
    def new(cls, board: Board, uid: bytes | None = None) -> BoardState:
        return cls(
            flash=Flash.blank(board.memory.drive_kib * 1024),
            nvm=bytearray(board.memory.nvm),
            sleep_memory=bytearray(board.memory.sleep_memory),
            uid=uid or os.urandom(6),
        )

    def power_off(self) -> None:
        """What the loss of power takes away."""
        self.sleep_memory[: len(self.sleep_memory)] = bytes(len(self.sleep_memory))
        self.rtc_offset_ns = None
        self.sleeping = None
