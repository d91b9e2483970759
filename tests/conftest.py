"""Fixtures shared by every suite."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from host_tools import device_libraries
from host_tools.virtual_board.runtimes.micropython import MicroPythonUnavailable, find_micropython

# Last, as on no board: the program's code.py would hide the standard library's module of that name.
sys.path.append(str(Path(__file__).resolve().parents[1] / "firmware"))

# A shell that runs this in the background has it ignore Ctrl-C, and whatever it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time: a run says something of the change it is for. HYPOTHESIS_PROFILE=explore looks for more.
settings.register_profile("stoa", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stoa"))


@pytest.fixture(scope="session")
def device_library_path() -> Iterator[Path]:
    """The published device libraries of firmware/libraries.toml, importable for the rest of the session.

    They import what CircuitPython has built in (`micropython`, `digitalio`): a test supplies that itself.
    """
    path = device_libraries.library_path()
    added = [str(path), str(device_libraries.on_board_path())]
    sys.path[:0] = added
    yield path
    for entry in added:
        sys.path.remove(entry)


@pytest.fixture(scope="session")
def micropython() -> list[str]:
    """The command that starts a real MicroPython. In CI its tests may not be skipped; elsewhere a machine without it,
    and without Debian's packages, skips them."""
    try:
        return find_micropython(device_libraries.cache_folder())
    except MicroPythonUnavailable as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
