"""Copying a UF2 file onto a bootloader's drive, which is no real drive: TinyUF2 takes each block as it comes.

When it has them all it restarts the board, and the drive goes: that is how success looks (adafruit/tinyuf2, src/msc.c).
So each piece is brought to the board before the next is written, and what goes before the last one was lost.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.device.errors import DriveFull, DriveReadOnly, LinkLost
from host_tools.device.finding import info_uf2

FILE_NAME = "STOA.UF2"
PIECE = 64 * 1024
# The drive goes with the last piece: a short one, so that little is uncertain.
LAST_PIECE = 4096
LOOK_EACH_S = 0.25


def copy(
    content: bytes,
    drive: Path,
    on_bytes: Callable[[int], None],
    patience_s: float,
    now: Callable[[], float] = time.monotonic,
) -> bool:
    """Whether the drive went when all was there, within patience_s seconds; else the bootloader wants something else.

    on_bytes: called with how many have reached the board. LinkLost, DriveFull or DriveReadOnly.
    """
    if not _write(content, drive, on_bytes):
        return True
    ends = now() + patience_s
    while _is_there(drive):
        if now() >= ends:
            return False
        time.sleep(LOOK_EACH_S)
    return True


def _write(content: bytes, drive: Path, on_bytes: Callable[[int], None]) -> bool:
    """Whether the drive is still there, as far as can be told."""
    at, last = 0, max(0, len(content) - LAST_PIECE)
    try:
        with open(drive / FILE_NAME, "wb", buffering=0) as file:
            while at < len(content):
                size = min(PIECE, last - at) if at < last else LAST_PIECE
                view = memoryview(content)[at : at + size]
                while view:
                    view = view[file.write(view) :]
                os.fsync(file.fileno())
                at = min(len(content), at + size)
                on_bytes(at)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DriveFull(f"{drive} is full: it is no bootloader's drive; see `stoa ports`") from None
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise DriveReadOnly(
                f"{drive} cannot be written ({error.strerror}): unplug the board, and do this again"
            ) from None
        if at >= last and at:
            # The board had all, and went before the computer knew.
            on_bytes(len(content))
            return False
        raise LinkLost(
            f"{drive} went after {at // 1024} of {len(content) // 1024} KiB ({error.strerror}): check the cable. The"
            " board has half a CircuitPython and starts its bootloader: do this again when the drive is back"
        ) from None
    return True


def _is_there(drive: Path) -> bool:
    try:
        info = info_uf2.find(drive)
        if info is None:
            return False
        with open(info, "rb", buffering=0) as file:
            if hasattr(os, "posix_fadvise"):
                # Not what the computer remembers of it.
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return bool(file.read(1))
    except (OSError, LinkLost):
        return False
