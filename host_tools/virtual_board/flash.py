"""NOR flash as the board's drive lies on it: erased in 4 KB sectors, and written through.

CircuitPython's Espressif port reads the whole erase sector into RAM for each write of blocks, erases its place and
programs it whole before the write returns; its flush does nothing (ports/espressif/supervisor/internal_flash.c, the
same from 6.x to 10.x). So what FatFs has written is on flash at once, each block written costs an erase, and what a
power cut can lose is the whole sector, eight FAT blocks.
"""

from __future__ import annotations

from mmap import mmap

from fatfs.diskio import Disk

from host_tools.virtual_board.power import Supply

ERASE_SECTOR = 4096
BLOCK = 512


class Flash:
    """The chip: `content` survives power loss, and the process too where it is a mapped file. Counts what wears it.

    supply: the power of the present wake, which may fail within a rewrite. Between wakes, when the drive is written
    from outside, there is none that could.
    """

    def __init__(self, content: bytearray | mmap) -> None:
        if len(content) % ERASE_SECTOR:
            raise ValueError(f"flash of {len(content)} bytes is not a multiple of {ERASE_SECTOR}")
        self.content = content
        self.erases = 0
        self.supply: Supply | None = None

    @classmethod
    def blank(cls, size: int) -> Flash:
        return cls(bytearray(b"\xff") * size)

    def rewrite(self, at: int, data: bytes) -> None:
        """Erase the sector at `at`, and program it with `data`, as long. ValueError for anything but a whole sector."""
        if at % ERASE_SECTOR or len(data) != ERASE_SECTOR:
            raise ValueError(f"{len(data)} bytes at {at} are no erase sector")
        self.erases += 1
        if self.supply is None:
            self.content[at : at + ERASE_SECTOR] = data
        else:
            self.supply.rewrite(self.content, "drive", slice(at, at + ERASE_SECTOR), at, data)


class FlashDisk(Disk):  # type: ignore[misc]  # fatfs-ng ships no types
    """The chip as FatFs sees it: 512-byte blocks."""

    def __init__(self, flash: Flash) -> None:
        super().__init__()
        self._flash = flash

    def ioctl_get_sector_count(self) -> int:
        return len(self._flash.content) // BLOCK

    def ioctl_get_sector_size(self) -> int:
        return BLOCK

    def ioctl_get_block_size(self) -> int:
        return ERASE_SECTOR // BLOCK

    def read(self, sector: int, count: int) -> bytes:
        at = sector * BLOCK
        return bytes(self._flash.content[at : at + count])

    def write(self, sector: int, count: int, buff: bytes) -> None:
        at = sector * BLOCK
        end = at + len(buff)
        while at < end:
            erased = at - at % ERASE_SECTOR
            stop = min(end, erased + ERASE_SECTOR)
            content = bytearray(self._flash.content[erased : erased + ERASE_SECTOR])
            content[at - erased : stop - erased] = buff[at - end + len(buff) : stop - end + len(buff)]
            self._flash.rewrite(erased, bytes(content))
            at = stop
