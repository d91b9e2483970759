"""GPIO pins and the SPI bus, with the fitted panel at the end of the wires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from host_tools.boards import Board
from host_tools.virtual_board.controllers.ssd1680 import Ssd1680
from host_tools.virtual_board.link import DeviceFault


class Pins:
    """Levels of the board's pins.

    board: its wiring; the panel's lines are where the board has them, whatever the firmware's profile says.
    A built-in panel's pins are held by displayio from each hard boot until the firmware releases them.
    """

    def __init__(self, board: Board, controller: Ssd1680) -> None:
        self._board = board
        self._controller = controller
        lines = board.panel.pins
        self._gpio = dict(board.pins)
        self._claimed: set[int] = set()
        self._pulled_up: set[int] = set()
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
            return self._controller.busy()
        # Nobody holds a button down while the firmware looks.
        return gpio in self._pulled_up

    def _pull(self, name: str, up: bool | None) -> None:
        if up:
            self._pulled_up.add(self._gpio[name])
        else:
            self._pulled_up.discard(self._gpio[name])
