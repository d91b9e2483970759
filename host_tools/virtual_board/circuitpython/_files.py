"""`open` and, for MicroPython's importer, a mountable file system: the CIRCUITPY drive over the link."""

import os
import sys

from _link import call

_BOUNDED_HEAP = sys.implementation.name == "micropython"
_CHUNK = 4096 if _BOUNDED_HEAP else 65536
# What a file open for reading fetches at once; FatFs, too, keeps a block. Fonts are read a glyph at a time.
_AHEAD = 512 if _BOUNDED_HEAP else 4096
_writes = 0


class File:
    """An open file of the drive, binary."""

    def __init__(self, path, mode):
        self._handle = call("fs.open", path, mode)
        self._at = call("fs.size", self._handle) if mode == "a" else 0
        self._reads_ahead = mode == "r"
        self._ahead = b""
        self._ahead_at = 0
        self._writes_seen = _writes

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        if self._handle is not None:
            call("fs.close", self._handle)
            self._handle = None

    def flush(self):
        if self._handle is not None:
            call("fs.flush", self._handle)

    def seek(self, offset, whence=0):
        if whence == 1:
            offset += self._at
        elif whence == 2:
            offset += call("fs.size", self._handle)
        if offset < 0:
            raise OSError(22, "EINVAL")
        self._at = offset
        return offset

    def tell(self):
        return self._at

    def read(self, size=-1):
        if size is not None and size >= 0:
            return self._read(size)
        whole = b""
        while True:
            piece = self._read(_CHUNK)
            whole = whole + piece if whole else piece
            if len(piece) < _CHUNK:
                return whole

    def readinto(self, buffer):
        piece = self._read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, data):
        global _writes
        _writes += 1
        written = call("fs.write", self._handle, self._at, data)
        self._at += written
        return written

    def _read(self, size):
        """As many bytes, and fewer only at the end of the file."""
        if not self._reads_ahead or size >= _AHEAD:
            piece = call("fs.read", self._handle, self._at, size)
        else:
            start = self._at - self._ahead_at
            whole = len(self._ahead)
            # A full one that falls short has more behind it.
            if start < 0 or start > whole or (start + size > whole and whole in (0, _AHEAD)) or self._is_stale():
                self._ahead = call("fs.read", self._handle, self._at, _AHEAD)
                self._ahead_at = self._at
                start = 0
            piece = self._ahead[start : start + size]
        self._at += len(piece)
        return piece

    def _is_stale(self):
        """Whether this program has written to any file since."""
        stale = self._writes_seen != _writes
        self._writes_seen = _writes
        return stale


def open(path, mode="r", *unused, **also_unused):
    file = File(os._absolute(path), mode.replace("b", "").replace("t", ""))
    if "b" in mode:
        return file
    # Of no use to most programs of a small board.
    from _text_file import TextFile

    return TextFile(file)


class Drive:
    """The drive as MicroPython's vfs.mount takes it, for the importer alone: everything else comes by `open` above.

    host: a file system with a folder of this process' own, `folder`. On a board the importer is machine code. Reading
    from a File, 25 bytes at a time, it would leave 660 KB of garbage over the drivers of a panel, and what it loads
    would lie scattered among that. So a module is lent to the host, and read there.
    """

    def __init__(self, host, folder):
        self._host = host
        self._lent = folder + "/module"

    def mount(self, readonly, mkfs):
        pass

    def open(self, path, mode):
        call("fs.lend", os._absolute(path), self._lent)
        return self._host.open(self._lent, "rb")

    def stat(self, path):
        return os.stat(path)
