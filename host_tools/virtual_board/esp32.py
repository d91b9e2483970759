"""An ESP32 with a panel, as a program: it boots the drive's firmware, serves its hardware calls, and sleeps.

The firmware runs in a process of its own (runtimes/); this side owns time, flash, radio, panel and power. So deep sleep
is a real exit, and a loss of power is a real kill.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tools.boards import Board
from host_tools.clock import Clock
from host_tools.virtual_board.controllers.glass import Glass
from host_tools.virtual_board.controllers.panels import Panel, find_panel
from host_tools.virtual_board.controllers.ssd1680 import Ssd1680
from host_tools.virtual_board.fat import FatDrive, mounted
from host_tools.virtual_board.link import DeviceFault, Link, LinkClosed, LinkStalled
from host_tools.virtual_board.peripherals.clocks import Clocks
from host_tools.virtual_board.peripherals.drive import Drive
from host_tools.virtual_board.peripherals.memory import ByteStore
from host_tools.virtual_board.peripherals.pins import Pins
from host_tools.virtual_board.peripherals.radio import AccessPoint, Exchange, Radio
from host_tools.virtual_board.runtimes import FirmwareProcess, Runtime
from host_tools.virtual_board.state import BoardState, Sleeping

STALL_S = 60.0  # real seconds without a hardware call after which the firmware is taken to hang
DEEP_SLEEP, RESET, FINISHED, CRASHED, STALLED = "deep sleep", "reset", "finished", "crashed", "stalled"


@dataclass
class Wake:
    """One boot of the firmware, from reset to whatever ended it.

    ending: one of the constants above; FINISHED and CRASHED leave a real board awake, a defect of the firmware.
    woken_by: "power on", "alarm", "reset" or the name of a pin. console: what it printed. calls: hardware calls made.
    """

    woken_by: str
    began_ns: int
    ended_ns: int = 0
    ending: str = ""
    console: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    refreshes: int = 0
    calls: int = 0
    nvm_writes: int = 0

    def failure(self) -> str | None:
        """Why this wake was a defect of the firmware, in words; None where it ended in deep sleep."""
        if self.ending == DEEP_SLEEP:
            return None
        last = self.console[-1] if self.console else "nothing on its console"
        return f"the firmware {self.ending} instead of going to sleep: {last}"


class _Ended(Exception):
    """The call that ends a wake: no reply will ever come."""


class VirtualBoard:
    """A board in somebody's home: `access_point` is its Wi-Fi, `time_host` the name of the time server it finds there.

    panel: what is fitted, by default what the board file says; it may differ from what the firmware was told.
    on_console gets each line the firmware prints; on_picture the glass after each refresh.
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
        on_console: Callable[[str], None] | None = None,
        on_picture: Callable[[Glass], None] | None = None,
    ) -> None:
        self.board = board
        self.state = state
        self.clock = clock
        self.glass = Glass(panel or find_panel(board.panel.fitted), state.glass)
        self._runtime = runtime
        self._built_in = built_in_libraries
        self._access_point = access_point
        self._time_host = time_host
        self._usb_attached = usb_attached
        self._on_console = on_console
        self._on_picture = on_picture
        self._controller = Ssd1680(self.glass, clock, self._keep_picture)
        self._pressed: str | None = None
        self._was_reset = False
        # Every HTTP exchange since the board was made, as it happens.
        self.exchanges: list[Exchange] = []

    @property
    def panel_faults(self) -> list[str]:
        """What the controller was asked that a real one would have ignored or done differently."""
        return self._controller.faults

    def install(self, files: Mapping[str, bytes], keep: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> None:
        """Put files on the drive from outside, as a deploy does; see FatDrive.install."""
        with mounted(self.state.flash) as drive:
            drive.install(files, keep, own)

    def power_off(self) -> None:
        """Pull the battery: what only power keeps is gone, the picture stays."""
        self.state.power_off()
        self._controller = Ssd1680(self.glass, self.clock, self._keep_picture)

    def press(self, button: str) -> None:
        """Press a button by its board name; it ends a deep sleep that has it as an alarm, and is let go at once."""
        sleeping = self.state.sleeping
        if sleeping is not None and button in sleeping.pins:
            self._pressed = button

    def sleep(self) -> None:
        """Let deep sleep run out; at once if a button was pressed. ValueError if no time alarm will ever end it."""
        sleeping = self.state.sleeping
        if sleeping is None or self._pressed is not None:
            return
        if sleeping.until_ns is None:
            raise ValueError("the board sleeps with no time alarm set: only a button can wake it")
        self.clock.skip_ns(sleeping.until_ns - self.clock.now_ns())

    def wake(self) -> Wake:
        """Boot and serve the firmware until the wake ends."""
        sleeping, self.state.sleeping = self.state.sleeping, None
        with mounted(self.state.flash) as fat:
            boot = _Boot(self, fat, sleeping, self._pressed, self._was_reset)
            self._pressed = None
            boot.run()
        self._was_reset = boot.wake.ending == RESET
        self.state.rtc_offset_ns = boot.clocks.rtc_offset_ns
        self.state.sleeping = boot.sleeping
        return boot.wake

    def _keep_picture(self) -> None:
        self.state.glass = bytes(self.glass.pixels)
        if self._on_picture is not None:
            self._on_picture(self.glass)


class _Boot:
    """One wake: its peripherals, its process, and the table of link operations."""

    def __init__(
        self, board: VirtualBoard, fat: FatDrive, woken: Sleeping | None, pressed: str | None, was_reset: bool
    ) -> None:
        state = board.state
        self._board = board
        self.sleeping: Sleeping | None = None
        self.clocks = Clocks(board.clock, state.rtc_offset_ns)
        self._nvm = ByteStore("nvm", state.nvm)
        self._radio = Radio(board.clock, board._access_point, board._time_host, state.uid, board.exchanges)
        self._exchanges_before = len(board.exchanges)
        self._cause: tuple[Any, ...] | None = None
        self._reset_reason = "SOFTWARE" if was_reset else "POWER_ON"
        woken_by = "reset" if was_reset else "power on"
        if woken is not None:
            self._reset_reason = "DEEP_SLEEP_ALARM"
            self._cause = ("time", 0) if pressed is None else ("pin", pressed, False)
            woken_by = "alarm" if pressed is None else pressed
        self.wake = Wake(woken_by, board.clock.now_ns())
        native_usb = board.board.link == "native-usb"
        self._operations: dict[str, Callable[..., Any]] = {
            **Pins(board.board, board._controller).operations(),
            **self.clocks.operations(),
            **self._nvm.operations(),
            **ByteStore("sleep", state.sleep_memory).operations(),
            **Drive(fat, native_usb, native_usb and board._usb_attached).operations(),
            **self._radio.operations(),
            "cpu.uid": lambda: state.uid,
            "cpu.reset_reason": lambda: self._reset_reason,
            "cpu.reset": lambda: self._end(RESET),
            "alarm.wake": lambda: self._cause,
            "alarm.deep_sleep": self._deep_sleep,
            "alarm.light_sleep": self._light_sleep,
            "supervisor.entry_points": lambda: ("/boot.py", "/code.py"),
            "supervisor.safe_mode_reason": lambda: "NONE",
            "supervisor.finished": lambda failure: self._end(CRASHED if failure else FINISHED),
        }

    def run(self) -> None:
        board = self._board
        refreshes = board.glass.refreshes
        process = FirmwareProcess(board._runtime.command(board._built_in), self._print)
        try:
            self._serve(process.link)
        except _Ended:
            pass
        except LinkClosed:
            self.wake.ending = CRASHED
        except LinkStalled:
            self.wake.ending = STALLED
        finally:
            process.end()
            self._radio.close()
        self.wake.ended_ns = board.clock.now_ns()
        self.wake.exchanges = board.exchanges[self._exchanges_before :]
        self.wake.refreshes = board.glass.refreshes - refreshes
        self.wake.nvm_writes = self._nvm.writes

    def _serve(self, link: Link) -> None:
        while True:
            operation, arguments = link.receive(STALL_S)
            self.wake.calls += 1
            handler = self._operations.get(operation)
            try:
                if handler is None:
                    raise DeviceFault("NotImplementedError", f"this board has no {operation}")
                link.reply(handler(*arguments))
            except DeviceFault as fault:
                link.fail(fault)
            except OSError as error:
                link.fail(DeviceFault("OSError", error.strerror or "EIO", error.errno or errno.EIO))
            except (LookupError, TypeError, ValueError, ArithmeticError) as error:
                # Arguments no board would take: the firmware's mistake, and so the firmware's exception.
                link.fail(DeviceFault("ValueError", f"{operation}: {error}"))

    def _print(self, line: str) -> None:
        self.wake.console.append(line)
        if self._board._on_console is not None:
            self._board._on_console(line)

    def _end(self, ending: str) -> None:
        self.wake.ending = ending
        raise _Ended

    def _deep_sleep(self, alarms: list[list[Any]]) -> None:
        times = [self.wake.began_ns + alarm[1] for alarm in alarms if alarm[0] == "time"]
        self.sleeping = Sleeping(min(times, default=None), [alarm[1] for alarm in alarms if alarm[0] == "pin"])
        self._end(DEEP_SLEEP)

    def _light_sleep(self, alarms: list[list[Any]]) -> int:
        times = [(alarm[1], index) for index, alarm in enumerate(alarms) if alarm[0] == "time"]
        if not times:
            raise DeviceFault("NotImplementedError", "light sleep without a time alarm")
        until, index = min(times)
        self._board.clock.sleep_ns(until - self.clocks.monotonic_ns())
        return index
