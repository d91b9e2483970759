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


class NotVerified(DeviceError):
    """What was read back is not what was written."""
