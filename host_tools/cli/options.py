"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli import completions

Board = Annotated[
    str,
    typer.Option(
        "--board", help="The board, as `stoa boards` names it.", metavar="ID", autocompletion=completions.board_ids
    ),
]
Port = Annotated[int, typer.Option("--port", help="Port of the authority; 0 picks a free one.", min=0, max=65535)]
Panel = Annotated[
    str | None,
    typer.Option("--panel", help="The panel fitted, where it is not the one the firmware believes in."),
]
RuntimeName = Annotated[
    str,
    typer.Option(
        "--runtime",
        help="The interpreter that runs the firmware: cpython, micropython (a real 32-bit VM), or the path of "
        "another of that family.",
        metavar="NAME|PATH",
    ),
]
Heap = Annotated[
    str | None,
    typer.Option(
        "--heap",
        help="Heap of that VM, as 96k or 1M.",
        metavar="SIZE",
        show_default="128k, that of a board without PSRAM",
    ),
]
MpyCross = Annotated[
    Path | None,
    typer.Option(
        "--mpy-cross",
        help="Compile the drive's modules by this mpy-cross, the VM's own: bytecode passes in --heap 96k.",
        metavar="PATH",
        dir_okay=False,
    ),
]
