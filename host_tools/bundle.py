"""The contents of a board's drive: the program, its libraries, fonts, board profile and preallocated files.

The virtual board and a real deploy get the same bundle. `settings.toml` is the owner's and never part of it.
"""

from __future__ import annotations

import importlib
import pprint
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from host_tools import device_libraries, fonts
from host_tools.boards import ANALOG_REFERENCE_MV, Board, Power
from host_tools.errors import StoaError
from host_tools.precompile import precompiled
from host_tools.shipped import shipped

# Files the device writes in place, with the firmware module that knows their size and first content. They are made at
# deploy because creating or extending a file at run time rewrites the sector that holds FAT and root directory.
_PREALLOCATED = {
    "cache-a/quote.bin": "stoa.quotes",
    "cache-b/quote.bin": "stoa.quotes",
    "vault-a/token.bin": "stoa.vault",
    "vault-b/token.bin": "stoa.vault",
}

# FatFs brings a file's directory entry up to date whenever the file was written, which erases the sector the directory
# lies in, and whatever else lies there. The preallocated files begin and end with a sector of padding; this one,
# written before the first of their folders is made, keeps that folder's directory away from what lies before it.
_GUARD = {"guard.bin": b"\xff" * 4096}

# What a later deploy leaves alone where it is already there: the token and the last quote.
PRESERVED = tuple(_PREALLOCATED)

# Folders in which nothing but the bundle's own files belongs.
OWNED = ("fonts", "lib", "stoa")

# A FAT drive of this size hands out space by the sector.
_SECTOR = 512


class BundleError(StoaError):
    """The bundle cannot go onto this board."""


def build_bundle(board: Board, mpy_cross: Path | None = None) -> dict[str, bytes]:
    """POSIX path on the drive -> content, in the order in which a new drive is to be filled.

    mpy_cross: the program that compiles the modules, where they are wanted as bytecode. BundleError if the files do not
    fit the board's drive; DeviceLibraryError if a device library cannot be had; PrecompileError.
    """
    first = _GUARD | _preallocated(shipped("firmware"))
    program = {
        **_program(shipped("firmware")),
        **_libraries(),
        **{f"fonts/{name}": content for name, content in fonts.compiled_fonts().items()},
        "board_profile.py": board_profile(board).encode(),
    }
    files = first | dict(sorted(program.items()))
    taken_kib = sum(-(-len(content) // _SECTOR) * _SECTOR for content in files.values()) // 1024
    if taken_kib > board.memory.drive_kib:
        raise BundleError(
            f"the files take {taken_kib} KiB, more than the {board.memory.drive_kib} KiB drive of {board.id} holds"
        )
    return files if mpy_cross is None else precompiled(files, mpy_cross)


def board_profile(board: Board) -> str:
    """What the firmware may know of its board, as the source of a module: CircuitPython reads no TOML.

    The panel fitted is left out: the firmware drives what the profile says, and the glass answers for itself.
    """
    panel = asdict(board.panel)
    del panel["fitted"]
    profile = {
        "id": board.id,
        "link": board.link,
        "sleep_memory": board.memory.sleep_memory,
        "nvm": board.memory.nvm,
        "panel": panel,
        "buttons": dict(board.buttons),
        "power": _battery(board.power),
    }
    literal = pprint.pformat(profile, width=100, sort_dicts=False)
    return f"# Made from boards/{board.id}.toml: change it there.\nPROFILE = {literal}\n"


def _battery(power: Power) -> dict[str, object]:
    """Where to read the battery, and the millivolts that a full-scale reading stands for; {} where there is no way."""
    if power.monitor is None:
        return {}
    return {"battery_pin": power.monitor.pin, "battery_scale_mv": ANALOG_REFERENCE_MV * power.monitor.divider}


def _program(firmware: Path) -> dict[str, bytes]:
    sources = sorted(firmware.glob("*.py")) + sorted((firmware / "stoa").rglob("*.py"))
    return {path.relative_to(firmware).as_posix(): path.read_bytes() for path in sources}


def _libraries() -> dict[str, bytes]:
    # By the lock and not by what lies in the folder: running the libraries on this machine leaves caches beside them.
    folder = device_libraries.library_path()
    names = [name for library in device_libraries.locked_libraries() if not library.on_board for name in library.files]
    return {f"lib/{name}": (folder / name).read_bytes() for name in names}


def _preallocated(firmware: Path) -> dict[str, bytes]:
    with _importable(firmware):
        return {path: _initial_file(module)() for path, module in _PREALLOCATED.items()}


def _initial_file(module: str) -> Callable[[], bytes]:
    initial_file: Callable[[], bytes] = importlib.import_module(module).initial_file
    return initial_file


@contextmanager
def _importable(firmware: Path) -> Iterator[None]:
    """The firmware's modules, for as long as the context lasts: no `stoa` package stays behind in this process."""
    before = {name: module for name, module in sys.modules.items() if _is_firmware(name)}
    for name in before:
        del sys.modules[name]
    # Last: in front, the program's code.py would hide the standard library's.
    sys.path.append(str(firmware))
    try:
        yield
    finally:
        sys.path.remove(str(firmware))
        for name in [name for name in sys.modules if _is_firmware(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _is_firmware(module: str) -> bool:
    return module == "stoa" or module.startswith("stoa.")
