"""A board with nothing on its drive but the code a test gives it and the published libraries."""

from __future__ import annotations

from host_tools.boards import load_board
from host_tools.clock import VirtualClock
from host_tools.device_libraries import library_path, on_board_path
from host_tools.virtual_board.controllers.panels import find_panel
from host_tools.virtual_board.esp32 import VirtualBoard
from host_tools.virtual_board.peripherals.station import AccessPoint
from host_tools.virtual_board.runtimes.cpython import CPythonRuntime
from host_tools.virtual_board.state import BoardState

WIFI = AccessPoint("home", "password")
START_NS = 1_772_442_000 * 1_000_000_000
JOIN = 'import wifi, socketpool\nwifi.radio.connect("home", "password")\npool = socketpool.SocketPool(wifi.radio)\n'


def bare_board(code, board_id="adafruit_magtag_2.9_grayscale", panel=None, runtime=None, libraries=False, **options):
    """A board whose code.py is `code`; with `libraries`, the published drivers are on its drive."""
    board = load_board(board_id)
    made = VirtualBoard(
        board,
        BoardState.new(board),
        VirtualClock(START_NS),
        runtime or CPythonRuntime(),
        on_board_path(),
        WIFI,
        panel=find_panel(panel) if panel else None,
        **options,
    )
    files = {"code.py": code.encode()}
    if libraries:
        folder = library_path()
        files |= {f"lib/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*.py")}
    made.install(files)
    return made


def console(code, **options):
    """What a board prints that runs `code` once."""
    return bare_board(code, **options).wake().console
