"""The CIRCUITPY drive as the firmware reaches it: files, settings.toml, and who may write."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from host_tools.settings_toml import SettingsSyntaxError, lookup
from host_tools.virtual_board.fat import FatDrive, FatFile
from host_tools.virtual_board.link import DeviceFault


class Drive:
    """`readonly`: as at boot. On native-USB boards code may not write until it has remounted the drive, and it cannot
    while a computer has it (`usb_attached`)."""

    def __init__(self, fat: FatDrive, readonly: bool, usb_attached: bool) -> None:
        self._fat = fat
        self._readonly = readonly
        self._usb_attached = usb_attached
        self._files: dict[int, FatFile] = {}
        self._next_handle = 1

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "fs.open": self._open,
            "fs.read": lambda handle, at, size: self._at(handle, at).read(size),
            "fs.write": lambda handle, at, data: self._at(handle, at).write(data),
            "fs.size": lambda handle: self._file(handle).seek(0, 2),
            "fs.flush": lambda handle: self._file(handle).flush(),
            "fs.close": self._close,
            "fs.stat": self._fat.stat,
            "fs.listdir": self._fat.listdir,
            "fs.statvfs": lambda path: self._fat.space(),
            "fs.mkdir": self._writing(self._fat.mkdir),
            "fs.remove": self._writing(self._fat.remove),
            "fs.rename": self._writing(self._fat.rename),
            "fs.load": self._load,
            "fs.lend": self._lend,
            # Written through: nothing waits (flash.py).
            "fs.sync": lambda: None,
            "os.getenv": self._getenv,
            "os.urandom": os.urandom,
            "storage.readonly": lambda: self._readonly,
            "storage.remount": self._remount,
            "supervisor.usb_connected": lambda: self._usb_attached,
        }

    def _open(self, path: str, mode: str) -> int:
        if mode != "r":
            self._check_writable()
        handle = self._next_handle
        self._next_handle += 1
        self._files[handle] = self._fat.open(path, mode)
        return handle

    def _load(self, paths: list[str]) -> tuple[int, bytes] | None:
        """(index, content) of the first of `paths` that is there: all that an import asks of the drive, in one call."""
        for index, path in enumerate(paths):
            try:
                return index, self._fat.read_file(path)
            except OSError:
                continue
        return None

    def _lend(self, path: str, to: str) -> None:
        """Copy a module to a file of this machine's, for an importer that must read it by itself."""
        Path(to).write_bytes(self._fat.read_file(path))

    def _close(self, handle: int) -> None:
        self._file(handle).close()
        del self._files[handle]

    def _file(self, handle: int) -> FatFile:
        try:
            return self._files[handle]
        except KeyError:
            raise DeviceFault("OSError", "EBADF", errno.EBADF) from None

    def _at(self, handle: int, at: int) -> FatFile:
        file = self._file(handle)
        if file.at != at:
            file.seek(at, 0)
        return file

    def _writing(self, change: Callable[..., None]) -> Callable[..., None]:
        def checked(*paths: str) -> None:
            self._check_writable()
            change(*paths)

        return checked

    def _check_writable(self) -> None:
        if self._readonly:
            raise DeviceFault("OSError", "Read-only filesystem", errno.EROFS)

    def _remount(self, mount_path: str, readonly: bool) -> None:
        if mount_path != "/":
            raise DeviceFault("OSError", "ENODEV", errno.ENODEV)
        if self._usb_attached:
            raise DeviceFault("RuntimeError", "Cannot remount path when visible via USB.")
        self._readonly = readonly

    def _getenv(self, key: str) -> str | None:
        try:
            text = self._fat.read_file("/settings.toml")
        except OSError:
            return None
        try:
            return lookup(text, key)
        except SettingsSyntaxError as error:
            raise DeviceFault("ValueError", str(error)) from None
