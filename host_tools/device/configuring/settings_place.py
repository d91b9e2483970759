"""Where a settings.toml lies: a file, in the folder of a drive or anywhere, or a board at a serial port.

A place is a context manager; `read` and `write` take the whole file. A write leaves the old file or the new one. No
backup is kept: it would be the Wi-Fi password lying about.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from host_tools.device.configuring.settings_file import LARGEST, SettingsFileError
from host_tools.device.deploying.connect import connect
from host_tools.device.deploying.way import Way, beside, replace_file, take_up
from host_tools.device.errors import DriveDamaged, DriveReadOnly, NoBoard, NotVerified
from host_tools.device.finding.targets import Target, choose
from host_tools.settings_toml import NAME

# Read by a board at once: in its memory it is bytes, and its text in base64.
_PIECE = 512


class Place(Protocol):
    """`name` is for people: a path, or a port."""

    name: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def read(self) -> bytes | None:
        """The file as it is; None where there is none. SettingsFileError, DeviceErrors."""
        ...

    def write(self, text: bytes) -> None:
        """SettingsFileError, DeviceErrors; the old file is there then."""
        ...


def place_at(
    target: str | None,
    wait_s: float = 60.0,
    on_waiting: Callable[[str], None] = lambda text: None,
    choose: Callable[[str | None], Target] = choose,
) -> Place:
    """The place a person means: a settings.toml, the folder it is to lie in, a port; None is the only board there.

    wait_s, on_waiting: for a board that sleeps, as `connect` has them. choose: looks for boards.
    """
    path = Path(target or "")
    if target and path.is_dir():
        return FilePlace(path / NAME)
    if target and (path.is_file() or path.suffix == ".toml"):
        if not path.parent.is_dir():
            raise SettingsFileError(f"there is no folder {path.parent}: make it, or give another file")
        return FilePlace(path)
    try:
        chosen = choose(target)
    except NoBoard as error:
        raise NoBoard(f"{error}; or give a file: `stoa config {NAME}`") from None
    if isinstance(chosen.target, Path):
        return FilePlace(chosen.target / NAME)
    return BoardPlace(connect(chosen.target, chosen.small_steps, wait_s, on_waiting))


class FilePlace:
    """path: of the file, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

    def read(self) -> bytes | None:
        try:
            with open(self._path, "rb") as file:
                return _of_a_size(self.name, file.read(LARGEST + 1))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SettingsFileError(f"cannot read {self.name}: {error.strerror}") from None

    def write(self, text: bytes) -> None:
        try:
            # A link is to stay one.
            path = self._path.resolve()
            # For its owner alone, where the file system knows of owners.
            handle, beside = tempfile.mkstemp(prefix=".settings-", suffix=".new", dir=path.parent)
            try:
                with open(handle, "wb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(beside, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(beside)
                raise
            _settle(path.parent)
        except OSError as error:
            raise SettingsFileError(f"cannot write {self.name}: {_remedy(error)}") from None


class BoardPlace:
    """way: to a board's drive.

    A board has no way to replace a file at once. Where its power fails between the end of the old one and the new one's
    getting its name, the next `read` goes on from there.
    """

    def __init__(self, way: Way) -> None:
        self.name = f"{NAME} by {way.name}"
        self._way = way

    def __enter__(self) -> Self:
        self._way.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._way.__exit__(kind, error, traceback)

    def read(self) -> bytes | None:
        with self._told():
            take_up(self._way, NAME)
            text = self._read()
            # It may be half a file, and has the password.
            self._way.remove(beside(NAME))
        return text

    def write(self, text: bytes) -> None:
        with self._told():
            replace_file(self._way, NAME, text)
            self._way.settle()
            if self._read() != text:
                raise NotVerified(
                    f"{self.name} reads back otherwise than it was written: check the cable, and try again"
                )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DriveReadOnly:
            raise DriveReadOnly(
                f"{self._way.name}: the drive is read-only to the board while a computer may have it by USB: give the "
                "drive's folder, where it is mounted: `stoa config FOLDER`"
            ) from None

    def _read(self) -> bytes | None:
        size = self._way.sizes([NAME]).get(NAME)
        if size is None:
            return None
        text = b""
        while len(text) < min(size, LARGEST + 1):
            piece = self._way.read(NAME, len(text), _PIECE)
            if not piece:
                raise DriveDamaged(
                    f"{self.name} cannot be read whole: `stoa deploy --erase-drive` makes the drive anew"
                )
            text += piece
        return _of_a_size(self.name, text)


def _of_a_size(name: str, text: bytes) -> bytes:
    if len(text) > LARGEST:
        raise SettingsFileError(f"{name} has more than {LARGEST} bytes: it is no settings.toml")
    return text


def _settle(folder: Path) -> None:
    """The change of name reaches the medium too. Windows opens no folders, and writes through to removable drives."""
    with contextlib.suppress(PermissionError, NotImplementedError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remedy(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC:
            return "the drive is full: remove files of your own, and do this again; the old settings are there"
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return (
                f"{error.strerror}; a board's drive may have become read-only to this computer: unplug it, plug it in, "
                "and do this again"
            )
        case errno.EIO | errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return f"{error.strerror}; was the board unplugged? Plug it in, and do this again"
    return f"{error.strerror}; the old settings are there"
