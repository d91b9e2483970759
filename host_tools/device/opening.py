"""Opening a serial port, and what to do when it cannot be opened.

Behind a UART bridge an ESP32 is held in reset while RTS is up and DTR is not, and starts its bootloader if it leaves
reset while DTR is up and RTS is not; both up is the same as none, by two transistors (esptool, reset.py). So DTR goes
up first and RTS comes down first, as with mpremote (micropython#18001). On a board's own USB the console is mute until
DTR is up.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import TYPE_CHECKING

from host_tools.device.errors import DeviceError, NoBoard, PortInUse

if TYPE_CHECKING:
    import serial

try:
    import termios
except ImportError:
    # Windows.
    OPENING_ERRORS: tuple[type[Exception], ...] = (OSError, ValueError)
else:
    # Of a port that goes while pyserial sets it up; it is no OSError.
    OPENING_ERRORS = (OSError, ValueError, termios.error)

BAUD = 115200
# Windows tells it by text; TIOCEXCL (screen, picocom) by EBUSY, a lock of pyserial's by EAGAIN.
_IN_USE = ("exclusively lock", "Access is denied")
_IN_USE_ERRNOS = (errno.EAGAIN, errno.EBUSY)
# "Could not configure port: (5, 'Input/output error')", "FileNotFoundError(2, 'The system cannot ...')".
_ERRNO_IN_TEXT = re.compile(r"\((\d+), '")
_GONE_ERRNOS = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO)
_NO_PORT_ERRNOS = (errno.EISDIR, errno.ENOTTY, errno.EINVAL)


def open_port(port: str, timeout: float | None = None) -> serial.Serial:
    """The port, for this program alone, without a reset of the board where that can be. timeout: of a read, seconds.

    PortInUse, or NoBoard if there is no such port.
    """
    import serial

    opened = serial.Serial(None, BAUD, timeout=timeout, exclusive=True)
    opened.port = port
    if os.name == "nt":
        # Windows' drivers set the two lines at different times; POSIX kernels raise both at once by themselves.
        opened.dtr = opened.rts = False
    try:
        opened.open()
        set_line(opened, "dtr", True)
        set_line(opened, "rts", True)
    except OPENING_ERRORS as error:
        raise why_not_open(port, error) from None
    return opened


def close_port(port: serial.Serial) -> None:
    """Close it, if it is there still, and let the board run on."""
    set_line(port, "rts", False)
    set_line(port, "dtr", False)
    with contextlib.suppress(OSError):
        port.close()


def set_line(port: serial.Serial, line: str, up: bool) -> bool:
    """Raise or lower "dtr" or "rts"; False if the port has no such line, as a pseudo-terminal, or is gone."""
    try:
        setattr(port, line, up)
    except OSError:
        return False
    return True


def why_not_open(port: str, error: Exception) -> DeviceError:
    """The error to raise, with what to do about it, where opening `port` has failed with `error`."""
    cause = _cause(port, error)
    number, text = _errno(cause), str(cause)
    if number in _IN_USE_ERRNOS or any(words in text for words in _IN_USE):
        return PortInUse(f"{port} is in use by another program: close its serial monitor, and do this again")
    if number in (errno.EACCES, errno.EPERM):
        return PortInUse(f"{port} may not be opened by you: {how_to_be_permitted(port)}")
    if number in _GONE_ERRNOS:
        return NoBoard(
            f"there is no {port}: plug the board in with a cable that carries data, or press RESET if it may sleep, and"
            " see `stoa ports`"
        )
    if number in _NO_PORT_ERRNOS:
        return NoBoard(f"{port} is no serial port: see `stoa ports`")
    return NoBoard(f"{port} cannot be opened: {text}")


def how_to_be_permitted(port: str) -> str:
    """What lets this user open the port."""
    group = "dialout"
    with contextlib.suppress(OSError, KeyError, ImportError):
        import grp

        # Arch calls it uucp.
        group = grp.getgrgid(os.stat(port).st_gid).gr_name
    if group in ("root", "wheel"):
        return f"`sudo chmod a+rw {port}`, until it is unplugged"
    return f"`sudo usermod -aG {group} $USER`, then log out and in again"


def _errno(error: Exception) -> int | None:
    """Of an OSError; or as the text has it, where pyserial or termios made one of an OSError."""
    said = _ERRNO_IN_TEXT.search(str(error))
    number = getattr(error, "errno", None) or (int(said[1]) if said else None)
    return number if isinstance(number, int) else None


def _cause(port: str, error: Exception) -> Exception:
    """mpremote says that it failed and not why; the same again says why."""
    if isinstance(error, OPENING_ERRORS):
        return error
    import serial

    try:
        serial.Serial(port, BAUD, exclusive=True).close()
    except OPENING_ERRORS as said:
        return said
    return error
