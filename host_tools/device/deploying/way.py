"""The seam between a deploy and a board: what any way to the board's drive can do.

Paths are POSIX, from the drive's root, without a leading slash. Every method may raise LinkLost, DriveReadOnly or
DriveFull. A way is a context manager; leaving it lets the board run what is on the drive then, whatever happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from host_tools.device.finding.boot_out import BootOut

OnBytes = Callable[[int], None]


class Kept(NamedTuple):
    """A file as it lies on the board. sha256: in hexadecimal."""

    size: int
    sha256: str


class Differences(NamedTuple):
    """Path -> size as it lies there. missing: wanted, and not there (0) or with another content. unwanted: the rest."""

    missing: dict[str, int]
    unwanted: dict[str, int]


class Way(Protocol):
    """`name` is for people: "the drive at /media/me/CIRCUITPY", "/dev/ttyUSB0"."""

    name: str

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def boot_out(self) -> BootOut | None:
        """What boot_out.txt says; None if it is not there or says nothing."""
        ...

    def free(self) -> int:
        """Bytes that no file has yet."""
        ...

    def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """Path -> size, of those that are there."""
        ...

    def read(self, path: str, at: int, size: int) -> bytes:
        """So many bytes of a file, and fewer at its end; b"" if it is not there."""
        ...

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        """Path -> SHA-256 in hexadecimal, of those that are there."""
        ...

    def compare(self, folder: str, wanted: Mapping[str, Kept], on_bytes: OnBytes) -> Differences:
        """What of the files below `folder`, each read whole, is not as wanted; manifest.NAME aside.

        on_bytes: called with how many bytes were read, again and again.
        """
        ...

    def digest(self, folder: str, on_bytes: OnBytes) -> str:
        """manifest.digest of what lies below `folder`, each file read whole; of what cannot be read, no digest."""
        ...

    def write(self, path: str, content: bytes, on_bytes: OnBytes) -> None:
        """Create or replace a file, and the folders it lies in. on_bytes: with how many of its bytes are over."""
        ...

    def seal(self, folder: str, first_line: str, files: Mapping[str, Kept]) -> None:
        """Write the manifest of `folder`, which holds `files`: `digest` has just found them there."""
        ...

    def copy(self, source: str, target: str) -> None:
        """As `write`, from a file of the board's own."""
        ...

    def copy_all(self, source: str, target: str, paths: Sequence[str], on_bytes: OnBytes) -> None:
        """As `copy`, of `paths` in the folder `source`, to the folder `target`. on_bytes: as above."""
        ...

    def overwrite(self, path: str, at: int, block: bytes) -> None:
        """Put a block of a few KB in place into a file that is there: all or nothing, wherever the link is lost."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Give a file another name, in place of what has it: both or none, wherever the link is lost.

        FatFs renames to no name that is taken. Where a board's power fails in the midst of it, `source` alone is left.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder, if it is there."""
        ...

    def prune(self, folder: str) -> None:
        """Remove the empty folders below `folder`."""
        ...

    def erase_drive(self, lose_settings: bool) -> None:
        """Make the drive anew and keep settings.toml alone. DeviceError where this way cannot.

        lose_settings: go on where settings.toml cannot be read.
        """
        ...

    def settle(self) -> None:
        """Return when all that was written has reached the board."""
        ...


def beside(path: str) -> str:
    """Where `replace_file` makes the new file."""
    return f"{path}.new"


def take_up(way: Way, path: str) -> None:
    """Give `path` what `replace_file` made for it, where the power failed between the end of the old one and that.

    Where there never was a `path`, that may be half of what it was to be.
    """
    sizes = way.sizes([path, beside(path)])
    if path not in sizes and sizes.get(beside(path)):
        way.rename(beside(path), path)
        way.settle()


def replace_file(way: Way, path: str, content: bytes, made_as: str = "") -> None:
    """Create a file, or replace it: the old one is there or the new one, wherever the link is lost.

    made_as: the new one's name until it is whole, if not `beside`.
    """
    made_as = made_as or beside(path)
    way.write(made_as, content, lambda _: None)
    way.settle()
    way.rename(made_as, path)
