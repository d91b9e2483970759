"""Days, or a year, of one display in virtual time: its own authority on the same clock, people, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from host_tools.authority import RunningAuthority, start_authority
from host_tools.authority.core.policies import MfaMode
from host_tools.boards import Board
from host_tools.clock import NS, VirtualClock
from host_tools.errors import StoaError
from host_tools.rehearsal.demo_household import DemoHousehold
from host_tools.rehearsal.household import unpack_board
from host_tools.rehearsal.logbook import DAY_NS, Logbook, WakeEntry
from host_tools.rehearsal.onlooker import Onlooker
from host_tools.rehearsal.person import PersonStuck
from host_tools.rehearsal.spans import ALWAYS, Span, Spell
from host_tools.rehearsal.story import PERSON_TAKES_NS
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.controllers.panels import find_panel
from host_tools.virtual_board.esp32 import VirtualBoard
from host_tools.virtual_board.faults import Faults, fault_name
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.state import BoardState
from host_tools.virtual_board.wake import POWER_LOST

MOST_DAYS = 3660
MFA_MODES = get_args(MfaMode)
OFF = Spell("never", ALWAYS)
# How long a lost supply stays away.
POWER_BACK_NS = 2 * NS
# Forty times what the firmware allows itself: a display that boots for ever must end the run, and not the patience.
MOST_WAKES_A_DAY = 1000
# The same chip each time, so that the same run has the same moment of the day.
_UID = b"\x02stoa\x07"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class PlanError(StoaError):
    """A run that cannot be had. The message names the option and the remedy."""


@dataclass(frozen=True)
class Plan:
    """Day 1 begins at midnight UTC of `start`. faults: as Faults.set reads them. away: nobody answers the display."""

    board: Board
    runtime: Runtime
    days: int
    start: date
    faults: tuple[Spell, ...] = ()
    mfa: Spell = OFF
    away: Span | None = None
    panel: str | None = None


def read_plan(
    board: Board,
    runtime: Runtime,
    days: int,
    start: str | None = None,
    faults: Sequence[str] = (),
    mfa: str = "never",
    away: str | None = None,
    panel: str | None = None,
) -> Plan:
    """The plan that the options describe. PlanError, SpanError or FaultError names the one at fault."""
    if not 1 <= days <= MOST_DAYS:
        raise PlanError(f"--days {days}: a run has 1 to {MOST_DAYS} days")
    spell = Spell.parse(mfa, days, "--mfa")
    read_mfa(spell.what)
    dated = tuple(Spell.parse(text, days, "--fault") for text in faults)
    check_faults(dated, board)
    span = None if away is None else Span.parse(away, days, "--away")
    find_panel(panel or board.panel.fitted)
    return Plan(board, runtime, days, _read_date(start), dated, spell, span, panel)


def read_mfa(text: str) -> MfaMode:
    """PlanError for what is none."""
    if text not in MFA_MODES:
        raise PlanError(f"--mfa {text}: it is one of {', '.join(MFA_MODES)}, and with --days may end in @FROM-TO")
    return cast(MfaMode, text)


def check_faults(faults: Sequence[Spell], board: Board) -> None:
    """FaultError or PlanError for one that this board cannot have, or two of a kind at a time."""
    for fault in faults:
        text, scratch = fault.what, Faults()
        scratch.set(text)
        pin = scratch.button_stuck or scratch.button_floating
        if pin is not None and pin not in board.buttons.values():
            has = ", ".join(sorted(set(board.buttons.values())))
            raise PlanError(f"--fault {text}: {board.id} has no button {pin}; it has {has}")
        if scratch.battery_mv is not None and board.power.monitor is None:
            raise PlanError(f"--fault {text}: {board.id} cannot measure its battery; leave it out")
    for one, other in combinations(faults, 2):
        if fault_name(one.what) == fault_name(other.what) and one.span.meets(other.span):
            raise PlanError(
                f"--fault {one.what} and --fault {other.what}: of each kind there is one at a time; leave one out, "
                "or with --days give each days of its own"
            )


def _is_moment(fault: str) -> bool:
    scratch = Faults()
    scratch.set(fault)
    return len(scratch.waiting()) > 0


def _read_date(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        start = date.fromisoformat(text)
    except ValueError:
        raise PlanError(f"--start {text}: no such date; write it as 2027-01-01") from None
    # The firmware takes a clock before 2024 for one that was never set; a 32-bit epoch ends in 2038.
    if not date(2024, 1, 2) <= start < date(2036, 1, 1):
        raise PlanError(f"--start {text}: the display's clock knows 2024-01-02 to 2035-12-31")
    return start


def live(plan: Plan, on_day: Callable[[int], None], is_unwanted: Callable[[], bool] = lambda: False) -> Logbook:
    """The whole run. on_day is called with the number of each day that is over.

    It ends early once is_unwanted, asked between wakes, says so; and where a board stays awake. The logbook has what
    there was until then.
    """
    start_ns = int(datetime(plan.start.year, plan.start.month, plan.start.day, tzinfo=UTC).timestamp()) * NS
    clock = VirtualClock(start_ns)
    given: list[int] = []

    def heard(method: str, path: str, status: int) -> None:
        if path == quotes_path and status in (200, 304):
            given.append(clock.now_ns() // DAY_NS)

    with start_authority(clock, on_request=heard) as authority:
        quotes_path = urlsplit(authority.tenant.quotes_url).path
        life = _Life(plan, clock, authority, given, is_unwanted)
        for day in range(1, plan.days + 1):
            life.live_a_day(day)
            if not life.goes_on():
                break
            on_day(day)
        life.end()
        return life.log


def figures_of(plan: Plan, log: Logbook) -> dict[str, Any]:
    """What there is to tell of the run, for people and scripts; nothing in it is secret."""
    about = {"board": plan.board.id, "runtime": plan.runtime.name, "start": plan.start.isoformat()}
    return {**about, "days_asked": plan.days, **log.figures()}


class _Life:
    """given: the UTC days on which the API gave out its quote in the present wake, in order."""

    def __init__(
        self,
        plan: Plan,
        clock: VirtualClock,
        authority: RunningAuthority,
        given: list[int],
        is_unwanted: Callable[[], bool],
    ) -> None:
        self._plan = plan
        self._is_unwanted = is_unwanted
        self._clock = clock
        self._authority = authority
        self._given = given
        self._person = DemoHousehold(authority, clock, approves=True)
        self._asked = 0
        self._is_away = False
        # Today's faults, by name; and of those that strike at a moment, which did.
        self._faults: dict[str, str] = {}
        self._struck: set[str] = set()
        self._onlooker = Onlooker(self._see)
        power = plan.board.power
        self.log = Logbook(clock.now_ns(), power.battery_mah, power.sleep_ua)
        fitted = find_panel(plan.panel or plan.board.panel.fitted)
        state = BoardState.new(plan.board, uid=_UID)
        self._board: VirtualBoard = unpack_board(
            plan.board, state, clock, self._person.account(), plan.runtime, fitted, self._onlooker
        )

    def live_a_day(self, day: int) -> None:
        self._turn(day)
        end_ns = self.log.start_ns + day * DAY_NS
        wakes = 0
        while (at_ns := self._board.next_wake_ns()) is not None and at_ns < end_ns:
            wakes += 1
            if wakes > MOST_WAKES_A_DAY:
                self.log.failure = f"the display woke more than {MOST_WAKES_A_DAY} times on day {day}"
            else:
                self._wake()
            if not self.goes_on():
                return
        if at_ns is None:
            self.log.failure = "the display sleeps with no alarm set"
            return
        self._clock.skip_ns(end_ns - self._clock.now_ns())
        self.log.end_day(self._clock.now_ns(), self._board.meter.charge())

    def goes_on(self) -> bool:
        self.log.interrupted = self.log.interrupted or self._is_unwanted()
        return self.log.failure is None and not self.log.interrupted

    def end(self) -> None:
        """However it ended, count up to now."""
        self.log.stop(self._clock.now_ns(), self._board.meter.charge())
        moments = {fault.what for fault in self._plan.faults if _is_moment(fault.what)}
        self.log.faults_missed = sorted(moments - self._struck)
        self.log.panel_faults = len(self._board.panel_faults)

    def _turn(self, day: int) -> None:
        """What holds from midnight on. A fault that strikes once is set anew, and strikes once each day of its span."""
        plan, faults = self._plan, self._board.faults
        faults.clear()
        self._faults = {fault_name(fault.what): fault.what for fault in plan.faults if day in fault.span}
        for fault in self._faults.values():
            faults.set(fault)
        self._authority.set_mfa(read_mfa(plan.mfa.what) if day in plan.mfa.span else "never")
        self._is_away = plan.away is not None and day in plan.away

    def _wake(self) -> None:
        board, onlooker = self._board, self._onlooker
        board.sleep()
        onlooker.new_wake()
        self._given.clear()
        self._asked = 0
        armed = board.faults.waiting()
        wake = board.wake()
        self.log.failure = wake.failure()
        if self.log.failure is not None and self._is_unwanted():
            # Ctrl-C reaches the firmware's process too, and is no defect of it.
            self.log.failure = None
            return
        # A glass that shows this picture already is not refreshed.
        screen = onlooker.last("screen")
        if screen is not None and screen.get("refreshed") == "no":
            self._shows(screen["name"])
        entry = WakeEntry(
            began_ns=wake.began_ns,
            ended_ns=wake.ended_ns,
            reason=onlooker.reason(wake),
            refreshes=wake.refreshes,
            requests=len(wake.exchanges),
            nvm_writes=wake.nvm_writes,
            flash_erases=wake.flash_erases,
            asked=self._asked,
        )
        self.log.wakes.append(entry)
        self._struck.update(self._faults[name] for name in armed - wake.faults_missed)
        self.log.defects += onlooker.last("defect") is not None
        board.exchanges.clear()
        if wake.ending == POWER_LOST:
            self._clock.skip_ns(POWER_BACK_NS)

    def _see(self, screen: str, shown: dict[str, str], glass: Glass) -> None:
        self._shows(screen)
        if shown:
            self._asked += 1
            if not self._is_away:
                self._clock.schedule(PERSON_TAKES_NS, lambda: self._approve(shown))

    def _shows(self, screen: str) -> None:
        self.log.shows(self._clock.now_ns(), screen, self._given[-1] if self._given else None)

    def _approve(self, shown: dict[str, str]) -> None:
        try:
            self._person.approve(shown)
        except PersonStuck:
            # The display asks again when it must, and the person tries again then.
            return
        self.log.approvals += 1
