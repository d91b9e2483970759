"""One wake of a virtual board: its peripherals, its process, and the table of link operations."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from host_tools.virtual_board.energy import BOOT, IDLE
from host_tools.virtual_board.fat import FatDrive
from host_tools.virtual_board.link import DeviceFault, Link, LinkClosed, LinkStalled
from host_tools.virtual_board.peripherals.clocks import Clocks
from host_tools.virtual_board.peripherals.drive import Drive
from host_tools.virtual_board.peripherals.memory import ByteStore
from host_tools.virtual_board.peripherals.pins import Pins
from host_tools.virtual_board.peripherals.radio import Radio
from host_tools.virtual_board.peripherals.station import Station
from host_tools.virtual_board.peripherals.watchdog import Watchdog, WatchdogReset
from host_tools.virtual_board.power import PowerLost, Supply
from host_tools.virtual_board.state import Sleeping
from host_tools.virtual_board.wake import (
    BOOTLOADER,
    BROWN_OUT,
    CRASHED,
    DEEP_SLEEP,
    FINISHED,
    HARD_FAULT,
    POWER_LOST,
    RESET,
    SAFE_MODE,
    STALLED,
    WATCHDOG,
    Wake,
)

if TYPE_CHECKING:
    from host_tools.virtual_board.esp32 import VirtualBoard

STALL_S = 60.0  # real seconds without a hardware call after which the firmware is taken to hang


class _Ended(Exception):
    """The call that ends a wake: no reply will ever come."""


class Boot:
    """Made when the board is powered, reset or woken; `run` goes on to the end of the wake."""

    def __init__(self, board: VirtualBoard, fat: FatDrive, woken: Sleeping | None, supply: Supply) -> None:
        state, faults, clock = board.state, board.faults, board.clock
        self._board = board
        self._faults = faults
        self.sleeping: Sleeping | None = None
        self._supply = supply
        reset_reason, safe_mode = state.next_boot
        woken_by = "power on" if reset_reason == "POWER_ON" else "reset"
        self._cause: tuple[Any, ...] | None = None
        if woken is not None:
            pressed = board.pressed
            reset_reason, safe_mode = "DEEP_SLEEP_ALARM", ""
            self._cause = ("time", 0) if pressed is None else ("pin", pressed, False)
            woken_by = pressed or "alarm"
        began_ns = clock.now_ns()
        self.wake = Wake(woken_by, began_ns, reset_reason=reset_reason, safe_mode=safe_mode, supply=supply)
        self.wake.drive_formatted = fat.formatted
        board.meter.change(BOOT)
        # Skipped and not slept: where the clock is real, the interpreter's own start takes the time.
        clock.skip_ns(board.board.power.boot_ms * 1_000_000)
        board.meter.change(IDLE)
        self._watchdog = Watchdog(clock)
        self.clocks = Clocks(self._watchdog, state.rtc_offset_ns)
        if woken is not None and state.slept_from_ns is not None:
            self.clocks.slept(began_ns - state.slept_from_ns, faults.sleep_clock_ppm)
        self._nvm = ByteStore("nvm", state.nvm, supply)
        station = Station(self._watchdog, board.access_point, faults, board.meter.change)
        self._radio = Radio(self._watchdog, station, board.time_host, board.exchanges, faults, board.roots)
        self._exchanges_before = len(board.exchanges)
        self._input_only = board.board.input_only_buttons
        native_usb = board.board.link == "native-usb"
        held_by_usb = faults.drive_read_only or (native_usb and board.usb_attached)
        self._operations: dict[str, Callable[..., Any]] = {
            **Pins(board.board, board.controller, faults, board.down).operations(),
            **self.clocks.operations(),
            **self._nvm.operations(),
            **ByteStore("sleep", state.sleep_memory).operations(),
            **Drive(fat, native_usb or held_by_usb, held_by_usb).operations(),
            **self._watchdog.operations(),
            **station.operations(),
            **self._radio.operations(),
            "cpu.uid": lambda: state.uid,
            "cpu.reset_reason": lambda: reset_reason,
            "cpu.reset": lambda: self._end(RESET),
            "alarm.wake": lambda: self._cause,
            "alarm.deep_sleep": self._deep_sleep,
            "alarm.light_sleep": self._light_sleep,
            "supervisor.entry_points": lambda: ("/safemode.py",) if safe_mode else ("/boot.py", "/code.py"),
            "supervisor.safe_mode_reason": lambda: safe_mode or "NONE",
            "supervisor.finished": self._finished,
        }

    def run(self) -> None:
        board = self._board
        if self._boots_from_rom():
            self.wake.ending = BOOTLOADER
            self.wake.ended_ns = board.clock.now_ns()
            return
        refreshes = board.glass.refreshes
        process = board.runtime.start(board.built_in_libraries, self._print)
        try:
            try:
                self._serve(process.link)
            except LinkStalled:
                # Real time that no call let pass: the watchdog's goes by too.
                self._watchdog.hang()
                raise
        except _Ended:
            pass
        except WatchdogReset:
            self.wake.ending = WATCHDOG
        except PowerLost:
            self.wake.ending = POWER_LOST
        except LinkClosed:
            self.wake.ending = CRASHED
        except LinkStalled:
            self.wake.ending = STALLED
        finally:
            process.end()
            self._radio.close()
        self.wake.ended_ns = board.clock.now_ns()
        self.wake.exchanges = board.exchanges[self._exchanges_before :]
        for _ in self.wake.exchanges:
            board.meter.request()
        self.wake.refreshes = board.glass.refreshes - refreshes
        self.wake.calls = len(self._supply.calls)
        self.wake.nvm_writes = self._nvm.writes

    def _serve(self, link: Link) -> None:
        supply = self._supply
        while True:
            operation, arguments = link.receive(STALL_S)
            supply.begin_call(operation, arguments)
            self._watchdog.check()
            self._strike(operation)
            handler = self._operations.get(operation)
            fault, result = None, None
            try:
                if handler is None:
                    raise DeviceFault("NotImplementedError", f"this board has no {operation}")
                result = handler(*arguments)
            except DeviceFault as raised:
                fault = raised
            except OSError as error:
                fault = DeviceFault("OSError", error.strerror or "EIO", error.errno or errno.EIO)
            except (LookupError, TypeError, ValueError, ArithmeticError) as error:
                # Arguments no board would take: the firmware's mistake, and so the firmware's exception.
                fault = DeviceFault("ValueError", f"{operation}: {error}")
            supply.end_call()
            if fault is None:
                link.reply(result)
            else:
                link.fail(fault)

    def _print(self, line: str) -> None:
        self.wake.console.append(line)
        if self._board.on_console is not None:
            self._board.on_console(line)

    def _end(self, ending: str) -> None:
        self.wake.ending = ending
        self._supply.end_call()
        raise _Ended

    def _finished(self, failure: str | None) -> None:
        if self.wake.safe_mode:
            self._end(SAFE_MODE)
        self._end(CRASHED if failure else FINISHED)

    def _boots_from_rom(self) -> bool:
        """GPIO 0 low at a chip reset selects the ROM's bootloader (ESP32 to S3); waking from deep sleep is none."""
        gpio = self._board.board.pins
        return self.wake.reset_reason in ("POWER_ON", "BROWNOUT") and 0 in {gpio[pin] for pin in self._board.down()}

    def _strike(self, operation: str) -> None:
        """Let a fault that waits for this call strike."""
        here = (operation, len(self._supply.calls))
        faults = self._faults
        if faults.hang in here:
            self.wake.hung = True
            self._watchdog.hang()
            raise LinkStalled
        if faults.brown_out in here:
            faults.brown_out = None
            self._end(BROWN_OUT)
        if faults.hard_fault in here:
            faults.hard_fault = None
            self._end(HARD_FAULT)

    def _deep_sleep(self, alarms: list[list[Any]]) -> None:
        if any(alarm[0] == "pin" and alarm[2] and alarm[1] in self._input_only for alarm in alarms):
            # A real board says so as the alarm is made, and not when it is to sleep.
            raise DeviceFault("ValueError", "Cannot pull on input-only pin.")
        ppm = self._faults.sleep_clock_ppm
        times = [self.clocks.sleep_ends_ns(alarm[1], ppm) for alarm in alarms if alarm[0] == "time"]
        self.sleeping = Sleeping(min(times, default=None), [alarm[1] for alarm in alarms if alarm[0] == "pin"])
        self._end(DEEP_SLEEP)

    def _light_sleep(self, alarms: list[list[Any]]) -> int:
        times = [(alarm[1], index) for index, alarm in enumerate(alarms) if alarm[0] == "time"]
        if not times:
            raise DeviceFault("NotImplementedError", "light sleep without a time alarm")
        until, index = min(times)
        self._watchdog.sleep_ns(until - self.clocks.monotonic_ns())
        return index
