"""GPIO pins and the SPI bus, with the fitted panel at the end of the wires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host_tools.boards import ANALOG_REFERENCE_MV, Board
from host_tools.virtual_board.controllers.ssd1680 import Ssd1680
from host_tools.virtual_board.faults import Faults
from host_tools.virtual_board.link import DeviceFault

# A lithium cell with most of its life before it.
GOOD_BATTERY_MV = 3900


class Pins:
    """Levels of the board's pins.

    board: its wiring; the panel's lines are where the board has them, whatever the firmware's profile says.
    A built-in panel's pins are held by displayio from each hard boot until the firmware releases them. down: the
    buttons held down, by name; each shorts its pin to ground.
    """

    def __init__(self, board: Board, controller: Ssd1680, faults: Faults, down: Callable[[], set[str]]) -> None:
        self._board = board
        self._faults = faults
        self._down = down
        self._controller = controller
        lines = board.panel.pins
        self._gpio = dict(board.pins)
        self._claimed: set[int] = set()
        self._pulled_up: set[int] = set()
        self._pulled_up_outside = {self._gpio[name] for name in board.input_only_buttons}
        panel_pins = (lines.sck, lines.mosi, lines.cs, lines.dc, lines.reset, lines.busy)
        self._held = {self._gpio[pin] for pin in panel_pins} if board.panel.builtin else set()
        self._outputs: dict[int, Callable[[bool], None]] = {
            self._gpio[lines.cs]: controller.set_select,
            self._gpio[lines.dc]: controller.set_data_command,
            self._gpio[lines.reset]: controller.set_reset,
        }
        self._busy = self._gpio[lines.busy]

    def operations(self) -> Mapping[str, Callable[..., Any]]:
        return {
            "board.id": lambda: self._board.id,
            "board.pins": lambda: sorted(self._gpio),
            "pin.claim": self._claim,
            "pin.release": self._release,
            "pin.write": self._write,
            "pin.read": self._read,
            "pin.pull": self._pull,
            "analog.claim": self._claim_analog,
            "analog.read": self._read_analog,
            "spi.write": self._controller.spi,
            "displayio.release_displays": self._held.clear,
        }

    def _claim(self, name: str) -> None:
        gpio = self._gpio[name]
        if gpio in self._claimed or gpio in self._held:
            raise DeviceFault("ValueError", f"{name} in use")
        self._claimed.add(gpio)

    def _release(self, name: str) -> None:
        self._claimed.discard(self._gpio[name])
        self._pulled_up.discard(self._gpio[name])

    def _write(self, name: str, level: bool) -> None:
        follow = self._outputs.get(self._gpio[name])
        if follow is not None:
            follow(level)

    def _read(self, name: str) -> bool:
        gpio = self._gpio[name]
        if gpio == self._busy:
            return self._faults.busy_stuck or self._controller.busy()
        high = gpio in self._pulled_up or gpio in self._pulled_up_outside
        return high and gpio not in {self._gpio[button] for button in self._down()}

    def _claim_analog(self, name: str) -> None:
        monitor = self._board.power.monitor
        if monitor is None or self._gpio[name] != self._gpio[monitor.pin]:
            raise DeviceFault("ValueError", "Invalid pin")
        self._claim(name)

    def _read_analog(self, name: str) -> int:
        monitor = self._board.power.monitor
        battery_mv = GOOD_BATTERY_MV if self._faults.battery_mv is None else self._faults.battery_mv
        millivolts = battery_mv // monitor.divider if monitor else 0
        return min(millivolts, ANALOG_REFERENCE_MV) * 0xFFFF // ANALOG_REFERENCE_MV

    def _pull(self, name: str, up: bool | None) -> None:
        if up:
            self._pulled_up.add(self._gpio[name])
        else:
            self._pulled_up.discard(self._gpio[name])
