"""`stoa boards`: the boards known."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def list_boards(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list instead of a table.")] = False,
) -> None:
    """List the boards known, with chip, panel and link."""
    from host_tools.boards import available

    rows = [
        {"id": board.id, "name": board.name, "chip": board.chip, "panel": board.panel.fitted, "link": board.link}
        for board in available()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return

    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    table = Table("ID", "NAME", "CHIP", "PANEL", "LINK", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row.values())
    # As wide as the table is, whatever the terminal: an id that is folded or cut cannot be copied into a command.
    wide = Console(width=1000)
    Console(width=Measurement.get(wide, wide.options, table).maximum).print(table)
