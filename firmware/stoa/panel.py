"""The glass: the published SSD1680 driver on the panel's pins, with an end to every wait for BUSY.

The library's mono driver writes from source 0; MagTags made since 2025 begin at source 8 ("colstart", CircuitPython's
ports/espressif/boards/adafruit_magtag_2.9_grayscale/board.c). Written from 0 they show a stripe of noise.
"""

import time

import board
import busio
import digitalio
import displayio
from adafruit_epd.epd import Adafruit_EPD
from adafruit_epd.ssd1680 import Adafruit_SSD1680

# Three-colour glass takes 27 s (GxEPD2), so that a wait of 40 s is no refresh but a broken wire. The library would
# wait for ever.
BUSY_LIMIT_NS = 40 * 1000000000
SET_RAM_X_WINDOW = 0x44
SET_RAM_X_COUNTER = 0x4E
SET_RAM_Y_COUNTER = 0x4F


class BusyStuck(Exception):
    """BUSY never fell: the panel is unplugged, broken, or not the one in the board's profile."""


def show(profile, picture):
    """Refresh the glass with `picture`, bands of it as stoa.canvas has them; seconds long.

    profile: the "panel" of the board's profile. Raises BusyStuck.
    """
    names = profile["pins"]
    # Boards that start their panel themselves hold its pins until this.
    displayio.release_displays()
    pins = []
    spi = busio.SPI(getattr(board, names["sck"]), MOSI=getattr(board, names["mosi"]))
    try:
        for role in ("cs", "dc", "reset", "busy"):
            pins.append(digitalio.DigitalInOut(getattr(board, names[role])))
        panel = Panel(profile["width"], profile["height"], spi, profile["colstart"], *pins)
        panel.show(picture)
    finally:
        spi.deinit()
        for pin in pins:
            pin.deinit()


class Panel(Adafruit_SSD1680):
    """`colstart`: the first source line in use, a multiple of 8."""

    def __init__(self, width, height, spi, colstart, cs, dc, reset, busy):
        self._first_byte = colstart // 8
        # Not the driver's own, which makes two frame buffers of a whole picture each: nobody draws on them.
        Adafruit_EPD.__init__(self, width, height, spi, cs, dc, None, reset, busy)

    def show(self, picture):
        """Put a picture on the glass, and power down."""
        self._buffer1 = picture
        self.display()
        self.power_down()

    def _spi_transfer(self, data):
        if not isinstance(data, list):
            return Adafruit_SSD1680._spi_transfer(self, data)
        for band in data:
            self.spi_device.write(band)
        return None

    def update(self):
        # The display() before sent one plane, for it knows of no second buffer. In the other nothing is red.
        self.write_ram(1)
        self._dc.value = True
        while not self.spi_device.try_lock():
            time.sleep(0.01)
        for band in self._buffer1:
            self._spi_transfer(bytearray(len(band)))
        self.spi_device.unlock()
        self._cs.value = True
        Adafruit_SSD1680.update(self)

    def busy_wait(self):
        # The library's own waits a fixed time where the pin is not wired; only the endless one is replaced.
        if not self._busy:
            Adafruit_SSD1680.busy_wait(self)
            return
        limit = time.monotonic_ns() + BUSY_LIMIT_NS
        while self._busy.value:
            if time.monotonic_ns() > limit:
                raise BusyStuck()
            # A refresh takes 1.2 to 27 s (GxEPD2); a tenth of one is nobody's loss.
            time.sleep(0.1)

    def power_up(self):
        Adafruit_SSD1680.power_up(self)
        last = self._first_byte + (self._width + 7) // 8 - 1
        self.command(SET_RAM_X_WINDOW, bytearray([self._first_byte, last]))
        self.set_ram_address(0, 0)

    def set_ram_address(self, x, y):
        self.command(SET_RAM_X_COUNTER, bytearray([self._first_byte]))
        self.command(SET_RAM_Y_COUNTER, bytearray([0, 0]))
