"""The contents of a board's drive: the program, its libraries, fonts, board profile and preallocated files.

The virtual board and a real deploy get the same bundle. `settings.toml` is the owner's and never part of it.

The program lies in one of two folders, SLOTS, and the file ACTIVE says in which. A deploy fills the other one and then
overwrites a block of ACTIVE in place, so that whatever breaks off leaves one whole program or the other
(docs/deploy.md).
"""

from __future__ import annotations

import pprint
from dataclasses import asdict
from pathlib import Path

from host_tools import device_libraries, fonts
from host_tools.boards import ANALOG_REFERENCE_MV, Board, Power
from host_tools.errors import StoaError
from host_tools.firmware_modules import firmware
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

# Folders of the program, in which nothing but the bundle's own files belongs. code.py takes the first unless ACTIVE
# names the second at ACTIVE_AT, which is an erase sector from either end: the power's end, as it is written, costs that
# file alone.
SLOTS = ("program-a", "program-b")
ACTIVE, ACTIVE_AT = "slot/active.bin", 4096
_ACTIVE_SIZE = 3 * 4096

# The files of the root are overwritten in place, in one write: a link that is cut leaves the old or the new one.
ROOT_FILE_SIZE = 2048
# What they begin with, so that an owner's own are told from them.
ROOT_FILE_MARK = b"# Of Stoa"

# A FAT drive of this size hands out space by the sector.
SECTOR = 512


class BundleError(StoaError):
    """The bundle cannot go onto this board."""


def build_bundle(board: Board, mpy_cross: Path | None = None) -> dict[str, bytes]:
    """POSIX path on the drive -> content, in the order in which a new drive is to be filled; the program in SLOTS[0].

    mpy_cross: the program that compiles the modules, where they are wanted as bytecode. BundleError if the files do not
    fit the board's drive; DeviceLibraryError if a device library cannot be had; PrecompileError.
    """
    program = build_program(board, mpy_cross)
    files = {
        **first_files(),
        **{f"{SLOTS[0]}/{path}": content for path, content in program.items()},
        **root_files(),
    }
    # Of both programs: the old one stays until the new one is there.
    taken_kib = sum(map(sectors, [*files.values(), *program.values()])) * SECTOR // 1024
    if taken_kib > board.memory.drive_kib:
        raise BundleError(
            f"the files take {taken_kib} KiB, more than the {board.memory.drive_kib} KiB drive of {board.id} holds"
        )
    return files


def build_program(board: Board, mpy_cross: Path | None = None) -> dict[str, bytes]:
    """What one of SLOTS holds: POSIX path in it -> content. DeviceLibraryError; PrecompileError."""
    program = {
        **_firmware(),
        **_libraries(),
        **{f"fonts/{name}": content for name, content in fonts.compiled_fonts().items()},
        "board_profile.py": board_profile(board).encode(),
    }
    program = dict(sorted(program.items()))
    return program if mpy_cross is None else precompiled(program, mpy_cross)


def first_files(running: str = SLOTS[0]) -> dict[str, bytes]:
    """What must lie on the drive before anything else, in this order: guard, PRESERVED, and ACTIVE for `running`."""
    active = b"\xff" * ACTIVE_AT + active_block(running)
    return {**_GUARD, **_preallocated(), ACTIVE: active.ljust(_ACTIVE_SIZE, b"\xff")}


def active_block(slot: str) -> bytes:
    """What is to be written at ACTIVE_AT of ACTIVE to make `slot` the program."""
    return slot.encode().ljust(SECTOR, b"\xff")


def root_files() -> dict[str, bytes]:
    """What CircuitPython runs by itself: code.py and safemode.py, of ROOT_FILE_SIZE each."""
    folder = shipped("firmware")
    return {name: _padded((folder / name).read_bytes()) for name in ("code.py", "safemode.py")}


def _padded(source: bytes) -> bytes:
    if len(source) > ROOT_FILE_SIZE:
        raise BundleError(f"a file of the root may have {ROOT_FILE_SIZE} bytes, not {len(source)}")
    return source.ljust(ROOT_FILE_SIZE, b"\n")


def sectors(content: bytes) -> int:
    """How many SECTORs of a drive a file of this content takes."""
    return -(-len(content) // SECTOR)


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
        "input_only": board.input_only_buttons,
        "power": _battery(board.power),
    }
    literal = pprint.pformat(profile, width=100, sort_dicts=False)
    return f"# Made from boards/{board.id}.toml: change it there.\nPROFILE = {literal}\n"


def _battery(power: Power) -> dict[str, object]:
    """Where to read the battery, and the millivolts that a full-scale reading stands for; {} where there is no way."""
    if power.monitor is None:
        return {}
    return {"battery_pin": power.monitor.pin, "battery_scale_mv": ANALOG_REFERENCE_MV * power.monitor.divider}


def _firmware() -> dict[str, bytes]:
    folder = shipped("firmware")
    sources = sorted((folder / "stoa").rglob("*.py"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sources}


def _libraries() -> dict[str, bytes]:
    # By the lock and not by what lies in the folder: running the libraries on this machine leaves caches beside them.
    folder = device_libraries.library_path()
    names = [name for library in device_libraries.locked_libraries() if not library.on_board for name in library.files]
    return {f"lib/{name}": (folder / name).read_bytes() for name in names}


def _preallocated() -> dict[str, bytes]:
    return {path: firmware(module).initial_file() for path, module in _PREALLOCATED.items()}
