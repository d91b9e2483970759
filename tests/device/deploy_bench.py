"""Deploys by serial to a FAT image, and what the board would run then. Tests and the power-cut campaign share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from host_tools.boards import load_board
from host_tools.bundle import ACTIVE, ACTIVE_AT, SLOTS
from host_tools.device.console.raw_repl import RawRepl
from host_tools.device.deploying import manifest
from host_tools.device.deploying.deploy import deploy
from host_tools.device.deploying.report import Report
from host_tools.device.deploying.serial_way import SerialWay
from host_tools.virtual_board.fat import FatDrive, mounted
from host_tools.virtual_board.flash import Flash
from tests.device.serial_board import SerialBoard
from tests.home import MAGTAG

BOARD = load_board(MAGTAG)
HEAD = manifest.Head(BOARD.id, "0.1", "")
BOOT_OUT = (
    b"Adafruit CircuitPython 10.3.1 on 2026-08-20; Adafruit MagTag with ESP32S2\r\n"
    b"Board ID:adafruit_magtag_2.9_grayscale\r\nUID:C7FD1A2B\r\n"
)


def blank() -> Flash:
    """A drive as CircuitPython makes it at the first boot."""
    made = Flash.blank(BOARD.memory.drive_kib * 1024)
    with mounted(made) as drive:
        drive.write_file("/boot_out.txt", BOOT_OUT)
    return made


def put(
    flash: Flash, program: Mapping[str, bytes], small_steps: bool = False, erase_drive: bool = False, **board: Any
) -> tuple[Report, SerialBoard]:
    """A deploy, from the cable's being plugged in to its end. DeviceError; `board`: of SerialBoard."""
    with SerialBoard(flash, **board) as double:
        repl = RawRepl(double.port, small_steps)
        try:
            repl.enter_raw_repl()
            with SerialWay(repl) as way:
                if erase_drive:
                    way.erase_drive(False)
                report = deploy(way, HEAD, program, lambda *progress: None)
        finally:
            repl.close()
    return report, double


def running(drive: FatDrive) -> tuple[str, dict[str, bytes]]:
    """(slot, path -> content) of the program that code.py takes. OSError for a drive that cannot be read."""
    try:
        named = drive.read_file("/" + ACTIVE)[ACTIVE_AT:]
    except OSError:
        named = b""
    slot = SLOTS[1] if named.startswith(SLOTS[1].encode()) else SLOTS[0]
    files = {}
    for path in drive.walk(f"/{slot}") if slot in drive.listdir("/") else ():
        files[path.removeprefix(f"{slot}/")] = drive.read_file("/" + path)
    files.pop(manifest.NAME, None)
    return slot, files
