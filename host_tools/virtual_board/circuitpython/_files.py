"""`open` and, for MicroPython's importer, a mountable file system: the CIRCUITPY drive over the link."""

import gc
import io
import os

from _link import call

_CLOSE = 4  # MP_STREAM_CLOSE of py/stream.h; MicroPython calls ioctl(4) to close a stream written in Python.
_CHUNK = 4096
_AHEAD = 512


class File(io.IOBase):
    """An open file of the drive, binary. MicroPython wants an io.IOBase for its importer to read from."""

    def __init__(self, handle):
        self._handle = handle

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
        return call("fs.seek", self._handle, offset, whence)

    def tell(self):
        return call("fs.seek", self._handle, 0, 1)

    def read(self, size=-1):
        if size is not None and size >= 0:
            return call("fs.read", self._handle, size)
        whole = b""
        while True:
            piece = call("fs.read", self._handle, _CHUNK)
            if not piece:
                return whole
            whole += piece

    def readinto(self, buffer):
        piece = call("fs.read", self._handle, len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, data):
        return call("fs.write", self._handle, data)


class Source(File):
    """A file as MicroPython's importer reads it: 25 bytes at a time, which would be a call each over the link."""

    def __init__(self, handle):
        File.__init__(self, handle)
        self._ahead = b""
        self._at = 0

    def readinto(self, buffer):
        # The importer takes a short answer for the end of the file.
        done = 0
        while done < len(buffer):
            if self._at == len(self._ahead):
                self._ahead = call("fs.read", self._handle, _AHEAD)
                self._at = 0
                if not self._ahead:
                    break
            count = min(len(buffer) - done, len(self._ahead) - self._at)
            buffer[done : done + count] = self._ahead[self._at : self._at + count]
            self._at += count
            done += count
        return done


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
    file = File(call("fs.open", os._absolute(path), mode.replace("b", "").replace("t", "")))
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
        return Source(call("fs.open", os._absolute(path), "r"))

    def stat(self, path):
        return os.stat(path)

    def chdir(self, path):
        os.chdir(path)

    def getcwd(self):
        return os.getcwd()

    def ilistdir(self, path):
        for name in os.listdir(path):
            yield (name, os.stat(os._absolute(path).rstrip("/") + "/" + name)[0], 0)
