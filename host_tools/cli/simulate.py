"""`stoa simulate`: the virtual board against any issuer, kept in a folder between runs."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from host_tools.cli.options import Board, Heap, Panel, RuntimeName
from host_tools.errors import StoaError

if TYPE_CHECKING:
    from host_tools.rehearsal.watch import Report


class DisplayShowsError(StoaError):
    """The wake ended before an error screen: the display works, what it needs does not."""

    exit_code = 3


def simulate(
    state: Annotated[
        Path, typer.Option("--state", help="Folder that keeps the board between runs.", file_okay=False, metavar="DIR")
    ],
    panel_png: Annotated[
        Path, typer.Option("--panel-png", help="Picture of the glass, written anew at each refresh.", dir_okay=False)
    ],
    issuer: Annotated[
        str | None, typer.Option("--issuer", help="Authorization server, found by discovery.", metavar="URL")
    ] = None,
    client_id: Annotated[str | None, typer.Option("--client-id", help="The display's client there.")] = None,
    api: Annotated[
        str | None,
        typer.Option("--api", help="URL of today's quote; by default api/quotes/today at the issuer.", metavar="URL"),
    ] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", help="The API's identifier, where the issuer wants it.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="Scopes to ask for; by default openid offline_access read:quotes.")
    ] = None,
    board: Board = "adafruit_magtag_2.9_grayscale",
    once: Annotated[bool, typer.Option("--once", help="End at the first deep sleep, with one line of JSON.")] = False,
    clock: Annotated[
        Literal["real", "skip-sleep", "virtual"],
        typer.Option("--clock", help="virtual needs an authority on the same clock: leave out --issuer to have one."),
    ] = "skip-sleep",
    panel: Panel = None,
    runtime: RuntimeName = "cpython",
    heap: Heap = "1M",
) -> None:
    """Run a display without hardware against any issuer.

    The board sleeps and wakes as a real one; a folder that holds a sleeping board goes on at its next wake. With
    --clock virtual and no --issuer it brings an authority of its own, and a person who approves.

    Without --once it goes on until Ctrl-C; a skipped sleep then takes 10 s, to spare the server.

    Exit codes: 0; 1 for anything the command could not do; 3 when the glass shows an error (with --once); 4 for a
    defect of the firmware; 130 after Ctrl-C.
    """
    from host_tools.boards import load_board
    from host_tools.rehearsal.household import Account, find_runtime
    from host_tools.rehearsal.watch import Watch, alone, with_authority

    known = load_board(board)
    interpreter = find_runtime(runtime, heap)
    watch = Watch(known, interpreter, panel, state, panel_png, lambda line: print(line, file=sys.stderr, flush=True))
    if clock == "virtual":
        if issuer is not None:
            raise StoaError(
                "virtual time needs an authority on the same clock: leave out --issuer to have one, "
                "or use --clock skip-sleep with this issuer"
            )
        reports = with_authority(watch)
    else:
        if issuer is None or client_id is None:
            raise StoaError("--issuer and --client-id are needed (or --clock virtual, which brings its own authority)")
        quotes = api or issuer.rstrip("/") + "/api/quotes/today"
        reports = alone(watch, clock, Account(issuer, client_id, quotes, audience, scope), once)
    # Closed at once, so that the folder is free when this returns.
    with contextlib.closing(reports):
        for report in reports:
            if once:
                _tell(report)
                return


def _tell(report: Report) -> None:
    from host_tools.rehearsal.watch import FirmwareFailed

    print(json.dumps(report.telling()), flush=True)
    if report.reason == "defect":
        raise FirmwareFailed(f"a defect of the firmware: {report.obstacle or 'no word of it'}")
    if report.obstacle:
        raise DisplayShowsError(f"the display shows an error: {report.obstacle}")
