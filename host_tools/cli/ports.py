"""`stoa ports`: the boards at this computer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from host_tools.device.finding.ports import Found

_KINDS = {
    "circuitpython": "CircuitPython",
    "bootloader": "bootloader in ROM",
    "uf2-bootloader": "UF2 bootloader",
    "usb-serial-jtag": "USB-Serial-JTAG",
    "uart-bridge": "UART bridge",
    "unknown": "unknown",
}
_NOTHING = """No board was found. What to check:
  - the cable: many carry power and no data
  - the board: it may sleep; press RESET. With native USB hold BOOT, press RESET and let go, for its bootloader
  - the driver, on macOS and Windows, for a board with a CP210x or CH340
  - on Linux, whether `sudo dmesg` tells of the board; ports are for the group dialout"""


def list_ports(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
) -> None:
    """List the boards at this computer: what each runs, its port and drive, and what to do next.

    Nothing is opened or sent: a board that runs goes on. What is behind a UART bridge does not show.
    """
    from host_tools.device.finding.ports import find_boards

    found = find_boards()
    if as_json:
        typer.echo(json.dumps([_telling(board) for board in found], indent=2))
    elif found:
        _print_table(found)
    else:
        typer.echo(_NOTHING, err=True)


def _telling(board: Found) -> dict[str, Any]:
    return {**asdict(board), "drive": str(board.drive) if board.drive else None, "notes": list(board.notes)}


def _print_table(found: Sequence[Found]) -> None:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    table = Table("BOARD", "RUNS", "PORT", "DRIVE", "NEXT", box=None, pad_edge=False, header_style="bold")
    for board in found:
        runs = f"CircuitPython {board.circuitpython}" if board.circuitpython else _KINDS[board.kind]
        drive = "not mounted" if board.mount_command else str(board.drive or "")
        # As text, for a drive may be called "[me]".
        table.add_row(*(Text(cell) for cell in (board.name, runs, board.port or "", drive, board.next_step)))
    # As wide as the table is, whatever the terminal: what is folded or cut cannot be copied into a command.
    wide = Console(width=1000)
    Console(width=Measurement.get(wide, wide.options, table).maximum).print(table)
    notes = [f"{board.place or board.name}: {note}" for board in found for note in board.notes]
    if notes:
        typer.echo("\n" + "\n".join(notes))
