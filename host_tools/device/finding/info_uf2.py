"""INFO_UF2.TXT, where a UF2 bootloader says what it is; and which CircuitPython an older TinyUF2 cannot take.

    TinyUF2 Bootloader 0.35.0 - tinyusb (0.18.0)
    Model: Adafruit MagTag 2.9 Grayscale
    Board-ID: ESP32S2-MagTag_29gray-revC
    Date: Jul  9 2025
    Flash Size: 0x002C0000 bytes

(adafruit/tinyuf2, src/ghostfat.c.) "Flash Size" is that of the partition for the application, not of the chip.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.errors import BootloaderTooOld, LinkLost
from host_tools.device.finding.circuitpython_build import Build

NAME = "INFO_UF2.TXT"
# Release notes of CircuitPython 10.0.0: boards of 4 MB need TinyUF2 0.33.0, which makes one large partition of two.
# An older one takes the file, and comes back as a drive instead of starting it (circuitpython#11097).
NEEDS_NEW_FROM = (10, 0, 0)
NEW = (0, 33, 0)
SMALL_FLASH_KIB = 4096
_LINE = re.compile(r"^(Model|Board-ID|Flash Size):\s*(.+?)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^TinyUF2 Bootloader (\d+)\.(\d+)\.(\d+)", re.MULTILINE)
# A board's revision of its own: "-revC". Not "-revTFT", which is another board.
_REVISION = re.compile(r"-rev[A-Z]$", re.IGNORECASE)


@dataclass(frozen=True)
class InfoUf2:
    """version: as "0.35.0". application_size: bytes there are for an application; None where older ones do not say."""

    version: str
    model: str
    board_id: str
    application_size: int | None


def parse(text: str) -> InfoUf2 | None:
    """None if it is no TinyUF2 that speaks."""
    version = _VERSION.search(text)
    if version is None:
        return None
    fields = dict(_LINE.findall(text))
    size = re.match(r"0x([0-9A-Fa-f]+)", fields.get("Flash Size", ""))
    return InfoUf2(
        ".".join(version.groups()),
        fields.get("Model", ""),
        fields.get("Board-ID", ""),
        int(size[1], 16) if size else None,
    )


def find(drive: Path) -> Path | None:
    """The file on this drive, however its name is written there. LinkLost if the drive cannot be read."""
    try:
        return next((path for path in drive.iterdir() if path.name.upper() == NAME), None)
    except OSError as error:
        raise LinkLost(f"{drive} cannot be read ({error.strerror}): was the board unplugged?") from None


def is_of(info: InfoUf2, uf2_board_id: str) -> bool:
    """Whether it is this board's bootloader, of whatever revision of the board."""
    return _bare(info.board_id) == _bare(uf2_board_id)


def check_it_takes(info: InfoUf2, build: Build, size: int, flash_kib: int, remedy: str) -> None:
    """BootloaderTooOld if the application of `size` bytes would not start. remedy: what to flash instead."""
    new = build.version is None or build.version >= NEEDS_NEW_FROM
    if _numbers(info.version) < NEW and new and flash_kib <= SMALL_FLASH_KIB:
        raise BootloaderTooOld(
            f"TinyUF2 {info.version} of this board is too old for CircuitPython {build.release or '10'}: it would take"
            f" the file and come back as a drive; {remedy}"
        )
    if info.application_size is not None and size > info.application_size:
        raise BootloaderTooOld(
            f"TinyUF2 {info.version} of this board has {info.application_size // 1024} KiB for an application of"
            f" {-(-size // 1024)} KiB: its partition table is an older one; {remedy}"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _bare(board_id: str) -> str:
    return re.sub("[-_]", "", _REVISION.sub("", board_id)).lower()
