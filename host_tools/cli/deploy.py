"""`stoa deploy`: the program onto a board."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from host_tools.cli.completions import board_ids, places


def deploy(
    target: Annotated[
        str | None,
        typer.Argument(
            help="The folder of the board's drive, or its serial port; found by itself if only one board is there.",
            metavar="DRIVE|PORT",
            autocompletion=places,
        ),
    ] = None,
    board_id: Annotated[
        str | None,
        typer.Option(
            "--board",
            help="The board, where boot_out.txt does not say or has no board file.",
            metavar="ID",
            autocompletion=board_ids,
        ),
    ] = None,
    mpy_cross: Annotated[
        Path | None,
        typer.Option(
            "--mpy-cross",
            help="Compile the modules by this mpy-cross, CircuitPython's of the board's release: less heap, quicker"
            " wakes. For a board without PSRAM.",
            metavar="PATH",
            dir_okay=False,
        ),
    ] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for a board that sleeps.", metavar="SECONDS", min=0)
    ] = 60.0,
    erase_drive: Annotated[
        bool,
        typer.Option(
            "--erase-drive", help="Make the drive anew first, for one that is damaged; settings.toml alone is kept."
        ),
    ] = False,
    lose_settings: Annotated[
        bool, typer.Option("--lose-settings", help="With --erase-drive: go on where settings.toml cannot be read.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the drive is erased.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Put the program on a board: only what changed is sent, and what was written is read back.

    The new program is made beside the old one, and the board runs it once it is whole. Whatever breaks off before
    leaves the old one; do the same again, and it goes on from there. The token, the quote and settings.toml stay.

    Exit codes: 0; 1 for an mpy-cross of another kind, or if it was not wanted after all; 3 for the board, its cable or
    its drive, and the message says what to do; 130 after Ctrl-C.
    """
    from rich.console import Console

    from host_tools.cli.bytes_progress import BytesProgress
    from host_tools.device.deploying.connect import connect
    from host_tools.device.deploying.deploy import deploy as put
    from host_tools.device.deploying.programs import find_board, program_for
    from host_tools.device.errors import CutShort
    from host_tools.device.finding.targets import choose

    console = Console(stderr=True, highlight=False)
    chosen = choose(target)
    # Asked before the board's program is interrupted.
    if erase_drive and not yes:
        typer.confirm("Erase everything on the board's drive but settings.toml?", abort=True, err=True)
    try:
        with connect(chosen.target, chosen.small_steps, wait_s, lambda text: console.print(text), a_board=True) as way:
            board = find_board(way.boot_out(), board_id, way.name)
            console.print(f"{board.name} ({board.id}) by {way.name}")
            with console.status("Compiling the modules" if mpy_cross else "Reading the program"):
                head, program = program_for(board, mpy_cross)
            if erase_drive:
                console.print("Making the drive anew; this may take a minute")
                way.erase_drive(lose_settings)
            with BytesProgress(console) as progress:
                report = put(way, head, program, progress)
    except KeyboardInterrupt:
        raise CutShort(
            "cut short; the board runs the program it had, or the new one if that was whole already. Deploy again, it"
            " goes on from where it was"
        ) from None
    if as_json:
        typer.echo(
            json.dumps({"board": board.id, "way": way.name, "version": head.version, **asdict(report)}, indent=2)
        )
        return
    if not report.changed:
        typer.echo(f"Nothing to do: {report.files} files were read back and are what they should be.")
    else:
        typer.echo(
            f"Done: {len(report.sent)} of {report.files} files sent ({report.sent_bytes / 1024:.0f} KiB),"
            f" {report.copied} copied on the board, {report.removed} removed; all read back."
        )
        typer.echo(f"The board runs /{report.slot} now. Its log: `stoa monitor`.")
    for note in report.notes:
        typer.echo(f"Note: {note}.")
