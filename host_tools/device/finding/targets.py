"""Which board a command means: the one it was given, or the only one there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.errors import DeviceError, NoBoard
from host_tools.device.finding.ports import Found, find_boards
from host_tools.device.finding.usb_ids import Kind

# "COM3", and what pyserial opens as a URL.
_PORT_BY_NAME = re.compile(r"COM\d+|\w+://.*", re.IGNORECASE)
_RUNS_A_PROGRAM: frozenset[Kind] = frozenset({"circuitpython", "usb-serial-jtag", "uart-bridge"})
_BOOTLOADERS: frozenset[Kind] = frozenset({"bootloader", "uf2-bootloader"})
CHECK = (
    "check that the cable carries data and not only power, that the board is awake (press RESET), and on Linux that you"
    " may open ports (group dialout)"
)


class SeveralBoards(DeviceError):
    """More than one board is there, and none was named."""


@dataclass(frozen=True)
class Target:
    """target: a Path is the folder of a drive, a str a port. found: what is known of it, if it is there."""

    target: Path | str
    found: Found | None = None

    @property
    def small_steps(self) -> bool:
        """Whether its port takes no more than 128 bytes at a time (raw_repl)."""
        return self.found is not None and self.found.small_steps


def choose(target: str | None, found: Sequence[Found] | None = None) -> Target:
    """Where a program goes: the drive or port that `target` names, or that of the only board there; its drive first.

    found: the boards there; looked for if None. NoBoard, or SeveralBoards, which lists them.
    """
    there = find_boards() if found is None else found
    if target is not None:
        return _given(target, there)
    only = _only(there, "no board was found")
    if only.mount_command:
        # Its port would be of no use: a board whose drive a computer may have cannot write to it.
        raise NoBoard(f"the drive of {only.name} is not mounted: `{only.mount_command}`, and do this again")
    return Target(only.drive or str(only.port), only)


def choose_port(target: str | None, found: Sequence[Found] | None = None) -> Target:
    """The port of a board's console: the one `target` names, by its drive too, or that of the only board there."""
    there = find_boards() if found is None else found
    if target is None:
        only = _only([board for board in there if board.port is not None], "no serial port of a board was found")
        return Target(str(only.port), only)
    given = _given(target, there)
    if not isinstance(given.target, Path):
        return given
    if given.found is None or given.found.port is None:
        raise NoBoard(f"the board at {target} has no serial port here: see `stoa ports`, and give a port")
    return Target(given.found.port, given.found)


def _given(target: str, there: Sequence[Found]) -> Target:
    path = Path(target)
    if path.is_dir():
        return Target(path, next((board for board in there if board.drive and _same_folder(board.drive, path)), None))
    if path.is_char_device() or target.startswith("/dev/") or _PORT_BY_NAME.fullmatch(target):
        names = {target, os.path.realpath(target)}
        return Target(target, next((board for board in there if board.port in names), None))
    raise NoBoard(f"there is no folder or port {target}: see `stoa ports`")


def _same_folder(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _only(there: Sequence[Found], none: str) -> Found:
    running = [board for board in there if board.kind in _RUNS_A_PROGRAM]
    if len(running) > 1:
        listed = ", ".join(f"{board.place} ({board.name})" for board in running)
        raise SeveralBoards(f"several boards are there, name one of them: {listed}")
    if running:
        return running[0]
    waiting = [board for board in there if board.kind in _BOOTLOADERS]
    if waiting:
        raise NoBoard(
            f"{none} that runs CircuitPython; {waiting[0].place} ({waiting[0].name}) is a bootloader: press RESET once,"
            f" or put CircuitPython on it with `{waiting[0].next_step}`"
        )
    raise NoBoard(f"{none}: {CHECK}")
