"""`open` and, for MicroPython's importer, a mountable file system: the CIRCUITPY drive over the link."""

import gc
import io
import os
import sys

from _link import call

_CLOSE = 4  # MP_STREAM_CLOSE of py/stream.h; MicroPython calls ioctl(4) to close a stream written in Python.
_BOUNDED_HEAP = sys.implementation.name == "micropython"
_CHUNK = 4096 if _BOUNDED_HEAP else 65536
# What a file open for reading fetches at once; FatFs, too, keeps a block. Fonts are read a glyph at a time, and
# MicroPython's importer takes 25 bytes at a time.
_AHEAD = 512 if _BOUNDED_HEAP else 4096
_writes = 0


class File(io.IOBase):
    """An open file of the drive, binary. MicroPython wants an io.IOBase for its importer to read from."""

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

    def __del__(self):
        pass

    def close(self):
        if self._handle is not None:
            call("fs.close", self._handle)
            self._handle = None

    def ioctl(self, request, argument):
        if request == _CLOSE:
            self.close()
        return 0

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
        """As many bytes, and fewer only at the end of the file: MicroPython's importer takes a short answer for it."""
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


class TextFile:
    """The same in text mode; whole reads only, which is all the portable subset needs."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def close(self):
        self._file.close()

    def read(self):
        return self._file.read().decode("utf-8")

    def readlines(self):
        return [line + "\n" for line in self.read().rstrip("\n").split("\n")]

    def __iter__(self):
        return iter(self.readlines())

    def write(self, text):
        self._file.write(text.encode("utf-8"))
        return len(text)


def open(path, mode="r", *unused, **also_unused):
    file = File(os._absolute(path), mode.replace("b", "").replace("t", ""))
    return file if "b" in mode else TextFile(file)


class Drive:
    """The drive as MicroPython's vfs.mount takes it."""

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def open(self, path, mode):
        # The importer's own calls into this file make garbage faster than MicroPython collects it: 660 KB over the
        # drivers of a panel, measured with -X heapsize=1M.
        gc.collect()
        return File(os._absolute(path), "r")

    def stat(self, path):
        return os.stat(path)

    def chdir(self, path):
        os.chdir(path)

    def getcwd(self):
        return os.getcwd()

    def ilistdir(self, path):
        for name in os.listdir(path):
            yield (name, os.stat(os._absolute(path).rstrip("/") + "/" + name)[0], 0)
