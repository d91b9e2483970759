"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Board = Annotated[str, typer.Option("--board", help="The board, as `stoa boards` names it.", metavar="ID")]
Port = Annotated[int, typer.Option("--port", help="Port of the authority; 0 picks a free one.", min=0, max=65535)]
Panel = Annotated[
    str | None,
    typer.Option("--panel", help="The panel fitted, where it is not the one the firmware believes in."),
]
RuntimeName = Annotated[
    Literal["cpython", "micropython"], typer.Option("--runtime", help="The interpreter that runs the firmware.")
]
Heap = Annotated[str, typer.Option("--heap", help="Heap of the micropython runtime, as 512k or 1M.", metavar="SIZE")]
