"""TinyUF2's drive, as a folder: it takes each block as it is brought to the device, and goes when it has them all."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path

from tests.device.firmware_image import UF2_FAMILIES


@dataclass
class Uf2Bootloader:
    """Put `sync` in the place of os.fsync. application: what lies in ota_0.

    pull_after: so many blocks, then the cable goes. full_after: so many, then the disk is full, as a real one may be.
    """

    drive: Path
    chip: str = "ESP32-S2"
    version: str = "0.35.0"
    board_id: str = "ESP32S2-MagTag_29gray-revC"
    model: str = "Adafruit MagTag 2.9 Grayscale"
    application_size: int | None = 0x2C0000
    pull_after: int | None = None
    full_after: int | None = None
    application: bytearray = field(default_factory=bytearray)
    blocks: set[int] = field(default_factory=set)
    restarts: int = 0

    def __post_init__(self) -> None:
        self.plug_in()

    def plug_in(self) -> None:
        self.drive.mkdir(exist_ok=True)
        size = "" if self.application_size is None else f"Flash Size: 0x{self.application_size:08X} bytes"
        (self.drive / "INFO_UF2.TXT").write_bytes(
            f"TinyUF2 Bootloader {self.version} - tinyusb (0.18.0)\r\nModel: {self.model}\r\n"
            f"Board-ID: {self.board_id}\r\nDate: Jul  9 2025\r\n{size}".encode()
        )
        self.blocks = set()
        self.application = bytearray(b"\xff" * (self.application_size or 0x2C0000))

    def files(self) -> list[str]:
        return sorted(path.name for path in self.drive.iterdir()) if self.drive.exists() else []

    def sync(self, _: int) -> None:
        content = next(path for path in self.drive.iterdir() if path.name != "INFO_UF2.TXT").read_bytes()
        for at in range(len(self.blocks) * 512, len(content) - 511, 512):
            if self.pull_after is not None and len(self.blocks) >= self.pull_after:
                shutil.rmtree(self.drive)
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            if self.full_after is not None and len(self.blocks) >= self.full_after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._take(content[at : at + 512])

    def _take(self, block: bytes) -> None:
        first, second, _, address, size, number, count, family = struct.unpack_from("<8I", block)
        if (first, second, family) != (0x0A324655, 0x9E5D5157, UF2_FAMILIES[self.chip]):
            return
        self.application[address : address + size] = block[32 : 32 + size]
        self.blocks.add(number)
        if len(self.blocks) == count:
            self.restarts += 1
            shutil.rmtree(self.drive)
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
