"""From a folder or a port to a Way: a board that sleeps is waited for, one that crashes again and again broken into."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.device.console.raw_repl import RawRepl
from host_tools.device.deploying.drive_way import DriveWay
from host_tools.device.deploying.serial_way import SerialWay
from host_tools.device.deploying.way import Way
from host_tools.device.errors import DeviceError, LinkLost, NoBoard

# A board that runs its program answers an interrupt at once, and one that boots within two seconds.
ANSWERS_S, BOOTS_S = 3.0, 10.0
ASK_EACH_S = 1.0


def connect(
    target: Path | str,
    small_steps: bool = False,
    wait_s: float = 60.0,
    on_waiting: Callable[[str], None] = lambda text: None,
    now: Callable[[], float] = time.monotonic,
    a_board: bool = False,
) -> Way:
    """The way to the board at `target`: a Path is a drive's folder, a str a port. NoBoard after `wait_s` seconds.

    small_steps: for USB-Serial-JTAG. on_waiting: called with what the person at the board can do. a_board: whether no
    other folder will do.
    """
    if isinstance(target, Path):
        if not target.is_dir():
            raise NoBoard(f"there is no folder {target}: is the board's drive mounted? See `stoa ports`")
        if a_board:
            _check_is_a_board(target)
        return DriveWay(target)
    return SerialWay(_answering(target, small_steps, wait_s, on_waiting, now))


def _check_is_a_board(folder: Path) -> None:
    if (folder / "INFO_UF2.TXT").exists():
        raise NoBoard(f"{folder} is the drive of a bootloader: press RESET once, or `stoa flash` first")
    if not (folder / "boot_out.txt").exists() and not os.path.ismount(folder):
        raise NoBoard(
            f"{folder} is no drive of a board (no boot_out.txt, and nothing is mounted there): see `stoa ports`"
        )


def _answering(
    port: str, small_steps: bool, wait_s: float, on_waiting: Callable[[str], None], now: Callable[[], float]
) -> RawRepl:
    try:
        repl = RawRepl(port, small_steps)
    except NoBoard as absent:
        if not wait_s or os.path.exists(port):
            raise
        # Of a board's own USB there is nothing while it sleeps.
        on_waiting(f"{absent}; waiting {wait_s:.0f} s")
        ends = now() + wait_s
        repl = _opened(port, small_steps, ends, now)
        return _awaited(repl, ends, now)
    try:
        if _answers(repl, ANSWERS_S):
            return repl
        repl.reset_board()
        if _answers(repl, BOOTS_S):
            return repl
        on_waiting(
            f"{port} does not answer: the board may sleep. Press its RESET button, or the button that wakes it;"
            f" waiting {wait_s:.0f} s"
        )
    except BaseException as error:
        _let_go(repl, error)
        raise
    return _awaited(repl, now() + wait_s, now)


def _awaited(repl: RawRepl, ends: float, now: Callable[[], float]) -> RawRepl:
    try:
        while now() < ends:
            try:
                if _answers(repl, ASK_EACH_S):
                    return repl
            except LinkLost:
                # The port goes with the board's USB when it sleeps or is reset, and comes back.
                repl.close()
                repl = _opened(repl.port, repl.small_steps, ends, now)
        raise NoBoard(
            f"nothing answers on {repl.port}: press RESET and do this again at once; if it is a bootloader that is"
            " there (`stoa ports` tells), put CircuitPython on it first: `stoa flash`"
        )
    except BaseException as error:
        _let_go(repl, error)
        raise


def _let_go(repl: RawRepl, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        # It may have been in its REPL already.
        with contextlib.suppress(DeviceError):
            repl.leave()
    repl.close()


def _answers(repl: RawRepl, seconds: float) -> bool:
    try:
        repl.enter_raw_repl(timeout_overall=seconds)
    except NoBoard:
        return False
    return True


def _opened(port: str, small_steps: bool, ends: float, now: Callable[[], float]) -> RawRepl:
    """Once it is there. NoBoard."""
    while True:
        try:
            return RawRepl(port, small_steps)
        except NoBoard:
            if now() > ends:
                raise
            time.sleep(ASK_EACH_S / 4)
