"""From a folder or a port to a Way: a board that sleeps is waited for, one that crashes again and again broken into."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.device.console.raw_repl import NoRepl, RawRepl
from host_tools.device.deploying.drive_way import DriveWay
from host_tools.device.deploying.serial_way import SerialWay
from host_tools.device.deploying.way import Way
from host_tools.device.errors import LinkLost, NoBoard
from host_tools.device.finding.drives import CIRCUITPY, is_drive

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
    if not (folder / "boot_out.txt").exists() and not is_drive(folder):
        raise NoBoard(
            f"{folder} is no drive of a board (no boot_out.txt, and no FAT file system called {CIRCUITPY} is mounted"
            " there): see `stoa ports`; if it is one, press RESET, for CircuitPython writes boot_out.txt as it boots"
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
        return _awaited(repl, ends, now, absent)
    try:
        if _refusal(repl, ANSWERS_S) is None:
            return repl
        repl.reset_board()
        refusal = _refusal(repl, BOOTS_S)
        if refusal is None:
            return repl
        if isinstance(refusal, NoRepl):
            on_waiting(f"{refusal}; waiting {wait_s:.0f} s")
        else:
            on_waiting(
                f"{port} does not answer: the board may sleep. Press its RESET button, or the button that wakes it;"
                f" waiting {wait_s:.0f} s"
            )
    except BaseException as error:
        repl.let_go(error)
        raise
    return _awaited(repl, now() + wait_s, now, refusal)


def _awaited(repl: RawRepl, ends: float, now: Callable[[], float], refusal: NoBoard | None) -> RawRepl:
    try:
        while now() < ends:
            try:
                refusal = _refusal(repl, ASK_EACH_S)
                if refusal is None:
                    return repl
            except LinkLost:
                # The port goes with the board's USB when it sleeps or is reset, and comes back.
                refusal = None
                repl.close()
                repl = _opened(repl.port, repl.small_steps, ends, now)
        if isinstance(refusal, NoRepl):
            raise refusal
        raise NoBoard(
            f"nothing answers on {repl.port}: press RESET and do this again at once; if it is a bootloader that is"
            " there (`stoa ports` tells), put CircuitPython on it first: `stoa flash`"
        )
    except BaseException as error:
        repl.let_go(error)
        raise


def _refusal(repl: RawRepl, seconds: float) -> NoBoard | None:
    """None once it is in its raw REPL."""
    try:
        repl.enter_raw_repl(timeout_overall=seconds)
    except NoBoard as refusal:
        return refusal
    return None


def _opened(port: str, small_steps: bool, ends: float, now: Callable[[], float]) -> RawRepl:
    """Once it is there. NoBoard."""
    while True:
        try:
            return RawRepl(port, small_steps)
        except NoBoard:
            if now() > ends:
                raise
            time.sleep(ASK_EACH_S / 4)
