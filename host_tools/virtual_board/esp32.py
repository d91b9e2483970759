"""An ESP32 with a panel, as a program: it boots the drive's firmware, serves its hardware calls, and sleeps.

The firmware runs in a process of its own (runtimes/); this side owns time, flash, radio, panel and power. So deep sleep
is a real exit, and a loss of power is a real kill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from host_tools.boards import Board
from host_tools.clock import Clock
from host_tools.virtual_board.boot import Boot
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.controllers.panels import Panel, find_panel
from host_tools.virtual_board.controllers.ssd1680 import Ssd1680
from host_tools.virtual_board.energy import OFF, SLEEP, Meter
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.peripherals.radio import Exchange
from host_tools.virtual_board.peripherals.station import AccessPoint
from host_tools.virtual_board.power import Cut, Supply
from host_tools.virtual_board.runtimes import Runtime
from host_tools.virtual_board.state import POWER_ON, BoardState
from host_tools.virtual_board.wake import BROWN_OUT, HARD_FAULT, RESET, WATCHDOG, Wake

# How the next boot begins, by how a wake ended: reset reason, and safe mode's (ports/espressif/supervisor/port.c).
NEXT_BOOT = {
    RESET: ("SOFTWARE", ""),
    WATCHDOG: ("WATCHDOG", ""),
    BROWN_OUT: ("BROWNOUT", "BROWNOUT"),
    HARD_FAULT: ("SOFTWARE", "HARD_FAULT"),
}


class VirtualBoard:
    """A board in somebody's home: `access_point` is its Wi-Fi, `time_host` the name of the time server it finds there.

    panel: what is fitted, by default what the board file says; it may differ from what the firmware was told.
    roots: certificate authorities built into its CircuitPython beside the public ones, PEM, as in a build of one's own.
    on_console gets each line the firmware prints; on_picture the glass after each refresh. faults: what is wrong around
    it; they may change between wakes. meter: what it draws from its battery.
    """

    def __init__(
        self,
        board: Board,
        state: BoardState,
        clock: Clock,
        runtime: Runtime,
        built_in_libraries: Path,
        access_point: AccessPoint,
        time_host: str = "pool.ntp.org",
        panel: Panel | None = None,
        usb_attached: bool = False,
        roots: str | None = None,
        on_console: Callable[[str], None] | None = None,
        on_picture: Callable[[Glass], None] | None = None,
    ) -> None:
        self.board = board
        self.state = state
        self.clock = clock
        self.glass = Glass(panel or find_panel(board.panel.fitted), state.glass)
        self.runtime = runtime
        self.built_in_libraries = built_in_libraries
        self.access_point = access_point
        self.time_host = time_host
        self.usb_attached = usb_attached
        self.roots = roots
        self.on_console = on_console
        self._on_picture = on_picture
        self.controller = Ssd1680(self.glass, clock, self._keep_picture)
        self.faults = Faults()
        self.meter = Meter(board.power, clock, OFF if state.sleeping is None else SLEEP)
        self._held: set[str] = set()
        self.pressed: str | None = None
        self._cut: Cut | None = None
        # Every HTTP exchange since the board was made, as it happens.
        self.exchanges: list[Exchange] = []

    @property
    def panel_faults(self) -> list[str]:
        """What the controller was asked that a real one would have ignored or done differently."""
        return self.controller.faults

    def install(self, files: Mapping[str, bytes], keep: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> None:
        """Put files on the drive from outside, as a deploy does; see FatDrive.install."""
        with mounted(self.state.flash) as drive:
            drive.install(files, keep, own)

    def power_off(self) -> None:
        """Pull the battery: what only power keeps is gone, the picture stays."""
        self.state.power_off()
        self.meter.change(OFF)
        self.controller = Ssd1680(self.glass, self.clock, self._keep_picture)

    def restore(self, saved: BoardState) -> None:
        """Go on from `saved`, a copy of this board's state taken between two wakes."""
        self.state.restore(saved)
        self.glass.restore(saved.glass)
        self.controller = Ssd1680(self.glass, self.clock, self._keep_picture)
        self.pressed, self._cut = None, None

    def cut_power(self, cut: Cut) -> None:
        """Let the power fail in the next wake, where `cut` says; if the wake does not get there, never."""
        self._cut = cut

    def press(self, button: str) -> None:
        """Press a button by its board name; it ends a deep sleep that has it as an alarm, and is let go at once."""
        sleeping = self.state.sleeping
        if sleeping is not None and button in sleeping.pins:
            self.pressed = button

    def hold(self, button: str) -> None:
        """Press a button and keep it down. ValueError if the board has none of that name."""
        if button not in self.board.buttons.values():
            raise ValueError(f"this board has no button {button}; it has {', '.join(self.board.buttons.values())}")
        self.press(button)
        self._held.add(button)

    def release(self, button: str) -> None:
        """Let go of a button held down."""
        self._held.discard(button)

    def down(self) -> set[str]:
        """The buttons that are down."""
        return self._held | ({self.faults.button_stuck} if self.faults.button_stuck else set())

    def next_wake_ns(self) -> int | None:
        """When it boots next, by the bench's clock; None if it sleeps with no alarm that will ever end it."""
        sleeping = self.state.sleeping
        if sleeping is None or self.pressed is not None or self._waking_pins():
            return self.clock.now_ns()
        return sleeping.until_ns

    def sleep(self) -> None:
        """Let deep sleep run out; at once if a button is down. ValueError if no time alarm will ever end it."""
        for pin in self._waking_pins():
            self.press(pin)
        until_ns = self.next_wake_ns()
        if until_ns is None:
            raise ValueError("the board sleeps with no time alarm set: only a button can wake it")
        self.clock.skip_ns(until_ns - self.clock.now_ns())

    def _waking_pins(self) -> list[str]:
        """A pin wakes the chip by its level, so that a button still down ends the next sleep too."""
        alarms = self.state.sleeping.pins if self.state.sleeping else []
        return sorted(pin for pin in self.down() | {self.faults.button_floating} if pin in alarms)

    def wake(self) -> Wake:
        """Boot and serve the firmware until the wake ends."""
        sleeping, self.state.sleeping = self.state.sleeping, None
        cut, self._cut = self._cut, None
        if cut is None and self.faults.power is not None:
            cut = Cut.parse(self.faults.power)
        supply = Supply(cut)
        with mounted(self.state.flash) as fat:
            if self.faults.drive_full:
                fat.fill()
            else:
                fat.make_room()
            boot = Boot(self, fat, sleeping, supply)
            self.pressed = None
            self.state.flash.supply = supply
            try:
                boot.run()
            finally:
                self.state.flash.supply = None
        self.state.rtc_offset_ns = boot.clocks.rtc_offset_ns
        self.state.sleeping = boot.sleeping
        self.state.slept_from_ns = boot.wake.ended_ns
        if boot.sleeping is not None:
            self.meter.change(SLEEP)
        if supply.failed:
            self.faults.power = None
            self.power_off()
        elif boot.wake.ending == BROWN_OUT:
            # It takes what a loss of power takes (documentation of alarm.SleepMemory), and the chip starts again.
            self.state.power_off()
        boot.wake.faults_missed = self.faults.waiting() - {"hang" if boot.wake.hung else None}
        self.state.next_boot = NEXT_BOOT.get(boot.wake.ending, POWER_ON)
        return boot.wake

    def _keep_picture(self) -> None:
        self.meter.refresh(self.glass.panel.refresh_ms)
        self.state.glass = bytes(self.glass.pixels)
        if self._on_picture is not None:
            self._on_picture(self.glass)
