"""The device libraries, as published: fetched once from the package index, verified, unpacked into the cache.

firmware/libraries.toml is the lock. Nothing enters the cache that does not have the digest written there, and every
file is checked again each time the cache is asked for, so that an edited driver can never pass for the published one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from host_tools.errors import StoaError
from host_tools.shipped import shipped
from host_tools.toml_table import Table, TableError

# The largest library file is 16 KB; a file past this is not one of them.
_LARGEST_FILE = 1 << 20


class DeviceLibraryError(StoaError):
    """A device library could not be had, or is not what the lock says."""


@dataclass(frozen=True)
class Library:
    """One published archive. `files` maps each file taken (POSIX path below lib/) to its sha256, in hexadecimal."""

    name: str
    version: str
    filename: str
    sha256: str
    licence: str
    on_board: bool
    files: Mapping[str, str]


def library_path(lock: Path | None = None) -> Path:
    """The folder whose contents go to the drive's lib/. Fetches what is missing; DeviceLibraryError if it cannot.

    lock: another than firmware/libraries.toml, of the same form.
    """
    return _unpacked(lock) / "lib"


def on_board_path() -> Path:
    """The folder of the libraries that CircuitPython has built in, for the virtual board to put on its path."""
    return _unpacked() / "on_board"


def locked_libraries(lock: Path | None = None) -> list[Library]:
    """What firmware/libraries.toml names. DeviceLibraryError names the file and the key if it is not a lock."""
    path = lock or shipped("firmware") / "libraries.toml"
    try:
        top = Table(tomllib.loads(path.read_text(encoding="utf-8")))
        libraries = [_library(table) for table in top.tables("library")]
        top.finish()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TableError) as error:
        raise DeviceLibraryError(f"{path.name}: {error}") from error
    return libraries


def cache_folder() -> Path:
    """$STOA_CACHE, or `stoa` below $XDG_CACHE_HOME, or ~/.cache/stoa."""
    if own := os.environ.get("STOA_CACHE"):
        return Path(own)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "stoa"
    return Path.home() / ".cache" / "stoa"


def _library(table: Table) -> Library:
    library = Library(
        name=table.text("name"),
        version=table.text("version"),
        filename=table.text("filename"),
        sha256=table.text("sha256"),
        licence=table.text("licence"),
        on_board=table.boolean("on_board"),
        files=table.table("files").texts(),
    )
    table.finish()
    for name in library.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            raise TableError(f"{library.name}: {name!r} would leave the lib folder")
    return library


def _unpacked(lock: Path | None = None) -> Path:
    libraries = locked_libraries(lock)
    cache = cache_folder()
    # One folder a lock: a checkout of another day keeps its own, and a finished folder is never changed.
    digest = hashlib.sha256(repr(libraries).encode()).hexdigest()[:16]
    target = cache / "device-libraries" / digest
    try:
        if not _is_whole(target, libraries):
            _assemble(target, libraries, cache / "downloads")
    except OSError as error:
        raise DeviceLibraryError(
            f"the cache folder {cache} cannot be used ({error.strerror or error}): set STOA_CACHE to a writable folder"
        ) from error
    return target


def _place(folder: Path, library: Library, name: str) -> Path:
    return folder / ("on_board" if library.on_board else "lib") / name


def _is_whole(folder: Path, libraries: list[Library]) -> bool:
    wanted = {_place(folder, library, name): digest for library in libraries for name, digest in library.files.items()}
    return all(path.is_file() and _sha256(path.read_bytes()) == digest for path, digest in wanted.items())


def _assemble(target: Path, libraries: list[Library], downloads: Path) -> None:
    """Build the folder beside its place and rename it in, so that no process ever sees half of one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        for library in libraries:
            _unpack(_archive(library, downloads), library, building)
        # A folder that is there but not whole was damaged after it was made: out of the way with it.
        if target.exists() and not _is_whole(target, libraries):
            shutil.rmtree(target, ignore_errors=True)
        # A rename onto a folder with files in it fails: another process was first, and its files are as good.
        with contextlib.suppress(OSError):
            building.rename(target)
        if not _is_whole(target, libraries):
            raise DeviceLibraryError(f"the cache folder {target} is damaged and cannot be replaced: remove it")
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _archive(library: Library, downloads: Path) -> Path:
    """The verified archive: the one kept from before, or fetched now."""
    kept = downloads / library.filename
    if kept.is_file() and _sha256(kept.read_bytes()) == library.sha256:
        return kept
    # 0.18 s of imports that a run with a filled cache does without.
    from host_tools import package_index

    downloads.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{library.filename}.", dir=downloads)
    os.close(handle)
    fetched = Path(name)
    try:
        package_index.fetch(library.name, library.filename, fetched)
        if (found := _sha256(fetched.read_bytes())) != library.sha256:
            raise DeviceLibraryError(
                f"{library.filename} from the package index is not the locked file (sha256 {found[:12]}…, "
                f"expected {library.sha256[:12]}…): it was not kept; use another index"
            )
        fetched.replace(kept)
    except package_index.IndexUnavailable as error:
        raise DeviceLibraryError(
            f"cannot fetch {library.name} {library.version} ({error}): go online once, set PIP_INDEX_URL to an index "
            f"within reach, or put {library.filename} into {downloads}"
        ) from error
    finally:
        fetched.unlink(missing_ok=True)
    return kept


def _unpack(archive: Path, library: Library, folder: Path) -> None:
    """Write the locked files and no others; each must have its digest."""
    try:
        contents = _wheel_files(archive, library) if archive.suffix == ".whl" else _source_files(archive, library)
    except (zipfile.BadZipFile, tarfile.TarError, KeyError, EOFError) as error:
        raise DeviceLibraryError(f"{library.filename} cannot be unpacked: {error}") from error
    for name, digest in library.files.items():
        if _sha256(contents[name]) != digest:
            raise DeviceLibraryError(f"{library.filename}: {name} is not the locked file; nothing was unpacked")
        path = _place(folder, library, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[name])


def _wheel_files(archive: Path, library: Library) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as wheel:
        return {name: _bounded(wheel.open(name), name) for name in library.files}


def _source_files(archive: Path, library: Library) -> dict[str, bytes]:
    # A source archive holds one folder NAME-VERSION (PEP 625); `extractfile` answers None for anything but a file.
    top = f"{library.name}-{library.version}/"
    contents = {}
    with tarfile.open(archive) as source:
        for name in library.files:
            opened = source.extractfile(top + name)
            if opened is None:
                raise KeyError(f"{name} is not a file")
            contents[name] = _bounded(opened, name)
    return contents


def _bounded(opened: IO[bytes], name: str) -> bytes:
    with opened:
        content = opened.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise KeyError(f"{name} is larger than {_LARGEST_FILE} bytes")
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    # For `make setup`: fill the cache.
    try:
        library_path()
    except DeviceLibraryError as error:
        raise SystemExit(f"stoa: {error}") from error
