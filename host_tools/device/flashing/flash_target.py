"""Where an image goes: the drive or port that was named, or the only one there that takes such an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from host_tools.boards import Board, available
from host_tools.device.errors import ImageRefused, NoBoard
from host_tools.device.finding.ports import Found, find_boards
from host_tools.device.finding.targets import CHECK, SeveralBoards
from host_tools.device.finding.usb_ids import Kind

# What an image for a port can be flashed through: the ROM's bootloader, or what the reset line brings into it.
_PORTS: frozenset[Kind] = frozenset({"bootloader", "usb-serial-jtag", "uart-bridge"})
_DRIVES: frozenset[Kind] = frozenset({"uf2-bootloader"})
_HOW = {
    True: "double-tap RESET: the drive that appears has a name that ends in BOOT",
    False: "hold BOOT, tap RESET, let BOOT go: the bootloader's port appears",
}


def check_is_a_place(target: str | None) -> None:
    """ImageRefused if it is a file: an image in the place of the port or drive."""
    if target is not None and Path(target).is_file():
        raise ImageRefused(f"{target} is a file, neither a port nor a drive: give it with --image {target}")


def may_be(target: str | None, found: Sequence[Found] | None = None) -> tuple[list[str], str]:
    """(ids of the boards that may be meant, the suffix of an image for the way there), before there is an image.

    By what runs on the board at `target`, or on the only one there; else by the chip that its bootloader is of.
    """
    there = find_boards() if found is None else found
    meant = [board for board in there if target in (None, board.port, board.drive and str(board.drive))]
    only = meant[0] if len(meant) == 1 else None
    suffix = ".uf2" if only and only.drive else ".bin"
    if only is None or only.board_id:
        return [only.board_id] if only and only.board_id else [], suffix
    return [board.id for board in available() if _fits(board, only)], suffix


def _fits(board: Board, found: Found) -> bool:
    if found.kind == "uart-bridge":
        return board.link == "uart"
    return found.kind == "bootloader" and board.chip == found.name


def choose(target: str | None, wants_drive: bool, found: Sequence[Found] | None = None) -> Path | str:
    """A Path is a drive's folder, a str a port. wants_drive: whether the image is a UF2 file.

    found: the boards there; looked for if None. NoBoard, or SeveralBoards, which lists them.
    """
    if target is not None:
        return Path(target) if Path(target).is_dir() else target
    there = find_boards() if found is None else found
    wanted = _DRIVES if wants_drive else _PORTS
    fitting = [board for board in there if board.kind in wanted]
    if len(fitting) > 1:
        listed = ", ".join(f"{board.place} ({board.name})" for board in fitting)
        raise SeveralBoards(f"several boards are there, name one of them: {listed}")
    if not fitting:
        running = next((board for board in there if board.kind == "circuitpython"), None)
        seen = f"{running.name} is there and runs CircuitPython" if running else "no board was found"
        raise NoBoard(f"{seen}: {_HOW[wants_drive]}; {'then do this again' if running else CHECK}")
    only = fitting[0]
    if only.mount_command:
        raise NoBoard(f"the drive of {only.name} is not mounted: `{only.mount_command}`, and do this again")
    return only.drive if wants_drive and only.drive else str(only.port)
