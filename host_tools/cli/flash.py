"""`stoa flash`: CircuitPython onto a board."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host_tools.cli.completions import board_ids, places
from host_tools.errors import StoaError

if TYPE_CHECKING:
    from host_tools.device.flashing.flash import Report


class NobodyToAsk(StoaError):
    """No terminal, and no --yes."""

    exit_code = 2


def flash(
    target: Annotated[
        str | None,
        typer.Argument(
            help="The bootloader's serial port, for a .bin; or the folder of its drive, for a .uf2. Found by itself if"
            " only one is there.",
            metavar="PORT|DRIVE",
            autocompletion=places,
        ),
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            "--image",
            help="CircuitPython for the board, from circuitpython.org. Left out, the file to download is named.",
            metavar="FILE",
        ),
    ] = None,
    board_id: Annotated[
        str | None,
        typer.Option(
            "--board",
            help="The board; by default the one that the image's name says.",
            metavar="ID",
            autocompletion=board_ids,
        ),
    ] = None,
    keep_nvm: Annotated[
        bool, typer.Option("--keep-nvm", help="Leave nvm as it is, and with it one copy of the pairing.")
    ] = False,
    baud: Annotated[
        int | None,
        typer.Option(
            "--baud",
            help="Speed of a serial line.",
            metavar="BAUD",
            min=9600,
            show_default="460800; a board's own USB has none",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a .bin replaces what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Put CircuitPython on a board.

    A .uf2 goes to the drive that a double tap of RESET brings up, and replaces CircuitPython alone. It is not read
    back: that drive goes when the bootloader has taken all of it. A .bin goes through the chip's own bootloader (hold
    BOOT, tap RESET) by esptool, and is read back. It has a bootloader and a partition table of its own, and erases nvm,
    where one copy of the pairing is. The drive with the other copy stays. What it costs is told before.

    Nothing is written unless image, board and chip belong together. Stopped half-way, by Ctrl-C or a cable, do the same
    again: the chip's own bootloader cannot be lost.

    Exit codes: 0; 1 if it was not wanted after all, or for a board that is not known; 2 for an image that is not the
    board's, or an option; 3 for the board, its cable or its drive, and the message says what to do; 130 after Ctrl-C.
    """
    from rich.console import Console

    from host_tools.cli.bytes_progress import BytesProgress
    from host_tools.device.flashing.esp_image import MergedImage
    from host_tools.device.flashing.flash import board_of_drive, prepare
    from host_tools.device.flashing.flash_image import missing_image, open_image
    from host_tools.device.flashing.flash_target import check_is_a_place, choose, may_be

    check_is_a_place(target)
    if image is None:
        boards, suffix = may_be(target)
        drive = Path(target) if target and Path(target).is_dir() else None
        if drive:
            suffix = ".uf2"
            boards = boards or [known for known in [board_of_drive(drive)] if known]
        raise missing_image([board_id] if board_id else boards, suffix)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    opened = open_image(image, board_id)
    merged = isinstance(opened.inside, MergedImage)
    if merged and not yes and not sys.stdin.isatty():
        raise NobodyToAsk("this replaces what is on the board, and nobody is there to be asked: give --yes")
    place = choose(target, wants_drive=not merged)
    console.print(f"{opened.title} for {opened.board.name} ({opened.board.id}) to {place}", markup=False)
    ready = prepare(place, opened, baud, keep_nvm)
    console.print(ready.found, markup=False)
    for cost in ready.costs:
        console.print(f"- {cost}", markup=False)
    if ready.costs and not yes and not typer.confirm("Flash it?", err=True):
        console.print("Nothing was written. Press RESET to run what is on the board.")
        raise typer.Exit(1)
    with BytesProgress(console) as progress:
        report = ready.flash(progress)
    _tell(report, as_json)


def _tell(report: Report, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
        return
    proof = "read back" if report.verified else "TinyUF2 has taken all of it and its drive went; not read back"
    typer.echo(f"Done: {report.bytes / 1024:,.0f} KiB in {report.seconds:.0f} s; {proof}.")
    if not report.restarts:
        typer.echo("Press RESET: CircuitPython starts, and its drive or port appears.")
    typer.echo("Then put Stoa on it: `stoa deploy`.")
