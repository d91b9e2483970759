"""What a board keeps, in memory or in a folder: flash, nvm, sleep memory, its clock, the picture on its glass."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.boards import Board
from host_tools.errors import StoaError
from host_tools.virtual_board.flash import Flash


class StateError(StoaError):
    """The state folder cannot be used."""


@dataclass
class Sleeping:
    """Deep sleep: until `until_ns` of the bench's clock (None: no time alarm), or until one of `pins` is pressed."""

    until_ns: int | None
    pins: list[str] = field(default_factory=list)


@dataclass
class BoardState:
    """Everything that outlives a wake. `rtc_offset_ns` and `sleep_memory` are lost at power-off, the rest is not."""

    board_id: str
    flash: Flash
    nvm: bytearray
    sleep_memory: bytearray
    uid: bytes
    glass: bytes | None = None
    rtc_offset_ns: int | None = None
    sleeping: Sleeping | None = None

    @classmethod
    def new(cls, board: Board, uid: bytes | None = None) -> BoardState:
        return cls(
            board_id=board.id,
            flash=Flash.blank(board.memory.drive_kib * 1024),
            nvm=bytearray(board.memory.nvm),
            sleep_memory=bytearray(board.memory.sleep_memory),
            uid=uid or os.urandom(6),
        )

    def power_off(self) -> None:
        """What the loss of power takes away."""
        self.sleep_memory[:] = bytes(len(self.sleep_memory))
        self.rtc_offset_ns = None
        self.sleeping = None


def load_state(folder: Path, board: Board) -> BoardState:
    """The board kept in `folder`; a new one if the folder is empty or missing. Only the owner may read it: it holds the
    pairing. StateError if it cannot be used or holds another kind of board."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / ".writable").write_bytes(b"")
        (folder / ".writable").unlink()
    except OSError as error:
        raise StateError(
            f"cannot keep the board in {folder}: {error.strerror}; choose another --state folder"
        ) from None
    notes = folder / "board.json"
    if not notes.exists():
        return BoardState.new(board)
    try:
        kept: dict[str, Any] = json.loads(notes.read_text())
        sleeping = kept["sleeping"]
        state = BoardState(
            board_id=kept["board"],
            flash=Flash(bytearray((folder / "flash.bin").read_bytes())),
            nvm=bytearray((folder / "nvm.bin").read_bytes()),
            sleep_memory=bytearray((folder / "sleep_memory.bin").read_bytes()),
            uid=bytes.fromhex(kept["uid"]),
            glass=(folder / "glass.bin").read_bytes(),
            rtc_offset_ns=kept["rtc_offset_ns"],
            sleeping=None if sleeping is None else Sleeping(sleeping["until_ns"], sleeping["pins"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise StateError(f"{folder} holds no whole board; remove it to start with a new one") from None
    if state.board_id != board.id:
        raise StateError(f"{folder} holds a {state.board_id}; give that --board, or another --state folder")
    return state


def save_state(folder: Path, state: BoardState) -> None:
    """Write the board to `folder`; the notes last, so that a reader never meets half a board with old notes."""
    files = {
        "flash.bin": bytes(state.flash.content),
        "nvm.bin": bytes(state.nvm),
        "sleep_memory.bin": bytes(state.sleep_memory),
        "glass.bin": state.glass or b"",
        "board.json": json.dumps(
            {
                "board": state.board_id,
                "uid": state.uid.hex(),
                "rtc_offset_ns": state.rtc_offset_ns,
                "sleeping": None if state.sleeping is None else vars(state.sleeping),
            }
        ).encode(),
    }
    for name, content in files.items():
        beside = folder / (name + ".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
        beside.replace(folder / name)
