"""NOR flash as the board's drive lies on it: erased in 4 KB sectors, written through a one-sector cache.

CircuitPython's Espressif port keeps one erase sector in RAM; a write to another sector, or a sync, erases the cached
sector's place and programs it whole (ports/espressif/supervisor/internal_flash.c). So the unit that a power cut can
lose is always the whole sector, eight FAT blocks.
"""

from __future__ import annotations

from mmap import mmap

from fatfs.diskio import Disk

ERASE_SECTOR = 4096
BLOCK = 512


class Flash:
    """The chip: `content` survives power loss, and the process too where it is a mapped file. Counts what wears it."""

    def __init__(self, content: bytearray | mmap) -> None:
        if len(content) % ERASE_SECTOR:
            raise ValueError(f"flash of {len(content)} bytes is not a multiple of {ERASE_SECTOR}")
        self.content = content
        self.erases = 0

    @classmethod
    def blank(cls, size: int) -> Flash:
        return cls(bytearray(b"\xff") * size)

    def erase(self, at: int) -> None:
        self.content[at : at + ERASE_SECTOR] = b"\xff" * ERASE_SECTOR
        self.erases += 1

    def program(self, at: int, data: bytes | bytearray) -> None:
        self.content[at : at + len(data)] = bytes(data)


class FlashDisk(Disk):  # type: ignore[misc]  # fatfs-ng ships no types
    """The chip as FatFs sees it: 512-byte blocks behind the one-sector cache."""

    def __init__(self, flash: Flash) -> None:
        super().__init__()
        self._flash = flash
        self._cached_at: int | None = None
        self._cache = bytearray()

    def ioctl_get_sector_count(self) -> int:
        return len(self._flash.content) // BLOCK

    def ioctl_get_sector_size(self) -> int:
        return BLOCK

    def ioctl_get_block_size(self) -> int:
        return ERASE_SECTOR // BLOCK

    def ioctl_sync(self) -> None:
        if self._cached_at is not None:
            at, self._cached_at = self._cached_at, None
            if self._cache != self._flash.content[at : at + ERASE_SECTOR]:
                self._flash.erase(at)
                self._flash.program(at, self._cache)

    def read(self, sector: int, count: int) -> bytes:
        at = sector * BLOCK
        data = bytearray(self._flash.content[at : at + count])
        if self._cached_at is not None:
            low, high = max(at, self._cached_at), min(at + count, self._cached_at + ERASE_SECTOR)
            if low < high:
                data[low - at : high - at] = self._cache[low - self._cached_at : high - self._cached_at]
        return bytes(data)

    def write(self, sector: int, count: int, buff: bytes) -> None:
        for offset in range(0, len(buff), BLOCK):
            at = sector * BLOCK + offset
            erase_sector = at - at % ERASE_SECTOR
            if erase_sector != self._cached_at:
                self.ioctl_sync()
                self._cached_at = erase_sector
                self._cache = bytearray(self._flash.content[erase_sector : erase_sector + ERASE_SECTOR])
            within = at - erase_sector
            self._cache[within : within + BLOCK] = buff[offset : offset + BLOCK]
