"""Solomon Systech SSD1680: 176 sources x 296 gates, two RAM planes, as far as an e-paper driver can tell.

Fed only by what its pins see: SPI bytes with D/C and CS, and RESET; it answers with BUSY and with the glass. Commands
by their number in the data sheet (rev. 0.14, table 7-1); what is not modelled is reported as a fault, never guessed.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from host_tools.clock import Clock
from host_tools.virtual_board.controllers.glass import BLACK, WHITE, Glass

SOURCES, GATES = 176, 296
ROW = SOURCES // 8
MS = 1_000_000
RESET_BUSY_MS = 10  # "wait 10 ms" after a reset in the data sheet's operation flow; BUSY is high meanwhile
POWER_MS = 40  # panels need 40 to 200 ms to bring their voltages up (reference/field-notes D.2)

# Bytes each command takes. Commands that start something by themselves take none.
ARGUMENTS = {
    0x01: 3,  # driver output control: gates - 1, scan order
    0x03: 1,  # gate voltage
    0x04: 3,  # source voltage
    0x0C: 4,  # booster soft start
    0x10: 1,  # deep sleep mode
    0x11: 1,  # data entry mode
    0x12: 0,  # software reset
    0x18: 1,  # temperature sensor
    0x1A: 2,  # temperature register
    0x20: 0,  # master activation
    0x21: 2,  # display update control 1: how the planes are read
    0x22: 1,  # display update control 2: what an activation does
    0x2C: 1,  # VCOM
    0x3C: 1,  # border waveform
    0x3F: 1,  # end option
    0x44: 2,  # RAM window in X, bytes
    0x45: 4,  # RAM window in Y, gates
    0x4E: 1,  # RAM counter X
    0x4F: 2,  # RAM counter Y
    0x74: 1,  # analog block control
    0x7E: 1,  # digital block control
    0x7F: 0,  # no operation
}
# The eight pixels of a RAM byte.
_PIXELS = [bytes(WHITE if byte & 0x80 >> bit else BLACK for bit in range(8)) for byte in range(256)]
WRITE_RAM = {0x24: 0, 0x26: 1}  # command: plane (0 black/white, 1 red)
# Bits of command 0x22.
ENABLE, ENABLE_ANALOG, LOAD_LUT, DISPLAY_MODE_2, DISPLAY, DISABLE = 0xC0, 0x40, 0x10, 0x08, 0x04, 0x03


class Ssd1680:
    """One controller with its glass. `on_refresh` is called whenever a refresh has put a picture on the glass."""

    def __init__(self, glass: Glass, clock: Clock, on_refresh: Callable[[], None]) -> None:
        self.glass = glass
        self.faults: list[str] = []
        self._clock = clock
        self._on_refresh = on_refresh
        self._ram = self._noise()
        self._selected = False
        self._data = False
        self._in_reset = False
        self._asleep = False
        self._busy_until = 0
        self._restore_defaults()

    def set_select(self, level: bool) -> None:
        self._selected = not level

    def set_data_command(self, level: bool) -> None:
        self._data = level

    def set_reset(self, level: bool) -> None:
        if self._in_reset and level:
            self._busy_for(RESET_BUSY_MS)
        if not level:
            if self.busy() and not self._asleep:
                self._fault("RESET during a refresh")
            self._asleep = False
            self._busy_until = 0
            self._restore_defaults()
        self._in_reset = not level

    def busy(self) -> bool:
        """The BUSY pin: high while working, and through deep sleep."""
        return self._asleep or self._clock.now_ns() < self._busy_until

    def spi(self, data: bytes) -> None:
        """Bytes clocked in while CS, D/C and RESET are as they are."""
        if not data or not self._selected or self._in_reset or self._asleep:
            return
        if self.busy():
            self._fault("SPI while BUSY")
            return
        if self._data:
            self._take_data(data)
        else:
            for command in data:
                self._take_command(command)

    def _noise(self) -> list[bytearray]:
        """RAM that was never written: a window that misses part of the glass shows it."""
        noise = random.Random(0x1680)
        return [bytearray(noise.randbytes(ROW * GATES)) for _ in range(2)]

    def _restore_defaults(self) -> None:
        """Power-on values of the data sheet; RAM keeps its content."""
        self._command = 0x7F
        self._arguments = bytearray()
        self._gates = GATES
        self._reverse_gates = False
        self._entry = 0x03
        self._window_x = (0, ROW - 1)
        self._window_y = (0, GATES - 1)
        self._x = 0
        self._y = 0
        self._plane_options = 0
        self._sequence = 0xFF
        self._custom_lut = False
        self._powered = False

    def _take_command(self, command: int) -> None:
        self._command = command
        self._arguments = bytearray()
        if command == 0x12:
            self._restore_defaults()
            self._busy_for(RESET_BUSY_MS)
        elif command == 0x20:
            self._activate()
        elif command == 0x32:
            self._custom_lut = True
        elif command not in ARGUMENTS and command not in WRITE_RAM:
            self._fault(f"command 0x{command:02X} is not modelled")

    def _take_data(self, data: bytes) -> None:
        plane = WRITE_RAM.get(self._command)
        if plane is not None:
            self._write_ram(plane, data)
            return
        wanted = ARGUMENTS.get(self._command, 0)
        for byte in data:
            if len(self._arguments) < wanted:
                self._arguments.append(byte)
                if len(self._arguments) == wanted:
                    self._apply(self._command, bytes(self._arguments))

    def _apply(self, command: int, a: bytes) -> None:
        if command == 0x01:
            self._gates = (a[0] | a[1] << 8 & 0x100) + 1
            self._reverse_gates = bool(a[2] & 0x01)
            if a[2] & 0x06:
                self._fault("interlaced gate scan is not modelled")
        elif command == 0x10:
            self._asleep = bool(a[0] & 0x03)
            if a[0] & 0x02:
                # Mode 2 does not keep the RAM.
                self._ram = self._noise()
        elif command == 0x11:
            self._entry = a[0] & 0x07
        elif command == 0x21:
            self._plane_options = a[0]
            if not {a[0] & 0x0F, a[0] >> 4} <= {0, 4, 8}:
                self._fault(f"plane options 0x{a[0]:02X} are not modelled")
            if a[1] & 0x80:
                self._fault("source output from S8 to S167 is not modelled")
        elif command == 0x22:
            self._sequence = a[0]
        elif command == 0x44:
            self._window_x = (a[0] & 0x3F, a[1] & 0x3F)
        elif command == 0x45:
            self._window_y = ((a[0] | a[1] << 8) & 0x1FF, (a[2] | a[3] << 8) & 0x1FF)
        elif command == 0x4E:
            self._x = a[0] & 0x3F
        elif command == 0x4F:
            self._y = (a[0] | a[1] << 8) & 0x1FF

    def _write_ram(self, plane: int, data: bytes) -> None:
        ram = self._ram[plane]
        first, last = self._window_x
        at = 0
        # Row by row while the counters go as pictures are mostly written; what is left, or odd, byte by byte.
        while self._entry & 0x07 == 0x03 and at < len(data) and first <= self._x <= last < ROW and self._y < GATES:
            run = data[at : at + last + 1 - self._x]
            here = self._y * ROW + self._x
            ram[here : here + len(run)] = run
            at += len(run)
            self._x += len(run) - 1
            if self._step_x():
                self._step_y()
        for byte in data[at:]:
            if self._x < ROW and self._y < GATES:
                ram[self._y * ROW + self._x] = byte
            if self._entry & 0x04:
                if self._step_y():
                    self._step_x()
            elif self._step_x():
                self._step_y()

    def _step_x(self) -> bool:
        """Move the X counter as the entry mode says; True when it went round its window.

        A window is crossed from its start to its end: where the counter goes down, the start is the higher one.
        """
        first, last = self._window_x
        if self._x == last:
            self._x = first
            return True
        self._x = (self._x + (1 if self._entry & 0x01 else -1)) & 0x3F
        return False

    def _step_y(self) -> bool:
        first, last = self._window_y
        if self._y == last:
            self._y = first
            return True
        self._y = (self._y + (1 if self._entry & 0x02 else -1)) & 0x1FF
        return False

    def _activate(self) -> None:
        """Command 0x20: do what 0x22 asked for, BUSY for as long as it takes."""
        duration = POWER_MS if self._sequence & ENABLE_ANALOG else 1
        if self._sequence & ENABLE == ENABLE:
            self._powered = True
        if self._sequence & DISPLAY and not self._powered:
            self._fault("display without clock and analog power")
        elif self._sequence & DISPLAY:
            if self._custom_lut or not self._sequence & LOAD_LUT:
                self._fault("a waveform of the driver's own is not modelled")
            if self._sequence & DISPLAY_MODE_2:
                self._fault("partial refresh (display mode 2) is not modelled")
            self._show()
            duration += self.glass.panel.refresh_ms
        if self._sequence & DISABLE:
            self._powered = False
        self._busy_for(duration)

    def _show(self) -> None:
        """Put on the glass what a two-colour one makes of the two planes: red it has not, and shows as black."""
        panel = self.glass.panel
        black_white = self._plane(0, self._plane_options & 0x0F)
        red = self._plane(1, self._plane_options >> 4)
        white = (black_white & ~red).to_bytes(len(self._ram[0]), "big")
        for gate in range(min(panel.height, self._gates)):
            row = self._gates - 1 - gate if self._reverse_gates else gate
            sources = b"".join([_PIXELS[byte] for byte in white[row * ROW : (row + 1) * ROW]])
            shown = sources[panel.first_source : panel.first_source + panel.width]
            self.glass.pixels[gate * panel.width : (gate + 1) * panel.width] = shown
        self.glass.refreshes += 1
        self._on_refresh()

    def _plane(self, plane: int, option: int) -> int:
        """A plane as one number, as command 0x21 has it read: 0 as it is, 4 as if it were 0, 8 inverted."""
        if option == 4:
            return 0
        bits = int.from_bytes(self._ram[plane], "big")
        return bits ^ ((1 << 8 * len(self._ram[plane])) - 1) if option == 8 else bits

    def _busy_for(self, milliseconds: int) -> None:
        self._busy_until = self._clock.now_ns() + milliseconds * MS

    def _fault(self, text: str) -> None:
        if text not in self.faults:
            self.faults.append(text)
