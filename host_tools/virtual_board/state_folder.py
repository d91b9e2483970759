"""A board kept in a folder between runs.

Flash, nvm and sleep memory are mapped files: what the firmware writes is there whenever this process ends, be it by
SIGKILL, and for the firmware such an end is a loss of power. One process at a time, and only the owner may read it: it
holds the pairing.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
from pathlib import Path
from typing import Any

from host_tools.boards import Board
from host_tools.errors import StoaError
from host_tools.virtual_board.controllers.panels import Panel
from host_tools.virtual_board.flash import Flash
from host_tools.virtual_board.state import BoardState, Sleeping

NOTES, GLASS, LOCK = "board.json", "glass.bin", "lock"
MEMORIES = ("flash.bin", "nvm.bin", "sleep_memory.bin")


class StateError(StoaError):
    """The state folder cannot be used."""


class StateFolder:
    """`state` is the board's; call `awake` before each wake and `keep` after it. Close it, or use it with `with`."""

    def __init__(self, folder: Path, board: Board, panel: Panel) -> None:
        self._folder = folder
        self._board = board
        self._maps: list[mmap.mmap] = []
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"cannot keep the board in {folder}: {error.strerror}; choose another --state") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StateError(f"{folder} is in use by another stoa simulate; choose another --state") from None
        try:
            self.state = self._load(panel) if self._exists() else self._make()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> StateFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        for mapped in self._maps:
            mapped.close()
        os.close(self._lock)

    def awake(self) -> None:
        """From here to `keep`, an end of this process takes the board's power."""
        self._write(NOTES, self._notes(awake=True))

    def keep(self) -> None:
        """The wake is over: keep what it left."""
        self._write(GLASS, self.state.glass or b"")
        self._write(NOTES, self._notes(awake=False))

    def _exists(self) -> bool:
        return any((self._folder / name).exists() for name in (NOTES, *MEMORIES))

    def _make(self) -> BoardState:
        new = BoardState.new(self._board)
        for name, content in zip(MEMORIES, (new.flash.content, new.nvm, new.sleep_memory), strict=True):
            self._write(name, bytes(content[: len(content)]))
        self.state = self._mapped(new.uid)
        self.keep()
        return self.state

    def _load(self, panel: Panel) -> BoardState:
        try:
            notes: dict[str, Any] = json.loads((self._folder / NOTES).read_text())
            if notes["board"] != self._board.id:
                raise StateError(f"{self._folder} holds a {notes['board']}; give that --board, or another --state")
            state = self._mapped(bytes.fromhex(notes["uid"]))
            glass = (self._folder / GLASS).read_bytes()
            if glass and set(glass) <= {0, 1} and len(glass) == panel.width * panel.height:
                state.glass = glass
            state.rtc_offset_ns = _integer(notes["rtc_offset_ns"])
            sleeping = notes["sleeping"]
            if sleeping is not None:
                state.sleeping = Sleeping(_integer(sleeping["until_ns"]), [str(pin) for pin in sleeping["pins"]])
            reason, safe_mode = notes["next_boot"]
            state.next_boot = (str(reason), str(safe_mode))
            state.slept_from_ns = _integer(notes["slept_from_ns"])
            if notes["awake"]:
                state.power_off()
        except (OSError, ValueError, KeyError, TypeError):
            raise StateError(f"{self._folder} holds no whole board; remove it to start with a new one") from None
        return state

    def _mapped(self, uid: bytes) -> BoardState:
        memory = self._board.memory
        sizes = (memory.drive_kib * 1024, memory.nvm, memory.sleep_memory)
        maps = []
        for name, size in zip(MEMORIES, sizes, strict=True):
            descriptor = os.open(self._folder / name, os.O_RDWR)
            try:
                if os.fstat(descriptor).st_size != size:
                    raise ValueError(f"{name} is not {size} bytes")
                maps.append(mmap.mmap(descriptor, size))
            finally:
                os.close(descriptor)
            self._maps.append(maps[-1])
        return BoardState(Flash(maps[0]), maps[1], maps[2], uid)

    def _notes(self, awake: bool) -> bytes:
        state = self.state
        notes = {
            "board": self._board.id,
            "uid": state.uid.hex(),
            "awake": awake,
            "rtc_offset_ns": state.rtc_offset_ns,
            "sleeping": None if state.sleeping is None else vars(state.sleeping),
            "next_boot": state.next_boot,
            "slept_from_ns": state.slept_from_ns,
        }
        return json.dumps(notes).encode()

    def _write(self, name: str, content: bytes) -> None:
        beside = self._folder / (name + ".new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
            beside.replace(self._folder / name)
        except OSError as error:
            raise StateError(f"cannot keep the board in {self._folder}: {error.strerror}") from None


def _integer(value: Any) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError(value)
    return value
