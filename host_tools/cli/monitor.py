"""`stoa monitor`: the log of a board, until Ctrl-C."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host_tools.cli.completions import ports
from host_tools.errors import StoaError

if TYPE_CHECKING:
    import serial

    from host_tools.device.console.monitor import Event, Monitor, Said
    from host_tools.device.finding.targets import Target

# As long as a read waits; Windows sees Ctrl-C only between two of them.
READ_S = 0.5


def monitor(
    port: Annotated[
        str | None,
        typer.Argument(
            help="The board's serial port, or its drive; found by itself if only one board is there.",
            metavar="PORT",
            autocompletion=ports,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", help="Append the log to this file too, with times in UTC.", dir_okay=False, metavar="FILE"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object a line: time, line, event, fields.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print plain text.")] = False,
    timestamps: Annotated[bool, typer.Option(help="Begin each line with the time it came.")] = True,
    reset: Annotated[bool, typer.Option("--reset", help="Boot the board first, to see its log from there.")] = False,
) -> None:
    """Show a board's log as it comes, through resets and deep sleep, until Ctrl-C.

    Nothing is sent to the board, and opening its port does not reset it where that can be helped. Tokens, passwords
    and whatever looks like one are shown as `***`, in the --save file too; the code for people is shown. A line that
    the board does not end is shown after two seconds of silence, and again when it is whole.

    Exit codes: 0 after Ctrl-C; 1 for a --save file that cannot be written; 3 for a port that is not there, in use or
    not permitted.
    """
    from host_tools.device.finding.targets import choose_port

    target = choose_port(port)
    with _saved(save) as write, contextlib.suppress(KeyboardInterrupt):
        watching = monitor_of(target, reset)
        show = _as_json() if as_json else _as_text(no_color, timestamps)
        with contextlib.closing(watching.events()) as events:
            _follow(events, show, write)


def monitor_of(target: Target, reset: bool) -> Monitor[serial.Serial]:
    """Of a board by its port, which is found again by what its USB device is, not by its name."""
    from host_tools.device.console.board_reset import has_reset_line, pull_reset_line, reset_from_the_repl
    from host_tools.device.console.monitor import Monitor
    from host_tools.device.finding.serial_ports import come_back, list_serial_ports, named
    from host_tools.device.opening import close_port, open_port

    name = str(target.target)
    device = named(name, list_serial_ports())
    pull = reset and has_reset_line(target.found)

    def find() -> str | None:
        if device is None:
            # No USB, or a system that does not tell: a name is all there is.
            return name if os.path.exists(name) else None
        back = come_back(device, list_serial_ports())
        return back.device if back else None

    def opened(port: str) -> serial.Serial:
        nonlocal pull
        ready = open_port(port, READ_S)
        if pull:
            pull = False
            pull_reset_line(ready)
        return ready

    if reset and not pull:
        reset_from_the_repl(name)
        return Monitor(name, opened, close_port, find, is_away=True)
    return Monitor(name, opened, close_port, find)


def _follow(events: Generator[Event, None, None], show: Callable[[Said], None], write: Callable[[Said], None]) -> None:
    try:
        for event in events:
            _take(event, show, write)
    except KeyboardInterrupt as ctrl_c:
        # It may come between two events too; the line that has begun is told all the same.
        with contextlib.suppress(KeyboardInterrupt):
            _take(events.throw(ctrl_c), show, write)
            for event in events:
                _take(event, show, write)
        raise


def _take(event: Event, show: Callable[[Said], None], write: Callable[[Said], None]) -> None:
    from host_tools.device.console.monitor import CannotOpen, Gone, Opened, Said

    match event:
        case Said():
            # First, so that the file has all that was seen.
            write(event)
            show(event)
        case Opened():
            _tell(f"{event.port} is open; Ctrl-C ends it")
        case Gone():
            _tell(f"{event.port} is gone: the board sleeps, boots or was unplugged; waiting for it to come back")
        case CannotOpen():
            _tell(f"{event.why}; trying on")


def _tell(what: str) -> None:
    print(f"stoa: {what}", file=sys.stderr, flush=True)


def _as_text(no_color: bool, timestamps: bool) -> Callable[[Said], None]:
    from rich.console import Console
    from rich.text import Text

    from host_tools.device.console.console_colours import coloured

    console = Console(color_system=None if no_color else "auto", highlight=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A board may print what this terminal has no character for.
        sys.stdout.reconfigure(errors="replace")

    def show(said: Said) -> None:
        line = coloured(said.line)
        if timestamps:
            line = Text.assemble((f"{said.time.astimezone():%H:%M:%S} ", "dim"), line)
        console.print(line, soft_wrap=True)

    return show


def _as_json() -> Callable[[Said], None]:
    from host_tools.console_log import parse

    def show(said: Said) -> None:
        # Half an event is none; it comes again.
        log = parse(said.line) if said.is_whole else None
        telling = {
            "time": _utc(said.time),
            "line": said.line,
            "event": log.event if log else None,
            "fields": dict(log.fields) if log else None,
        }
        print(json.dumps(telling), flush=True)

    return show


@contextlib.contextmanager
def _saved(path: Path | None) -> Iterator[Callable[[Said], None]]:
    """A function that appends to the file; for its owner's eyes alone, if it is new."""
    if path is None:
        yield lambda said: None
        return
    with contextlib.ExitStack() as stack:
        with _told(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            # Nothing is left for the end, at which a full disk could not be told of.
            file = stack.enter_context(open(descriptor, "ab", buffering=0))

        def write(said: Said) -> None:
            rest = f"{_utc(said.time)} {said.line}\n".encode()
            with _told(path):
                while rest:
                    rest = rest[file.write(rest) :]

        yield write


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoaError(f"cannot write {path}: {error.strerror}; choose another --save file") from None


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
