"""MicroPython as the board's interpreter: a real 32-bit VM whose heap is bounded like that of a board without PSRAM.

A `micropython` on PATH serves. Otherwise Debian's package (trixie, i386) is fetched into the cache and started through
its own loader; nothing is installed and no root is needed.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from host_tools.debian_package import DebianPackage, DebianPackageUnavailable, unpacked
from host_tools.device_libraries import cache_folder
from host_tools.errors import StoaError
from host_tools.virtual_board.runtimes.process import ROM, FirmwareProcess, SpawnedChild
from host_tools.virtual_board.runtimes.rom_image import rom_image

PACKAGE = DebianPackage(
    "micropython",
    "trixie",
    "i386",
    "a72799821cb45442150f8a7f0757bc8e4f9a4b64abccbd837d694a20d6900bb5",
    "install MicroPython 1.25",
)


# That of a board without PSRAM.
HEAP = "128k"
_CHOICES = "give cpython, micropython, or the path of a MicroPython or CircuitPython for this machine"
_WHAT_IT_IS = "import sys; print(sys.implementation.name)"


class NotOfTheFamily(StoaError):
    """A program that cannot run the firmware as MicroPython does."""


class MicroPythonUnavailable(StoaError):
    """No MicroPython on this machine, and none could be fetched."""


class MicroPythonRuntime:
    """`program`: the command that starts it, without options. heap: its size as `-X heapsize` takes it, "128k".

    mpy_cross: what compiles for it, where the drive is to hold bytecode.
    """

    def __init__(
        self, program: Sequence[str], heap: str = HEAP, mpy_cross: Path | None = None, name: str = "micropython"
    ) -> None:
        self.name = name
        self.mpy_cross = mpy_cross
        self._program = list(program)
        self._heap = heap

    def start(self, built_in: Path, on_console: Callable[[str], None]) -> FirmwareProcess:
        scratch = TemporaryDirectory(prefix="stoa-")
        command = self.command(built_in, Path(scratch.name))
        return FirmwareProcess(lambda link, console: SpawnedChild(command, link, console), on_console, scratch.cleanup)

    def command(self, built_in: Path, scratch: Path) -> list[str]:
        """What starts a wake; `scratch` is a folder for it alone."""
        boot = Path(__file__).with_name("micropython_boot.py")
        image = rom_image(ROM, built_in, cache_folder() / "rom")
        options = ["-X", f"heapsize={self._heap}"]
        return [*self._program, *options, str(boot), str(scratch), str(image), str(ROM), str(built_in)]


def find_micropython(cache: Path) -> list[str]:
    """The command that starts a MicroPython: the one on PATH, or Debian's, fetched into `cache` if need be."""
    on_path = shutil.which("micropython")
    if on_path:
        return [on_path]
    try:
        root = unpacked(PACKAGE, cache)
    except DebianPackageUnavailable as error:
        raise MicroPythonUnavailable(f"no micropython on PATH, and {error}") from error
    libraries = root / "usr/lib/i386-linux-gnu"
    return [str(libraries / "ld-linux.so.2"), "--library-path", str(libraries), str(root / "usr/bin/micropython")]


def what_it_is(program: Path) -> str:
    """The name of an interpreter of the family, "micropython" or "circuitpython". NotOfTheFamily if it is none."""
    try:
        # A relative path is the caller's folder's, not one of PATH.
        asked = subprocess.run([program.resolve(), "-c", _WHAT_IT_IS], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else "it does not answer"
        raise NotOfTheFamily(f"--runtime {program}: {reason}; {_CHOICES}") from None
    name = asked.stdout.strip()
    if name not in ("micropython", "circuitpython"):
        said = f"it is {name}" if name == "cpython" else "it is no MicroPython and no CircuitPython"
        raise NotOfTheFamily(f"--runtime {program}: {said}; {_CHOICES}")
    return name


def main() -> None:
    """Print the command that starts MicroPython, fetching it first if need be; exit with 1 if there is none."""
    try:
        print(shlex.join(find_micropython(cache_folder())))
    except MicroPythonUnavailable as error:
        sys.exit(f"stoa: {error}")


if __name__ == "__main__":
    main()
