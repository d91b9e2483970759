"""`stoa simulate`: the virtual board against any issuer, kept in a folder between runs; or days of it at once."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from host_tools.cli.interrupt import Interrupt
from host_tools.cli.options import Board, Heap, MpyCross, Panel, RuntimeName
from host_tools.cli.progress import Progress
from host_tools.errors import StoaError

if TYPE_CHECKING:
    from host_tools.rehearsal.days import Plan
    from host_tools.rehearsal.watch import Report


class DisplayShowsError(StoaError):
    """The wake ended before an error screen: the display works, what it needs does not."""

    exit_code = 3


def simulate(
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Folder that keeps the board between runs.", file_okay=False, metavar="DIR"),
    ] = None,
    panel_png: Annotated[
        Path | None,
        typer.Option("--panel-png", help="Picture of the glass, written anew at each refresh.", dir_okay=False),
    ] = None,
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
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            help="Certificate authority to trust beside the public ones: the ca_file of `stoa serve --tls`. PEM.",
            dir_okay=False,
            metavar="FILE",
        ),
    ] = None,
    board: Board = "adafruit_magtag_2.9_grayscale",
    once: Annotated[bool, typer.Option("--once", help="End at the first deep sleep, with one line of JSON.")] = False,
    clock: Annotated[
        Literal["real", "skip-sleep", "virtual"] | None,
        typer.Option(
            "--clock",
            help="virtual needs an authority on the same clock: leave out --issuer to have one.",
            show_default="skip-sleep; virtual with --days",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", help="So many days of a new board in virtual time, at once.", metavar="N"),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", help="The first of --days; by default today.", metavar="DATE")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="What is wrong; more than one may be. With --days on some of them: dns@3-9. `--fault help` lists all.",
            metavar="NAME[:ARG]",
        ),
    ] = None,
    mfa: Annotated[
        str, typer.Option("--mfa", help="never, always, adaptive or rule, with --clock virtual. With --days: rule@3-9.")
    ] = "never",
    away: Annotated[
        str | None, typer.Option("--away", help="On which of --days nobody answers the display.", metavar="FROM-TO")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Picture of --days, as PNG.", dir_okay=False, metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Sum up --days as one line of JSON.")] = False,
    panel: Panel = None,
    runtime: RuntimeName = "cpython",
    heap: Heap = None,
    mpy_cross: MpyCross = None,
) -> None:
    """Run a display without hardware against any issuer.

    The board sleeps and wakes as a real one; a folder that holds a sleeping board goes on at its next wake. With
    --clock virtual and no --issuer it brings an authority of its own, and a person who approves.

    Without --once it goes on until Ctrl-C; a skipped sleep then takes 10 s, to spare the server.

    With --days it lives them all in virtual time, a year in half a minute, and sums up what they brought. Ctrl-C ends
    them early and sums up what there was.

    Exit codes: 0; 1 for anything the command could not do; 3 when the glass shows an error (with --once); 4 for a
    defect of the firmware; 130 after Ctrl-C.
    """
    from host_tools.boards import load_board
    from host_tools.rehearsal.days import check_faults, read_mfa, read_plan
    from host_tools.rehearsal.household import Account, find_runtime, read_roots
    from host_tools.rehearsal.spans import ALWAYS, Spell
    from host_tools.rehearsal.watch import Watch, alone, with_authority
    from host_tools.virtual_board.faults import help_lines

    faults = fault or []
    if "help" in faults:
        print("\n".join(help_lines()))
        return
    known = load_board(board)
    interpreter = find_runtime(runtime, heap, mpy_cross)
    if days is not None:
        _refuse("--days makes its own board, authority and person", state=state, panel_png=panel_png, once=once)
        _refuse("--days brings its own authority", issuer=issuer, client_id=client_id, api=api)
        _refuse("--days brings its own authority", audience=audience, scope=scope, ca=ca)
        if clock not in (None, "virtual"):
            raise StoaError(f"--days takes place in virtual time: leave out --clock {clock}")
        _live(read_plan(known, interpreter, days, start, faults, mfa, away, panel), plot, as_json)
        return
    _refuse("for a run of --days alone", start=start, away=away, plot=plot, json=as_json)
    if state is None or panel_png is None:
        raise StoaError("--state and --panel-png are needed: where to keep the board, and its picture (or --days N)")
    check_faults([Spell(text, ALWAYS) for text in faults], known)
    roots = None if ca is None else read_roots(ca)
    watch = Watch(
        known,
        interpreter,
        panel,
        state,
        panel_png,
        lambda line: print(line, file=sys.stderr, flush=True),
        faults,
        roots,
    )
    if clock == "virtual":
        _refuse("--clock virtual brings its own authority, which answers over plain HTTP", ca=ca)
        if issuer is not None:
            raise StoaError(
                "virtual time needs an authority on the same clock: leave out --issuer to have one, "
                "or use --clock skip-sleep with this issuer"
            )
        reports = with_authority(watch, read_mfa(mfa))
    else:
        if issuer is None or client_id is None:
            raise StoaError("--issuer and --client-id are needed (or --clock virtual, which brings its own authority)")
        if mfa != "never":
            raise StoaError("--mfa is for an authority of its own: use --clock virtual, or turn it on at the issuer")
        quotes = api or issuer.rstrip("/") + "/api/quotes/today"
        reports = alone(watch, clock or "skip-sleep", Account(issuer, client_id, quotes, audience, scope), once)
    # Closed at once, so that the folder is free when this returns.
    with contextlib.closing(reports):
        for report in reports:
            if once:
                _tell(report)
                return


def _refuse(why: str, **options: object) -> None:
    for name, value in options.items():
        if value:
            raise StoaError(f"{why}: leave out --{name.replace('_', '-')}")


def _tell(report: Report) -> None:
    from host_tools.rehearsal.watch import FirmwareFailed

    print(json.dumps(report.telling()), flush=True)
    if report.reason == "defect":
        raise FirmwareFailed(f"a defect of the firmware: {report.obstacle or 'no word of it'}")
    if report.obstacle:
        raise DisplayShowsError(f"the display shows an error: {report.obstacle}")


def _live(plan: Plan, plot: Path | None, as_json: bool) -> None:
    from host_tools.rehearsal.days import figures_of, live
    from host_tools.rehearsal.summary import summary
    from host_tools.rehearsal.watch import FirmwareFailed
    from host_tools.rehearsal.year_picture import draw

    if plot is not None:
        # Tried first: a year is long to wait for a slip of the pen.
        _write(plot, None)
    with Interrupt() as interrupt, Progress(plan.days) as progress:
        log = live(plan, progress.on_day, interrupt.is_wanted)
    figures = figures_of(plan, log)
    print(json.dumps(figures) if as_json else "\n".join(summary(figures)), flush=True)
    if plot is not None:
        _write(plot, draw(plan, log))
    if log.interrupted:
        raise typer.Exit(130)
    if log.failure is not None:
        raise FirmwareFailed(f"on day {log.days + 1}: {log.failure}")
    if log.defects:
        raise FirmwareFailed(f"{log.defects} wakes ended in a defect of the firmware")


def _write(path: Path, content: bytes | None) -> None:
    """None: see whether it can be written, and leave it as it is."""
    try:
        if content is None:
            new = not path.exists()
            path.open("ab").close()
            if new:
                path.unlink()
        else:
            path.write_bytes(content)
    except OSError as error:
        raise StoaError(f"cannot write {path}: {error.strerror}; choose another --plot file") from None
