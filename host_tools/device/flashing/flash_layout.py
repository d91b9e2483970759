"""What of a merged image goes where, and what that costs of what is on the board.

Between its partition table and its application an image has only ones, and two places of the flash are not its alone:

- nvs, where CircuitPython keeps `microcontroller.nvm`, and so one copy of the pairing. To keep it, it is left out:
  neither erased nor written, so that no cut can lose it.
- otadata, which says what the bootloader starts. With ones there it starts the factory partition, and where TinyUF2 was
  that is TinyUF2: the board comes up as a drive, for ever (circuitpython#3793). So ota_0 is named there, as TinyUF2
  does when it has taken a file: ESP-IDF's esp_ota_select_entry_t, in esp_flash_partitions.h.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from host_tools.device.errors import ImageRefused
from host_tools.device.flashing.esp_image import DRIVE, FACTORY, NVS, OTA_0, OTADATA, MergedImage, Partition, find

_SEQUENCE = struct.pack("<I", 1)
# Sequence 1 is ota_0; no label, no state, and a CRC of the sequence alone.
STARTS_OTA_0 = _SEQUENCE + b"\xff" * 24 + struct.pack("<I", zlib.crc32(_SEQUENCE, 0xFFFFFFFF))


@dataclass(frozen=True)
class Piece:
    """at: address in flash."""

    at: int
    content: bytes


@dataclass(frozen=True)
class Layout:
    """pieces: in order of address. nvm: "kept" or "erased". drive: "kept", "lost", or "none" where none is yet."""

    pieces: tuple[Piece, ...]
    nvm: str
    drive: str

    @property
    def size(self) -> int:
        return sum(len(piece.content) for piece in self.pieces)


def lay_out(image: MergedImage, on_board: Sequence[Partition], keep_nvm: bool) -> Layout:
    """on_board: the board's partitions now. ImageRefused if nvm is to be kept and cannot be."""
    nvs = image.partition(NVS)
    content = _starting_ota_0(image)
    pieces: tuple[Piece, ...] = (Piece(0, content),)
    if keep_nvm:
        before = find(on_board, NVS)
        if nvs is None or before is None or (nvs.at, nvs.size) != (before.at, before.size):
            raise ImageRefused("has nvm elsewhere than the board, or the board has none: leave out --keep-nvm")
        pieces = tuple(
            piece for piece in (Piece(0, content[: nvs.at]), Piece(nvs.end, content[nvs.end :])) if piece.content
        )
    return Layout(pieces, "kept" if keep_nvm else "erased", _drive(image, on_board))


def _starting_ota_0(image: MergedImage) -> bytes:
    otadata, factory, application = image.partition(OTADATA), image.partition(FACTORY), image.partition(OTA_0)
    if otadata is None or factory is None or application is None or application.at >= len(image.content):
        return image.content
    if image.content[otadata.at : otadata.end].strip(b"\xff"):
        return image.content
    after = otadata.at + len(STARTS_OTA_0)
    return image.content[: otadata.at] + STARTS_OTA_0 + image.content[after:]


def _drive(image: MergedImage, on_board: Sequence[Partition]) -> str:
    before, after = find(on_board, DRIVE), image.partition(DRIVE)
    if before is None:
        return "none"
    same = after is not None and (after.at, after.size) == (before.at, before.size)
    return "kept" if same and not image.erases(before) else "lost"
