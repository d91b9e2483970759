"""CPython as the board's interpreter: fast, and debuggable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from host_tools.virtual_board.runtimes.fork_server import fork_server
from host_tools.virtual_board.runtimes.process import FirmwareProcess


class CPythonRuntime:
    name = "cpython"
    mpy_cross: Path | None = None

    def start(self, built_in: Path, on_console: Callable[[str], None]) -> FirmwareProcess:
        return FirmwareProcess(fork_server(built_in).start, on_console)
