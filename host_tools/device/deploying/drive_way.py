"""The way to a board's drive where the computer has it as a folder: native USB, or a card reader's worth of files.

CircuitPython runs code.py anew 750 ms after the last write. That is the old program until a deploy is at its end.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from host_tools.device.deploying import manifest
from host_tools.device.deploying.way import Differences, Kept, OnBytes
from host_tools.device.errors import DeviceError, DriveFull, DriveReadOnly, LinkLost, PortInUse
from host_tools.device.finding import boot_out

try:
    import fcntl
except ImportError:
    # Windows.
    fcntl = None  # type: ignore[assignment]

PIECE = 65536


class DriveWay:
    """folder: where the drive is mounted."""

    def __init__(self, folder: Path) -> None:
        self.name = f"the drive at {folder}"
        self._folder = folder
        # A drive that is pulled out leaves an empty folder, which is another file system.
        self._device = folder.stat().st_dev
        self._lock: int | None = None

    def __enter__(self) -> Self:
        with self._told(""):
            self._lock = _locked(self._folder, self.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def boot_out(self) -> boot_out.BootOut | None:
        return boot_out.parse(self.read("boot_out.txt", 0, boot_out.SIZE).decode("utf-8", "replace"))

    def free(self) -> int:
        with self._told(""):
            return shutil.disk_usage(self._folder).free

    def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        with self._told(""):
            return {path: self._at(path).stat().st_size for path in paths if self._at(path).is_file()}

    def read(self, path: str, at: int, size: int) -> bytes:
        with self._told(path):
            try:
                with open(self._at(path), "rb") as file:
                    file.seek(at)
                    return file.read(size)
            except FileNotFoundError:
                return b""

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        found = {}
        for path in self.sizes(paths):
            with self._told(path), _uncached(self._at(path)) as file:
                found[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def compare(self, folder: str, wanted: Mapping[str, Kept], on_bytes: OnBytes) -> Differences:
        there = self._inventory(folder, on_bytes)
        return Differences(
            {path: there[path].size if path in there else 0 for path in wanted if there.get(path) != wanted[path]},
            {path: there[path].size for path in there.keys() - wanted.keys()},
        )

    def _inventory(self, folder: str, on_bytes: OnBytes) -> dict[str, Kept]:
        found = {}
        with self._told(folder):
            top = self._at(folder)
            for path in sorted(path for path in top.rglob("*") if path.is_file() and not path.name.startswith(".")):
                hashed, size = hashlib.sha256(), 0
                with _uncached(path) as file:
                    while piece := file.read(PIECE):
                        hashed.update(piece)
                        size += len(piece)
                        on_bytes(len(piece))
                found[path.relative_to(top).as_posix()] = Kept(size, hashed.hexdigest())
        found.pop(manifest.NAME, None)
        return found

    def digest(self, folder: str, on_bytes: OnBytes) -> str:
        return manifest.digest(self._inventory(folder, on_bytes))

    def write(self, path: str, content: bytes, on_bytes: OnBytes) -> None:
        with self._told(path):
            target = self._at(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as file:
                for at in range(0, len(content), PIECE):
                    piece = content[at : at + PIECE]
                    file.write(piece)
                    on_bytes(len(piece))
                file.flush()
                os.fsync(file.fileno())

    def seal(self, folder: str, first_line: str, files: Mapping[str, Kept]) -> None:
        self.write(f"{folder}/{manifest.NAME}", (first_line + manifest.lines(files)).encode(), lambda _: None)

    def copy(self, source: str, target: str) -> None:
        with self._told(source):
            content = self._at(source).read_bytes()
        self.write(target, content, lambda _: None)

    def copy_all(self, source: str, target: str, paths: Sequence[str], on_bytes: OnBytes) -> None:
        for path in paths:
            self.copy(f"{source}/{path}", f"{target}/{path}")
            on_bytes(self.sizes([f"{target}/{path}"])[f"{target}/{path}"])

    def overwrite(self, path: str, at: int, block: bytes) -> None:
        with self._told(path), open(self._at(path), "r+b", buffering=0) as file:
            file.seek(at)
            file.write(block)
            os.fsync(file.fileno())

    def rename(self, source: str, target: str) -> None:
        with self._told(target):
            os.replace(self._at(source), self._at(target))

    def remove(self, path: str) -> None:
        with self._told(path):
            target = self._at(path)
            if target.is_dir():
                target.rmdir()
            else:
                target.unlink(missing_ok=True)

    def prune(self, folder: str) -> None:
        with self._told(folder):
            top = self._at(folder)
            for path in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
                if not any(path.iterdir()):
                    path.rmdir()

    def erase_drive(self, lose_settings: bool) -> None:
        raise DeviceError(
            f"{self.name} cannot be made anew from this side: save settings.toml, type `import storage;"
            " storage.erase_filesystem()` in the board's REPL, deploy to the drive that comes back, and put"
            " settings.toml on it"
        )

    def settle(self) -> None:
        with self._told(""):
            if hasattr(os, "sync"):
                # Folders too; on Windows a removable drive is written through.
                os.sync()

    def _at(self, path: str) -> Path:
        return self._folder / path

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        try:
            if self._folder.stat().st_dev != self._device:
                raise FileNotFoundError(errno.ENOENT, "gone")
            yield
        except OSError as error:
            raise self._reason(path, error) from None

    def _reason(self, path: str, error: OSError) -> DeviceError:
        what = f"{self.name}: {path}" if path else self.name
        if error.errno == errno.ENOSPC:
            return DriveFull(f"{what}: the drive is full: remove files of your own, and deploy again")
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return DriveReadOnly(
                f"{what} cannot be written ({error.strerror}): a boot.py may have made the drive read-only to this"
                " computer, or the computer did after an error on it; unplug the board, plug it in, and deploy again"
            )
        if error.errno in (errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY):
            return DeviceError(f"{what}: there is a folder where a file is to be, or a file for a folder: rename it")
        return LinkLost(
            f"{what}: {error.strerror or error}: was the board unplugged? Plug it in and deploy again, it goes on from"
            " where it was; the board runs what it ran before"
        )


def _locked(folder: Path, name: str) -> int | None:
    """A descriptor that holds the folder for this process alone, where the system has such locks. PortInUse."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise PortInUse(f"{name} is being deployed to by another `stoa`: wait for its end") from None
    except OSError:
        # A file system without locks.
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _uncached(path: Path) -> Iterator[FileIO]:
    """Open for reading what is on the medium, and not what the computer remembers having written."""
    with open(path, "rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        elif fcntl is not None and hasattr(fcntl, "F_NOCACHE"):
            # macOS. Windows writes a removable drive through, and its cache is read.
            fcntl.fcntl(file.fileno(), fcntl.F_NOCACHE, 1)
        yield file
