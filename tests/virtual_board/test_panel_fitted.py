"""The published driver, unmodified, against the controller model: the picture comes from its SPI bytes alone."""

import hashlib

import pytest

from host_tools.device_libraries import locked_libraries
from tests.virtual_board.bare import bare_board

FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"
# A frame around the edge, a diagonal, and a block: any shift, mirror or stripe shows.
DRAWING = """
import board, busio, digitalio, displayio
from {module} import {driver} as Driver
displayio.release_displays()
names = {pins}
spi = busio.SPI(getattr(board, names[0]), MOSI=getattr(board, names[1]))
cs, dc, rst, busy = [digitalio.DigitalInOut(getattr(board, name)) for name in names[2:]]
display = Driver({width}, {height}, spi, {more}cs_pin=cs, dc_pin=dc, sramcs_pin=None, rst_pin=rst, busy_pin=busy)
display.rotation = 0
display.fill(1)
display.rect(0, 0, {width}, {height}, 0)
display.line(0, 0, 60, 120, 0)
display.fill_rect(20, 130, 50, 30, 0)
display.display()
display.power_down()
print("drawn")
"""
MAGTAG_PINS = ("EPD_SCK", "EPD_MOSI", "EPD_CS", "EPD_DC", "EPD_RESET", "EPD_BUSY")
FEATHER_PINS = ("SCK", "MOSI", "D9", "D10", "D5", "D6")


def expected(width, height):
    """The same drawing by the published framebuf alone, in scan order: 0 is black."""
    import adafruit_framebuf

    stride = (width + 7) // 8 * 8
    frame = adafruit_framebuf.FrameBuffer(
        bytearray(stride * height // 8), width, height, adafruit_framebuf.MHMSB, stride
    )
    frame.fill(1)
    frame.rect(0, 0, width, height, 0)
    frame.line(0, 0, 60, 120, 0)
    frame.fill_rect(20, 130, 50, 30, 0)
    return [[frame.pixel(x, y) for x in range(width)] for y in range(height)]


def draw(board_id, width, height, panel=None, module="adafruit_epd.ssd1680", driver="Adafruit_SSD1680", more=""):
    pins = FEATHER_PINS if board_id == FEATHER else MAGTAG_PINS
    code = DRAWING.format(module=module, driver=driver, pins=pins, width=width, height=height, more=more)
    board = bare_board(code, board_id, panel=panel, libraries=True)
    wake = board.wake()
    assert wake.console == ["drawn"]
    assert wake.refreshes == 1
    glass = board.glass
    pixels = [list(glass.pixels[y * glass.panel.width :][: glass.panel.width]) for y in range(glass.panel.height)]
    return board, wake, pixels


def block(pixels):
    """Where the drawing's block lies: its black pixels in the middle rows."""
    return {(x, y) for y in range(131, 159) for x, shade in enumerate(pixels[y]) if shade == 0 and 0 < x < 100}


def test_the_library_is_the_published_one(device_library_path):
    epd = next(library for library in locked_libraries() if library.name == "adafruit-circuitpython-epd")
    for name, digest in epd.files.items():
        assert hashlib.sha256((device_library_path / name).read_bytes()).hexdigest() == digest
    assert "adafruit_epd/ssd1680.py" in epd.files


def test_the_breakout_shows_what_the_published_driver_draws(device_library_path):
    board, wake, pixels = draw(FEATHER, 122, 250)
    assert pixels == expected(122, 250)
    assert board.panel_faults == []
    drawing_ns = wake.awake_ns - board.board.power.boot_ms * 1_000_000
    assert 1.7e9 < drawing_ns < 3e9, "BUSY held the driver for as long as the glass takes"


def test_the_published_driver_shifts_on_glass_that_begins_at_source_8():
    _, _, right = draw("adafruit_magtag_2.9_grayscale", 128, 296, panel="magtag-2.9-ssd1680-colstart0")
    _, _, wrong = draw("adafruit_magtag_2.9_grayscale", 128, 296, panel="magtag-2.9-ssd1680-colstart8")
    assert block(right) == {(x, y) for y in range(131, 159) for x in range(20, 70)}
    assert block(wrong) == {(x - 8, y) for x, y in block(right)}
    stripe = [shade for row in wrong for shade in row[120:]]
    assert 0.3 < stripe.count(0) / len(stripe) < 0.9, "RAM that was never written shows as noise"


# The same drawing by the library's frame buffer, put on the glass by ours in two bands.
OURS = """
import adafruit_framebuf
from stoa import panel
picture = bytearray(16 * 296)
frame = adafruit_framebuf.FrameBuffer(picture, 128, 296, adafruit_framebuf.MHMSB, 128)
frame.fill(1)
frame.rect(0, 0, 128, 296, 0)
frame.line(0, 0, 60, 120, 0)
frame.fill_rect(20, 130, 50, 30, 0)
pins = {"cs": "EPD_CS", "dc": "EPD_DC", "reset": "EPD_RESET", "busy": "EPD_BUSY", "sck": "EPD_SCK", "mosi": "EPD_MOSI"}
panel.show({"width": 128, "height": 296, "colstart": 8, "pins": pins}, [picture[:3000], picture[3000:]])
print("drawn")
"""


def test_our_subclass_fits_it(device_library_path):
    board = bare_board(OURS, libraries=True)
    from host_tools.shipped import shipped

    board.install({"stoa/__init__.py": b"", "stoa/panel.py": (shipped("firmware") / "stoa/panel.py").read_bytes()})
    assert board.wake().console == ["drawn"]
    assert [list(board.glass.pixels[y * 128 :][:128]) for y in range(296)] == expected(128, 296)
    assert board.panel_faults == []


@pytest.mark.parametrize("panel", ["breakout-2.13-ssd1680", "magtag-2.9-ssd1680-colstart8"])
def test_glass_of_another_size_shows_another_picture(panel):
    board_id, width, height = ("adafruit_magtag_2.9_grayscale", 128, 296)
    if panel.startswith("magtag"):
        board_id, width, height = FEATHER, 122, 250
    _, _, pixels = draw(board_id, width, height, panel=panel)
    edges = [pixels[0], pixels[-1], [row[0] for row in pixels], [row[-1] for row in pixels]]
    assert any(1 in edge for edge in edges), "the frame does not meet this glass' edges"
