"""CPython as the board's interpreter: fast, and debuggable."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from host_tools.virtual_board.runtimes.process import ROM


class CPythonRuntime:
    name = "cpython"

    def command(self, built_in: Path) -> Sequence[str]:
        boot = Path(__file__).with_name("cpython_boot.py")
        # -I -S: nothing of the host's environment; -B: no bytecode beside our sources; -u: the console at once.
        return [sys.executable, "-I", "-S", "-B", "-u", str(boot), str(ROM), str(built_in)]
