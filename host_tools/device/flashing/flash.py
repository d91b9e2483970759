"""CircuitPython onto a board: what is there, what it costs, and the doing of it.

    open_image    the file is whole, and for this board and its chip           (flash_image; ImageRefused)
    prepare       the board says what it is: chip and partitions, or INFO_UF2.TXT (WrongBoard, BootloaderTooOld)
    Ready.costs   its owner is told what goes, and agrees                      (the command line)
    Ready.flash   written; read back, if by esptool

Nothing is written before the last. A UF2 file replaces nothing but CircuitPython, and costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_tools.boards import Board, available
from host_tools.device.errors import ImageRefused, LinkLost, NotVerified, WrongBoard
from host_tools.device.finding import info_uf2
from host_tools.device.finding.info_uf2 import InfoUf2
from host_tools.device.finding.usb_ids import TINYUF2
from host_tools.device.flashing import uf2_drive
from host_tools.device.flashing.esp_image import MergedImage, read_table
from host_tools.device.flashing.esptool_process import UART_BAUD, WRITING, Esptool, OnProgress
from host_tools.device.flashing.flash_image import Image
from host_tools.device.flashing.flash_layout import Layout, lay_out
from host_tools.device.flashing.uf2 import Uf2

BY_ESPTOOL, BY_UF2 = "esptool", "uf2"
# From the last block to the drive's going: TinyUF2 restarts at once, and the computer notices within seconds.
DRIVE_GOES_WITHIN_S = 15.0
# Here no control line of the port resets the chip, or not for sure: its owner presses RESET.
NO_RESET_LINE = ("native-usb",)


@dataclass(frozen=True)
class Report:
    """What was done. bytes: of flash, or of the file that was copied. nvm: "erased" or "kept".

    verified: it was read back, and is what was written; never by UF2, where the drive goes with the last block.
    drive: CIRCUITPY, "kept", "lost" or "none". restarts: the board runs CircuitPython now; else RESET must be pressed.
    """

    board: str
    chip: str
    way: str
    image: str
    version: str | None
    bytes: int
    seconds: float
    verified: bool
    nvm: str
    drive: str
    restarts: bool


@dataclass(frozen=True)
class Ready:
    """found: what is there. costs: sentences, empty if nothing is lost. flash: does it, and tells how far it is."""

    found: str
    costs: tuple[str, ...]
    flash: Callable[[OnProgress], Report]


def prepare(
    place: Path | str, image: Image, baud: int | None, keep_nvm: bool, now: Callable[[], float] = time.monotonic
) -> Ready:
    """place: a Path is a bootloader's drive, a str a port. baud: of a UART; None for the usual one.

    ImageRefused if the image is for the other way; WrongBoard, BootloaderTooOld, and what Esptool raises. Ready.flash
    raises NotVerified and LinkLost too.
    """
    if isinstance(place, Path):
        return _by_uf2(place, image, now)
    return _by_esptool(place, image, baud, keep_nvm, now)


def board_of_drive(drive: Path) -> str | None:
    """The board whose UF2 bootloader this is; None if there is no board file of it. WrongBoard if it is none."""
    info = _read_info(drive)
    return next((board.id for board in available() if _is_bootloader_of(info, board)), None)


def _by_uf2(drive: Path, image: Image, now: Callable[[], float]) -> Ready:
    board, inside = image.board, image.inside
    if not isinstance(inside, Uf2):
        raise ImageRefused(f"{image.path.name} is for a serial port: for this drive take {image.named('.uf2')}")
    info = _read_info(drive)
    if not _is_bootloader_of(info, board):
        raise WrongBoard(f"{drive} is the drive of {info.model} ({info.board_id}), not of {board.id}")
    remedy = (
        f"flash {image.named('.bin')} instead, which has a partition table of its own (hold BOOT, tap RESET, `stoa"
        " flash PORT`), or update TinyUF2 as is told there"
    )
    info_uf2.check_it_takes(info, image.build, len(inside.content), board.memory.flash_kib, remedy)

    def flash(on_progress: OnProgress) -> Report:
        content = image.path.read_bytes()
        began = now()
        on_progress(WRITING, 0, len(content))
        if not uf2_drive.copy(
            content, drive, lambda done: on_progress(WRITING, done, len(content)), DRIVE_GOES_WITHIN_S
        ):
            raise NotVerified(f"{drive} is still there, so TinyUF2 wants another file: do this again, or {remedy}")
        return _report(image, BY_UF2, len(content), now() - began, False, "kept", "kept", True)

    return Ready(f"{drive} is the drive of {info.model}, TinyUF2 {info.version}", (), flash)


def _by_esptool(port: str, image: Image, baud: int | None, keep_nvm: bool, now: Callable[[], float]) -> Ready:
    board, inside = image.board, image.inside
    if not isinstance(inside, MergedImage):
        raise ImageRefused(
            f"{image.path.name} is for a bootloader's drive: double-tap RESET and give its folder, or for a port take"
            f" {image.named('.bin')}"
        )
    esptool = Esptool(port, board.link, baud or (UART_BAUD if board.link == "uart" else None))
    chip = esptool.identify()
    if chip.name != board.chip:
        raise WrongBoard(f"{port} is an {chip.name}, and {board.id} has an {board.chip}: nothing was written")
    try:
        on_board = read_table(chip.table)
    except ImageRefused:
        # As good as none: the board starts nothing with it.
        on_board = ()
    try:
        layout = lay_out(inside, on_board, keep_nvm)
    except ImageRefused as refused:
        raise ImageRefused(f"{image.path.name} {refused}") from None

    def flash(on_progress: OnProgress) -> Report:
        began = now()
        restarts = esptool.write(board.chip, layout.pieces, board.link not in NO_RESET_LINE, on_progress)
        # Of anything else Esptool.write raises NotVerified.
        return _report(image, BY_ESPTOOL, layout.size, now() - began, True, layout.nvm, layout.drive, restarts)

    return Ready(f"{port} is an {chip.name}, MAC {chip.mac}", _costs(image, layout), flash)


def _report(
    image: Image, way: str, size: int, seconds: float, verified: bool, nvm: str, drive: str, restarts: bool
) -> Report:
    return Report(
        board=image.board.id,
        chip=image.board.chip,
        way=way,
        image=image.path.name,
        version=image.build.release,
        bytes=size,
        seconds=round(seconds, 1),
        verified=verified,
        nvm=nvm,
        drive=drive,
        restarts=restarts,
    )


_NVM = {
    "erased": "nvm is erased, and with it one copy of the pairing (--keep-nvm keeps it)",
    "kept": "nvm is kept, and with it one copy of the pairing",
}
_DRIVE = {
    "kept": "the drive stays as it is, with the settings and the other copy of the pairing",
    "lost": "THE DRIVE IS LOST, with settings and pairing, for its place in flash is another: copy what is on it first",
    "none": "there is no drive yet: CircuitPython makes an empty one",
}


def _costs(image: Image, layout: Layout) -> tuple[str, ...]:
    told = (_NVM[layout.nvm], _DRIVE[layout.drive])
    if not any(known.board_id == image.board.id for known in TINYUF2):
        return told
    second_stage = (
        "TinyUF2's second stage is replaced: RESET tapped twice gives no drive for .uf2 files any more, until TinyUF2"
        " is installed again from the board's page at circuitpython.org"
    )
    return (*told, second_stage)


def _read_info(drive: Path) -> InfoUf2:
    path = info_uf2.find(drive)
    if path is None:
        raise WrongBoard(
            f"{drive} is no bootloader's drive, for it has no {info_uf2.NAME}: double-tap RESET, and give the folder of"
            " the drive that appears (its name ends in BOOT)"
        )
    try:
        info = info_uf2.parse(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise LinkLost(f"{path} cannot be read ({error.strerror}): was the board unplugged?") from None
    if info is None:
        raise WrongBoard(f"{drive} is of a bootloader that is not TinyUF2: no board that Stoa knows has it")
    return info


def _is_bootloader_of(info: InfoUf2, board: Board) -> bool:
    return any(known.board_id == board.id and info_uf2.is_of(info, known.uf2_board) for known in TINYUF2)
