"""A reset of a board by its port: by the reset line where the port has one, else from the REPL."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from host_tools.device.errors import LinkLost, NoBoard
from host_tools.device.finding.ports import Found
from host_tools.device.finding.usb_ids import Kind
from host_tools.device.opening import set_line

if TYPE_CHECKING:
    import serial

_HAVE_THE_LINE: frozenset[Kind] = frozenset({"uart-bridge", "usb-serial-jtag", "bootloader"})
# A chip needs less; the capacitor at its reset pin is slower (esptool, reset.py: HardReset).
HOLD_S = 0.1


def has_reset_line(found: Found | None) -> bool:
    return found is not None and found.kind in _HAVE_THE_LINE


def pull_reset_line(port: serial.Serial, wait: Callable[[float], None] = time.sleep) -> None:
    """Boot the board at an open port, which stays open: nothing that it prints is missed."""
    set_line(port, "dtr", False)
    set_line(port, "rts", True)
    wait(HOLD_S)
    # DTR stays down: up while the board leaves reset, it would start the bootloader.
    set_line(port, "rts", False)


def reset_from_the_repl(port: str) -> None:
    """Interrupt the program of the board at `port`, which must be closed, and boot it. PortInUse, NoBoard."""
    from host_tools.device.console.raw_repl import RawRepl

    repl = RawRepl(port)
    try:
        repl.enter_raw_repl()
        # The port goes with the answer.
        with contextlib.suppress(LinkLost):
            repl.begin("import microcontroller;microcontroller.reset()")
    except BaseException as error:
        repl.let_go(error)
        if isinstance(error, NoBoard):
            raise NoBoard(f"the board at {port} does not answer: press its RESET button, without --reset") from None
        raise
    repl.close()
