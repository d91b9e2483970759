"""The firmware's own modules on the host, so that a rule is written once: what a display takes, a tool may write."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType

from host_tools.shipped import shipped


@cache
def firmware(name: str) -> ModuleType:
    """The module of this name, such as "stoa.settings". What one imports of `stoa` when it is called is not there."""
    with importable():
        return importlib.import_module(name)


@contextmanager
def importable() -> Iterator[None]:
    """The firmware's modules, for as long as the context lasts: no `stoa` package stays behind in this process."""
    folder = str(shipped("firmware"))
    before = {name: module for name, module in sys.modules.items() if _is_firmware(name)}
    for name in before:
        del sys.modules[name]
    # Last: in front, the program's code.py would hide the standard library's.
    sys.path.append(folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in [name for name in sys.modules if _is_firmware(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _is_firmware(module: str) -> bool:
    return module == "stoa" or module.startswith("stoa.")
