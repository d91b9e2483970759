"""What can be wrong with a board, its cable or its drive: each says what to do about it."""

from __future__ import annotations

from host_tools.errors import StoaError


class DeviceError(StoaError):
    """Something about a board; exit code 3, so that a script can tell it from a wrong option."""

    exit_code = 3


class NoBoard(DeviceError):
    """No board is there, or none that answers."""


class LinkLost(DeviceError):
    """The cable, the port or the drive went in the midst of it. Doing the same again goes on from there."""


class DriveFull(DeviceError):
    """The drive has no room for a second program beside the one that runs."""


class DriveReadOnly(DeviceError):
    """The way that was taken may not write to the drive."""


class PortInUse(DeviceError):
    """Another program has the port."""


class WrongBoard(DeviceError):
    """The board is another than the one that was meant, or one that Stoa does not know."""


class DriveDamaged(DeviceError):
    """Folders or files of the drive cannot be read: its power failed as it was written."""


class NotVerified(DeviceError):
    """What was read back is not what was written."""


class BootloaderTooOld(DeviceError):
    """The board's UF2 bootloader cannot hold the image that was meant for it."""


class CutShort(DeviceError):
    """Ctrl-C in the midst of it; exit code 130, as after any Ctrl-C. The board can be given the same again."""

    exit_code = 130


class ImageRefused(StoaError):
    """A file that may not be flashed: broken, for another board, or not what the way takes. A wrong argument: 2."""

    exit_code = 2
