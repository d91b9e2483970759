"""A display watched wake by wake, and kept in a folder between runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from host_tools.authority import AuthorityError, RunningAuthority, start_authority
from host_tools.authority.core.policies import MfaMode
from host_tools.boards import Board
from host_tools.clock import NS, Clock, RealClock, SkipSleepClock, VirtualClock, utc_text
from host_tools.errors import StoaError
from host_tools.rehearsal.demo_household import DemoHousehold
from host_tools.rehearsal.household import Account, unpack_board
from host_tools.rehearsal.onlooker import Onlooker
from host_tools.rehearsal.story import PERSON_TAKES_NS
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.controllers.panels import find_panel
from host_tools.virtual_board.esp32 import VirtualBoard
from host_tools.virtual_board.faults import fault_name
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.state_folder import StateFolder
from host_tools.virtual_board.wake import Wake

# Real time between wakes whose sleep is skipped: a display that backs off must not hammer a foreign server after all.
PAUSE_NS = 10 * NS


class FirmwareFailed(StoaError):
    """The firmware ended otherwise than in deep sleep: a defect of it, or of the drive."""

    exit_code = 4


@dataclass(frozen=True)
class Report:
    """How a wake ended. screen: the last one drawn; times in whole seconds, UTC; reason as Onlooker.reason has it."""

    wake: Wake
    screen: str | None
    reason: str
    next_wake_s: int | None
    obstacle: str | None
    panel_faults: list[str]
    faults_missed: list[str]

    def telling(self) -> dict[str, Any]:
        """For people and scripts; nothing in it is secret."""
        return {
            "screen": self.screen,
            "next_wake": None if self.next_wake_s is None else utc_text(self.next_wake_s),
            "reason": self.reason,
            "woken_by": self.wake.woken_by,
            "refreshes": self.wake.refreshes,
            "requests": len(self.wake.exchanges),
            "obstacle": self.obstacle,
            "panel_faults": self.panel_faults,
            "faults_missed": self.faults_missed,
        }


class Watch:
    """What is watched and where it is kept: `folder` for the board, `png` for its picture.

    on_line gets each line of the board's console. faults: what is wrong from the first wake on. roots: what the board
    trusts beside the public certificate authorities, PEM.
    """

    def __init__(
        self,
        board: Board,
        runtime: Runtime,
        panel: str | None,
        folder: Path,
        png: Path,
        on_line: Callable[[str], None],
        faults: Sequence[str] = (),
        roots: str | None = None,
    ) -> None:
        self.folder = folder
        self.on_shown: Callable[[dict[str, str]], None] | None = None
        self._board = board
        self._runtime = runtime
        self._panel = find_panel(panel or board.panel.fitted)
        self._png = png
        self._on_line = on_line
        self._faults = faults
        self._roots = roots
        self._onlooker = Onlooker(self._see, on_line)

    def wakes(self, clock: Clock, account: Account) -> Generator[Report, None, None]:
        """Wake after wake, for ever. The board and its picture are saved after each."""
        with StateFolder(self.folder, self._board, self._panel) as kept:
            board = unpack_board(
                self._board, kept.state, clock, account, self._runtime, self._panel, self._onlooker, self._roots
            )
            for fault in self._faults:
                board.faults.set(fault)
            self._write_picture(board.glass)
            while True:
                if board.state.sleeping is not None and board.state.sleeping.until_ns is not None:
                    self._on_line(f"asleep until {utc_text(board.state.sleeping.until_ns // NS)}")
                board.sleep()
                self._onlooker.new_wake()
                kept.awake()
                wake = board.wake()
                kept.keep()
                yield self._report(board, wake)

    def _see(self, screen: str, shown: dict[str, str], glass: Glass) -> None:
        self._write_picture(glass)
        if shown:
            self._on_line(f"it asks a person to open {shown['verification_uri']} and to enter {shown['user_code']}")
            if self.on_shown is not None:
                self.on_shown(shown)
        elif screen == "push":
            self._on_line("it asks a person to approve on their phone")

    def _write_picture(self, glass: Glass) -> None:
        beside = self._png.with_name(self._png.name + ".new")
        try:
            # Whoever watches the file never meets half a picture.
            beside.write_bytes(glass.png())
            beside.replace(self._png)
        except OSError as error:
            raise StoaError(f"cannot write {self._png}: {error.strerror}; choose another --panel-png file") from None

    def _report(self, board: VirtualBoard, wake: Wake) -> Report:
        if failure := wake.failure():
            raise FirmwareFailed(failure)
        sleeping = board.state.sleeping
        until = None if sleeping is None else sleeping.until_ns
        missed = [fault for fault in self._faults if fault_name(fault) in wake.faults_missed]
        for fault in missed:
            made = f"{wake.calls} hardware calls, {wake.flash_erases} flash operations, {len(wake.exchanges)} exchanges"
            self._on_line(f"--fault {fault} has not struck: {made}")
        return Report(
            wake=wake,
            screen=(self._onlooker.last("screen") or {}).get("name"),
            reason=self._onlooker.reason(wake),
            next_wake_s=None if until is None else until // NS,
            obstacle=self._onlooker.obstacle(),
            panel_faults=board.panel_faults,
            faults_missed=missed,
        )


def alone(
    watch: Watch, clock: Literal["real", "skip-sleep"], account: Account, once: bool
) -> Generator[Report, None, None]:
    """The display against somebody else's server, in a time that server can follow. `once`: one wake is wanted."""
    return watch.wakes(RealClock() if clock == "real" else SkipSleepClock(0 if once else PAUSE_NS), account)


def with_authority(watch: Watch, mfa: MfaMode = "never") -> Generator[Report, None, None]:
    """The display with an authority of its own on one virtual clock, and a person who approves what it shows."""
    clock = VirtualClock.starting_now()
    with _authority_of(watch.folder, clock, mfa) as authority:
        household = DemoHousehold(authority, clock, approves=True)
        watch.on_shown = lambda shown: clock.schedule(PERSON_TAKES_NS, lambda: household.approve(shown))
        yield from watch.wakes(clock, household.account())


def _authority_of(folder: Path, clock: Clock, mfa: MfaMode) -> RunningAuthority:
    """The one of the last run, on its port: a pairing is with an issuer, and another port is another issuer."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    database, port = folder / "authority.db", folder / "authority.port"
    try:
        authority = start_authority(clock, int(port.read_text()), database, mfa)
    except (OSError, ValueError, AuthorityError):
        # The first run, or the port is somebody else's by now.
        authority = start_authority(clock, database=database, mfa=mfa)
    port.write_text(str(urlsplit(authority.issuer).port))
    return authority
