"""`stoa demo`: authority and virtual board together, the whole story from pairing to the morning after MFA."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host_tools.cli.options import Board, Heap, MpyCross, Panel, Port, RuntimeName
from host_tools.errors import StoaError

if TYPE_CHECKING:
    from rich.console import Console


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Draw nothing in the terminal.")] = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="Nobody is needed: approve through the HTML forms a person would use.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the four pictures and story.json.", file_okay=False)
    ] = None,
    board: Board = "adafruit_magtag_2.9_grayscale",
    port: Port = 0,
    panel: Panel = None,
    runtime: RuntimeName = "cpython",
    heap: Heap = None,
    mpy_cross: MpyCross = None,
) -> None:
    """Play the story: the display pairs, shows a quote, meets MFA on the next morning, asks, and recovers.

    Without --approve you are the person: open the address, enter the code, sign in as the demo user. Deep sleep takes
    no time. Exits with 0 only if every step happened.
    """
    from rich.console import Console

    from host_tools.authority import start_authority
    from host_tools.boards import load_board
    from host_tools.clock import NS, RealClock, SkipSleepClock, VirtualClock
    from host_tools.rehearsal.demo_household import DemoHousehold
    from host_tools.rehearsal.half_blocks import half_blocks
    from host_tools.rehearsal.household import find_runtime, unpack_board
    from host_tools.rehearsal.story import Step, Story
    from host_tools.virtual_board.controllers.glass import Glass
    from host_tools.virtual_board.controllers.panels import find_panel
    from host_tools.virtual_board.state import BoardState

    known = load_board(board)
    fitted = find_panel(panel or known.panel.fitted)
    interpreter = find_runtime(runtime, heap, mpy_cross)
    keep = _writer(out)
    # With nobody outside to wait for, virtual time is exact and fast.
    clock = VirtualClock.starting_now() if approve else SkipSleepClock()
    # A person's telephone does not skip the night with the display.
    person_clock = clock if approve else RealClock()
    screen = Console(highlight=False)
    # A token that does not last the night, so that the morning begins with a refresh.
    with start_authority(clock, port=port, access_token_ttl=3600, person_clock=person_clock) as authority:
        tenant = authority.tenant
        household = DemoHousehold(authority, person_clock, approves=approve)

        def tell(step: Step, glass: Glass) -> None:
            keep(step.chapter.file, step.png)
            told = f"\n[bold]{step.chapter.file}[/] [dim]{step.time()}[/] {step.chapter.title}"
            screen.print(told, soft_wrap=True)
            if not headless:
                screen.print(half_blocks(glass.image(), screen.width))
            if step.shown:
                tell_what_is_asked(screen, step.shown)
                if not approve:
                    screen.print(f"Sign in as [bold]{tenant.demo_user}[/], password [bold]{tenant.demo_password}[/].")
                    if step.chapter.screen == "mfa":
                        screen.print(f"To use your own authenticator, enrol {tenant.totp_secret} (TOTP).")
                        show_one_time_codes(len(story.steps))
            elif not headless and screen.width < glass.image().width:
                screen.print(f"[dim]Shrunk to fit; a terminal of {glass.image().width} columns shows every pixel.[/]")

        def show_one_time_codes(step: int) -> None:
            """Each one as long as it is good, until the display goes on."""
            if len(story.steps) == step:
                screen.print(f"The demo user's authenticator shows [bold]{household.one_time_code()}[/] now.")
                clock.schedule(30 * NS, lambda: show_one_time_codes(step))

        story = Story(clock, household, tell)
        state = BoardState.new(known)
        virtual = unpack_board(known, state, clock, household.account(), interpreter, fitted, story.onlooker)
        screen.print(f"A demo tenant made for this run answers at {tenant.issuer}")
        steps = story.play(virtual)
    telling = {
        "board": known.id,
        "panel": fitted.name,
        "runtime": interpreter.name,
        "clock": "virtual" if approve else "skip-sleep",
        "issuer": tenant.issuer,
        "panel_faults": virtual.panel_faults,
        "steps": [step.telling() for step in steps],
    }
    keep("story.json", (json.dumps(telling, indent=2) + "\n").encode())
    if fitted.name != known.panel.fitted or virtual.panel_faults:
        reported = f" ({', '.join(virtual.panel_faults)})" if virtual.panel_faults else ""
        raise StoaError(
            f"every step happened, but the glass shows wrong pictures: fitted is {fitted.name}, "
            f"the board's profile is made for {known.panel.fitted}{reported}"
        )
    screen.print(f"\nEvery step happened.{f' The pictures are in {out}.' if out else ''}")


def tell_what_is_asked(screen: Console, shown: dict[str, str]) -> None:
    uri, code = shown["verification_uri"], shown["user_code"]
    screen.print(f"The display asks to open [bold]{uri}[/] and to enter [bold]{code}[/].", soft_wrap=True)


def _writer(out: Path | None) -> Callable[[str, bytes], None]:
    """Writes into the folder, which is tried before anything starts."""
    if out is None:
        return lambda name, content: None

    def write(name: str, content: bytes) -> None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        except OSError as error:
            raise StoaError(f"cannot write to {out}: {error.strerror}; choose another --out folder") from None

    write("story.json", b"")
    (out / "story.json").unlink()
    return write
