"""What a board keeps: flash, nvm, sleep memory, its clock, the picture on its glass."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Protocol

from host_tools.boards import Board
from host_tools.virtual_board.flash import Flash
from host_tools.virtual_board.power import Cells

POWER_ON = ("POWER_ON", "")


class Bytes(Cells, Protocol):
    """A bytearray, or a mapped file that is one: what is written is kept at once."""

    def __len__(self) -> int: ...


@dataclass
class Sleeping:
    """Deep sleep: until `until_ns` of the bench's clock (None: no time alarm), or until one of `pins` is pressed."""

    until_ns: int | None
    pins: list[str] = field(default_factory=list)


@dataclass
class BoardState:
    """Everything that outlives a wake. `rtc_offset_ns` and `sleep_memory` are lost at power-off, the rest is not.

    next_boot: reset reason and safe mode's reason of the next boot, where that ends no deep sleep. slept_from_ns: when
    the last wake ended, by the bench's clock.
    """

    flash: Flash
    nvm: Bytes
    sleep_memory: Bytes
    uid: bytes
    glass: bytes | None = None
    rtc_offset_ns: int | None = None
    sleeping: Sleeping | None = None
    next_boot: tuple[str, str] = POWER_ON
    slept_from_ns: int | None = None

    @classmethod
    def new(cls, board: Board, uid: bytes | None = None) -> BoardState:
        return cls(
            flash=Flash.blank(board.memory.drive_kib * 1024),
            nvm=bytearray(board.memory.nvm),
            sleep_memory=bytearray(board.memory.sleep_memory),
            uid=uid or os.urandom(6),
        )

    def copy(self) -> BoardState:
        """The same in memory, independent of this one: from one such copy any number of runs can start."""
        return replace(
            self,
            flash=Flash(bytearray(self.flash.content)),
            nvm=bytearray(self.nvm[: len(self.nvm)]),
            sleep_memory=bytearray(self.sleep_memory[: len(self.sleep_memory)]),
            sleeping=None if self.sleeping is None else replace(self.sleeping, pins=list(self.sleeping.pins)),
        )

    def restore(self, saved: BoardState) -> None:
        """Become what `saved` is, a copy taken of a board of the same kind. What wears is not made new."""
        again = saved.copy()
        self.flash.content[: len(self.flash.content)] = again.flash.content
        self.nvm[: len(self.nvm)] = bytes(again.nvm[: len(again.nvm)])
        self.sleep_memory[: len(self.sleep_memory)] = bytes(again.sleep_memory[: len(again.sleep_memory)])
        self.uid, self.glass = again.uid, again.glass
        self.rtc_offset_ns, self.sleeping = again.rtc_offset_ns, again.sleeping
        self.next_boot, self.slept_from_ns = again.next_boot, again.slept_from_ns

    def power_off(self) -> None:
        """What the loss of power takes away."""
        self.sleep_memory[: len(self.sleep_memory)] = bytes(len(self.sleep_memory))
        self.rtc_offset_ns = None
        self.sleeping = None
        self.next_boot = POWER_ON
