"""The program a board is to be given, and what tells it from another."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from host_tools.boards import Board, available, load_board
from host_tools.bundle import build_program
from host_tools.device.deploying import manifest
from host_tools.device.errors import WrongBoard
from host_tools.device.finding import circuitpython_build
from host_tools.device.finding.boot_out import BootOut
from host_tools.precompile import PrecompileError, compiled

# The first byte of an .mpy, CircuitPython's and MicroPython's (py/persistentcode.c of each).
_CIRCUITPYTHON, _MICROPYTHON = b"C", b"M"


def find_board(found: BootOut | None, wanted: str | None, way: str) -> Board:
    """The board file to deploy by. found: its boot_out.txt; wanted: by --board.

    WrongBoard, if its CircuitPython is too old as well; BoardError for one that is wanted and not known.
    A board without a file of its own may be given another's, by name.
    """
    if found and found.version[:2] < circuitpython_build.OLDEST:
        oldest = ".".join(map(str, circuitpython_build.OLDEST))
        raise WrongBoard(f"{way} runs CircuitPython {found.release}, and Stoa needs {oldest} at least: `stoa flash`")
    said = found.board_id if found else None
    boards = {board.id: board for board in available()}
    if wanted is not None:
        board = load_board(wanted)
        if said in boards and said != wanted:
            raise WrongBoard(f"{way} is a {said}, and --board says {wanted}: leave --board out")
        return board
    if said is None:
        raise WrongBoard(
            f"{way} does not say which board it is (no boot_out.txt): add --board ID, as `stoa boards` has it"
        )
    if said not in boards:
        raise WrongBoard(
            f"{way} is a {said}, and there is no boards/{said}.toml: write one, or add --board with the id of a board"
            f" that is wired alike; known boards: {', '.join(boards)}"
        )
    return boards[said]


def program_for(board: Board, mpy_cross: Path | None) -> tuple[manifest.Head, dict[str, bytes]]:
    """(Head without its digest, path in the program -> content). PrecompileError for MicroPython's compiler."""
    if mpy_cross is not None:
        # Of one module, and not of all before it is known.
        made = compiled(b"", "module.mpy", mpy_cross)[:1]
        if made != _CIRCUITPYTHON:
            whose = "MicroPython's" if made == _MICROPYTHON else "of another kind"
            raise PrecompileError(
                f"{mpy_cross} is {whose}, and CircuitPython reads bytecode of its own mpy-cross only: take the one of"
                " the board's release from circuitpython.org, or leave --mpy-cross out"
            )
    return manifest.Head(board.id, version("stoa"), "", mpy_cross is not None), build_program(board, mpy_cross)
