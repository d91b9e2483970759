"""The CIRCUITPY drive: a FAT volume kept by ChaN's FatFs, the library CircuitPython's own drive is built on."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fatfs import wrapper as ff

from host_tools.virtual_board.fat_space import space
from host_tools.virtual_board.flash import Flash, FlashDisk

DIRECTORY, REGULAR = 0x4000, 0x8000

_ERRNO = {
    ff.PY_FR_NO_FILE: errno.ENOENT,
    ff.PY_FR_NO_PATH: errno.ENOENT,
    ff.PY_FR_INVALID_NAME: errno.EINVAL,
    ff.PY_FR_DENIED: errno.EACCES,
    ff.PY_FR_EXIST: errno.EEXIST,
    ff.PY_FR_WRITE_PROTECTED: errno.EROFS,
    ff.PY_FR_LOCKED: errno.EBUSY,
    ff.PY_FR_TOO_MANY_OPEN_FILES: errno.EMFILE,
    ff.PY_FR_INVALID_OBJECT: errno.EBADF,
}
_CHUNK = 32768
_FILLER = "/pictures.zip"
_MODES = {
    "r": ff.PY_FA_READ,
    "r+": ff.PY_FA_READ | ff.PY_FA_WRITE,
    "w": ff.PY_FA_WRITE | ff.PY_FA_CREATE_ALWAYS,
    "w+": ff.PY_FA_READ | ff.PY_FA_WRITE | ff.PY_FA_CREATE_ALWAYS,
    "a": ff.PY_FA_WRITE | ff.PY_FA_OPEN_APPEND,
}


def _check(result: int, path: str) -> None:
    if result != ff.PY_FR_OK:
        number = _ERRNO.get(result, errno.EIO)
        raise OSError(number, errno.errorcode[number], path)


class FatFile:
    """An open file; `at`, its pointer, is kept here because FatFs' is not readable through its binding."""

    def __init__(self, handle: Any, path: str, size: Callable[[], int], append: bool) -> None:
        self._handle = handle
        self._path = path
        self._measure = size
        self._length: int | None = None
        self.at = self._size() if append else 0

    def read(self, size: int) -> bytes:
        result, data = ff.pyf_read(self._handle, size)
        _check(result, self._path)
        self.at += len(data)
        return bytes(data)

    def write(self, data: bytes) -> int:
        # Asked before: the directory entry is brought up to date when the file is closed.
        size = self._size()
        result, written = ff.pyf_write(self._handle, data)
        _check(result, self._path)
        self.at += written
        self._length = max(size, self.at)
        if written < len(data):
            raise OSError(errno.ENOSPC, "ENOSPC", self._path)
        return int(written)

    def seek(self, offset: int, whence: int) -> int:
        at = offset + (0, self.at, self._size() if whence == 2 else 0)[whence]
        _check(ff.pyf_lseek(self._handle, at), self._path)
        self.at = at
        return at

    def flush(self) -> None:
        _check(ff.pyf_sync(self._handle), self._path)

    def close(self) -> None:
        _check(ff.pyf_close(self._handle), self._path)

    def _size(self) -> int:
        if self._length is None:
            self._length = self._measure()
        return self._length


class FatDrive:
    """A mounted FAT volume. A process holds at most ten at once (FatFs' own limit): unmount, or use `with`."""

    def __init__(self, flash: Flash, format_first: bool = False) -> None:
        self._flash = flash
        self._partition = ff.Partition(FlashDisk(flash))
        # Whether this mount made the volume: it did not mount, and whatever was on it is gone.
        self.formatted = format_first
        if format_first:
            self._partition.mkfs()
        try:
            self._partition.mount()
        except ff.FatFSException:
            # Registers the volume even when it fails: give its slot back.
            self._partition.unmount()
            raise OSError(errno.ENODEV, "ENODEV", "no FAT volume on this flash") from None

    def __enter__(self) -> FatDrive:
        return self

    def __exit__(self, *exception: object) -> None:
        self.unmount()

    def unmount(self) -> None:
        """Let go. What files not yet closed hold in FatFs' buffers is lost, as it is without power."""
        self._partition.unmount()

    def open(self, path: str, mode: str) -> FatFile:
        if mode not in _MODES:
            raise OSError(errno.EINVAL, "EINVAL", path)
        handle = ff.FIL_Handle()
        _check(ff.pyf_open(handle, self._name(path), _MODES[mode]), path)
        return FatFile(handle, path, lambda: self.stat(path)[1], mode == "a")

    def stat(self, path: str) -> tuple[int, int]:
        """(DIRECTORY or REGULAR, size in bytes)."""
        if path.rstrip("/") == "":
            return DIRECTORY, 0
        info = ff.FILINFO_Handle()
        _check(ff.pyf_stat(self._name(path.rstrip("/")), info), path)
        return (DIRECTORY, 0) if info.is_directory() else (REGULAR, info.get_size())

    def listdir(self, path: str) -> list[str]:
        handle, info = ff.DIR_Handle(), ff.FILINFO_Handle()
        _check(ff.pyf_opendir(handle, self._name(path)), path)
        names: list[str] = []
        try:
            while True:
                _check(ff.pyf_readdir(handle, info), path)
                name = info.get_name()
                if not name:
                    return names
                names.append(name)
        finally:
            ff.pyf_closedir(handle)

    def space(self) -> tuple[int, int, int]:
        """(bytes a cluster, clusters, free clusters), as flash has it; FatFs keeps a block of the table a while."""
        return space(self._flash.content)

    def walk(self, top: str = "/") -> Iterator[str]:
        """Paths of all files below `top`, without the leading slash."""
        for name in self.listdir(top):
            path = top.rstrip("/") + "/" + name
            if self.stat(path)[0] == DIRECTORY:
                yield from self.walk(path)
            else:
                yield path.lstrip("/")

    def mkdir(self, path: str) -> None:
        _check(ff.pyf_mkdir(self._name(path)), path)

    def remove(self, path: str) -> None:
        _check(ff.pyf_unlink(self._name(path)), path)

    def rename(self, old: str, new: str) -> None:
        _check(ff.pyf_rename(self._name(old), self._name(new)), old)

    def read_file(self, path: str) -> bytes:
        file = self.open(path, "r")
        try:
            # Asking for the size would walk the path once more.
            pieces = [file.read(_CHUNK)]
            while len(pieces[-1]) == _CHUNK:
                pieces.append(file.read(_CHUNK))
            return b"".join(pieces)
        finally:
            file.close()

    def write_file(self, path: str, data: bytes) -> None:
        file = self.open(path, "w")
        try:
            file.write(data)
        finally:
            file.close()

    def install(self, files: Mapping[str, bytes], keep: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> None:
        """Put `files` (path -> content) on the drive.

        Paths in `keep` that exist already in that size are left as they are. Below the folders in `own` nothing else
        stays: a module that is no longer shipped must not be importable.
        """
        present = set(self.walk())
        for path in sorted(present - set(files)):
            if path.startswith(tuple(folder + "/" for folder in own)):
                self.remove("/" + path)
        for path, content in files.items():
            if path in present and self._may_stay(path, content, path in keep):
                continue
            self._make_folders(path)
            self.write_file("/" + path, content)

    def _may_stay(self, path: str, content: bytes, keep: bool) -> bool:
        try:
            present = self.read_file("/" + path)
        except OSError:
            # A directory entry that a power cut has damaged.
            return False
        # What is kept is written in place: with another size it is of no use to anyone.
        return len(present) == len(content) if keep else present == content

    def fill(self) -> None:
        """Leave no cluster free, as an owner does who keeps pictures there too. Files can only be written in place."""
        if self._exists(_FILLER):
            return
        file = self.open(_FILLER, "w")
        try:
            while True:
                file.write(bytes(_CHUNK))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            file.close()

    def make_room(self) -> None:
        """Undo `fill`."""
        if self._exists(_FILLER):
            self.remove(_FILLER)

    def _exists(self, path: str) -> bool:
        try:
            self.stat(path)
        except FileNotFoundError:
            return False
        return True

    def _make_folders(self, path: str) -> None:
        folder = ""
        for part in path.split("/")[:-1]:
            folder += "/" + part
            try:
                self.mkdir(folder)
            except FileExistsError:
                continue

    def _name(self, path: str) -> bytes:
        if not path.isascii():
            # The binding takes no other names. A damaged folder may list some.
            raise OSError(errno.EINVAL, "EINVAL", path)
        return bytes(self._partition._adjust_path("/" + path.lstrip("/")))


@contextmanager
def mounted(flash: Flash) -> Iterator[FatDrive]:
    """The volume on `flash`; formatted first if it does not mount, as CircuitPython does at boot."""
    try:
        drive = FatDrive(flash)
    except OSError:
        drive = FatDrive(flash, format_first=True)
    try:
        yield drive
    finally:
        drive.unmount()
