"""The drive's preallocated files as FatFs writes them.

FatFs hands the drive one whole 512-byte block at a time, the rest when it goes on or closes; closing a file that was
written rewrites the block with its directory entry, whether anything in it changed or not (ff.c, f_write and f_sync).
"""

from __future__ import annotations

import errno
import io
import struct

from stoa import vault
from tests.unit.flash import SECTOR, Power

BLOCK = 512

# A directory entry (Microsoft's FAT specification of 2000, "FAT Directory Structure"): name, attributes, first cluster,
# size. It is the third of its folder, after "." and "..".
ENTRY = "<11sB14xHI"
ENTRY_AT = 64
NAME = b"RECORD  BIN"
READ_ONLY, ARCHIVE = 0x01, 0x20
# Volume label, directory.
NO_FILE = 0x08 | 0x10


class Folder:
    """A preallocated file, its blocks out of step with the sectors, alone in a folder that has a sector to itself.

    `base` is where in its first sector the file begins, a multiple of 512; its neighbours lie before and behind, and
    `elsewhere` is what a damaged entry leads to. What may share the directory's sector is the deploy's matter.
    """

    CLUSTER = 0x0123

    def __init__(self, power: Power, content: bytes, base: int) -> None:
        assert base % BLOCK == 0
        self.power = power
        self.size = len(content)
        end = (base + self.size + 700 + SECTOR) // SECTOR * SECTOR
        self.flash = bytearray(b"\xa5" * end)
        self.base = base
        self.put(content)
        self.elsewhere = bytearray(b"\x5a" * SECTOR * (self.size // SECTOR + 2))
        self.fat = bytearray(b"file allocation table")
        self.writes = 0

    def deploy(self) -> None:
        """The file is there again; what can still be read of it stays, as the deploy keeps tokens."""
        try:
            kept = self.open("rb")
        except OSError:
            kept = None
        own = bytes(self.flash[self.base : self.base + self.size])
        self.put(own if kept is not None and kept.memory is self.flash else b"\xff" * self.size)

    def put(self, content: bytes) -> None:
        self.flash[self.base : self.base + self.size] = content
        entry = struct.pack(ENTRY, NAME, ARCHIVE, self.CLUSTER, self.size)
        dots = b"." + b" " * 10 + b"\x10" + bytes(20) + b".." + b" " * 9 + b"\x10" + bytes(20)
        self.directory = bytearray((dots + entry).ljust(SECTOR, b"\0"))

    def outside(self) -> tuple[bytes, ...]:
        """What is not the file's."""
        around = self.flash[: self.base], self.flash[self.base + self.size :]
        return tuple(bytes(memory) for memory in (*around, self.elsewhere, self.fat))

    def memories(self) -> tuple[bytearray, ...]:
        return self.flash, self.directory, self.elsewhere, self.fat

    def open(self, mode: str) -> File:
        assert mode in ("rb", "r+b"), "a wake only reads and overwrites"
        name, attributes, cluster, size = struct.unpack_from(ENTRY, self.directory, ENTRY_AT)
        if name != NAME or attributes & NO_FILE:
            raise FileNotFoundError(errno.ENOENT, "No such file/directory")
        if mode == "r+b" and attributes & READ_ONLY:
            raise PermissionError(errno.EACCES, "Permission denied")
        return File(self, mode, own=cluster == self.CLUSTER, size=size)

    def is_writable(self) -> bool:
        """Whether the entry is good for writing: it leads to all of the file and no further."""
        try:
            file = self.open("r+b")
            return file.memory is self.flash and file.length == self.size
        except OSError:
            return False

    def rewrite(self, memory: bytearray, at: int, data: bytes) -> None:
        """Put `data` (within one block) at `at`: its sector is erased and programmed."""
        low = at // SECTOR * SECTOR
        wanted = memory[low : low + SECTOR]
        wanted[at - low : at - low + len(data)] = data
        self.power.rewrite(memory, low, wanted)

    def touch(self) -> None:
        """Rewrite the directory entry."""
        self.power.rewrite(self.directory, 0, bytes(self.directory))


class File(io.RawIOBase):
    """`own`: whether the entry leads to the file's own clusters; size: what the entry says."""

    def __init__(self, folder: Folder, mode: str, own: bool, size: int) -> None:
        self.folder = folder
        self.mode = mode
        self.memory = folder.flash if own else folder.elsewhere
        self.base = folder.base if own else 0
        self.length = size
        self.at = 0
        self.modified = False
        self.boot = folder.power.boots
        # The block that is not yet whole: where in the file it begins, and its bytes.
        self.part: tuple[int, bytearray] | None = None

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.length)[whence]
        if self.at > self.folder.size and self.mode == "r+b":
            # Where the chain of clusters ends too soon FatFs gives it more (ff.c, f_lseek: create_chain).
            self.folder.fat[:] = self.folder.fat.upper()
        return self._check_chain(self.at)

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        until = self._check_chain(self.length if size < 0 else min(self.length, self.at + size))
        content = self.memory[self.base : self.base + until]
        if self.part is not None:
            low, block = self.part
            content[low : low + BLOCK] = block
        data = bytes(content[self.at : until])
        self.at += len(data)
        return data

    def _check_chain(self, at: int) -> int:
        if at > self.folder.size and self.mode == "rb":
            # Where it may not be given more the file is aborted (FR_INT_ERR).
            raise OSError(errno.EIO, "Input/output error")
        return at

    def write(self, data) -> int:
        assert self.mode == "r+b"
        assert self.at + len(data) <= self.length, "the file must not grow"
        self.modified = True
        self.folder.writes += 1
        start, end = self.at, self.at + len(data)
        while self.at < end:
            until = min(end, self.at // BLOCK * BLOCK + BLOCK)
            self._put(bytes(data[self.at - start : until - start]))
            self.at = until
        return len(data)

    def _put(self, data: bytes) -> None:
        """Within one block: whole it goes to flash at once, a part waits in the file's buffer (ff.c, f_write)."""
        low = self.at // BLOCK * BLOCK
        if self.part is not None and self.part[0] != low:
            self._flush()
        if len(data) == BLOCK:
            self.part = None
            self._program(low, data)
            return
        if self.part is None:
            self.part = low, bytearray(self.memory[self.base + low : self.base + low + BLOCK])
        self.part[1][self.at - low : self.at - low + len(data)] = data

    def _flush(self) -> None:
        if self.part is not None:
            (low, block), self.part = self.part, None
            self._program(low, bytes(block))

    def _program(self, low: int, block: bytes) -> None:
        self.folder.rewrite(self.memory, self.base + low, block)

    def close(self) -> None:
        power = self.folder.power
        # What was open when the power went is never closed.
        if self.modified and self.boot == power.boots and not power.off:
            self.modified = False
            self._flush()
            self.folder.touch()
        super().close()


class Drive:
    """Two preallocated files, a folder each. read_only: a computer has the drive."""

    def __init__(
        self, power: Power, contents: tuple[bytes, bytes], base: int = 1536, paths: tuple[str, str] = vault.PATHS
    ) -> None:
        bases = base, (base + 1024) % SECTOR
        self.power = power
        self.folders = tuple(Folder(power, content, at) for content, at in zip(contents, bases, strict=True))
        self.paths = paths
        self.read_only = False
        self.neighbours = self.outside()

    def outside(self) -> tuple[bytes, ...]:
        return tuple(part for folder in self.folders for part in folder.outside())

    @property
    def writes(self) -> int:
        return sum(folder.writes for folder in self.folders)

    def content(self) -> bytes:
        """All of its flash, to look for a secret in."""
        return b"".join(folder.flash for folder in self.folders)

    def open(self, path: str, mode: str) -> File:
        if path not in self.paths:
            raise FileNotFoundError(errno.ENOENT, "No such file/directory")
        if mode == "r+b" and self.read_only:
            raise OSError(errno.EROFS, "Read-only filesystem")
        return self.folders[self.paths.index(path)].open(mode)
