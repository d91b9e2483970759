"""A real 32-bit MicroPython in the place of CPython: the same link, modules and SPI bytes."""

import pytest

from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime
from host_tools.virtual_board.runtimes.process import ROM
from tests.virtual_board.bare import bare_board

MODULES = sorted(
    path.stem for path in ROM.iterdir() if path.suffix in ("", ".py") and path.stem not in ("__init__", "__pycache__")
)
SPI_FRAME = """
import gc
import board, busio, digitalio, displayio
displayio.release_displays()
cs, dc, reset = [digitalio.DigitalInOut(pin) for pin in (board.EPD_CS, board.EPD_DC, board.EPD_RESET)]
for pin in (cs, dc, reset):
    pin.switch_to_output(True)
spi = busio.SPI(board.EPD_SCK, MOSI=board.EPD_MOSI)
spi.try_lock()
def command(number, data):
    cs.value = False
    dc.value = False
    spi.write(bytes([number]))
    dc.value = True
    spi.write(data)
    cs.value = True
command(0x44, bytes([1, 16]))
command(0x4E, bytes([1]))
command(0x24, bytes([0xFF, 0x00, 0xFF, 0x00] * 1184))
command(0x4E, bytes([1]))
command(0x4F, bytes([0, 0]))
command(0x26, bytes(4736))
command(0x22, bytes([0xF7]))
command(0x20, b"")
print("sent")
"""


@pytest.mark.parametrize("module", MODULES)
def test_every_module_of_the_board_imports(micropython, module):
    board = bare_board(f"import {module}\nprint('imported')", runtime=MicroPythonRuntime(micropython, "128k"))
    assert board.wake().console == ["imported"]


def test_an_spi_frame_arrives_and_shows_the_same_picture_as_under_cpython(micropython):
    pictures = []
    for runtime in (MicroPythonRuntime(micropython, "128k"), CPythonRuntime()):
        board = bare_board(SPI_FRAME, runtime=runtime)
        wake = board.wake()
        assert wake.console == ["sent"]
        assert wake.refreshes == 1
        assert board.panel_faults == []
        pictures.append(bytes(board.glass.pixels))
    assert pictures[0] == pictures[1]
    assert pictures[0][:32] == b"\x01" * 8 + b"\x00" * 8 + b"\x01" * 8 + b"\x00" * 8


def test_the_heap_is_bounded(micropython):
    board = bare_board("bytearray(200000)", runtime=MicroPythonRuntime(micropython, "128k"))
    assert any(line.startswith("MemoryError") for line in board.wake().console)


def test_the_watchdog_raises_its_own_exception(micropython):
    code = "import microcontroller, time\nfrom watchdog import WatchDogMode, WatchDogTimeout\n"
    code += "microcontroller.watchdog.timeout = 10\nmicrocontroller.watchdog.mode = WatchDogMode.RAISE\n"
    code += "try:\n    time.sleep(60)\nexcept WatchDogTimeout:\n    print(time.monotonic_ns() // 1000000000)\n"
    assert bare_board(code, runtime=MicroPythonRuntime(micropython, "128k")).wake().console == ["10"]
