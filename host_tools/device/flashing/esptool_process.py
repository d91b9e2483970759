"""esptool as a program of its own: it is GPL-2.0-or-later, so Stoa never imports it.

What it prints is read line by line (esptool 5.6): its progress is shown as ours, what it finds out is taken from its
report, and its errors become errors of ours that say what to do. Where a port has no reset line it says so and goes on.
esptool's own variables (ESPTOOL_BEFORE, ESPTOOL_AFTER, ESPTOOL_CONNECT_ATTEMPTS) are left to the user.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from host_tools.device.errors import (
    CutShort,
    DeviceError,
    LinkLost,
    NoBoard,
    NotVerified,
    PortInUse,
    WrongBoard,
)
from host_tools.device.flashing.esp_image import TABLE_AT, TABLE_SIZE
from host_tools.device.flashing.flash_layout import Piece
from host_tools.device.opening import how_to_be_permitted

OnProgress = Callable[[str, int, int], None]
WRITING, VERIFYING = "writing", "verifying"
# A UART's: what CircuitPython's Makefile and Adafruit's guides take. USB has no baud rate, and esptool's default does.
UART_BAUD = 460800
_CONNECTED = re.compile(r"^Connected to (\S+) on ", re.MULTILINE)
_MAC = re.compile(r"^MAC:\s+([0-9a-f:]{17})", re.MULTILINE)
_WRITING = re.compile(r"^Writing at 0x([0-9a-f]+) .*%")
_VERIFIED = "Hash of data verified."
_NOT_RESET = "Chip was NOT reset"
_ANSWERS, _ERASES = "Connected to ", "Flash will be erased"
# esptool waits for a reset of the board that has no end of its own; then it is ended.
_ENDS_WITHIN_S = 10

# How a board of each link comes into its bootloader (board files' `link`).
BY_HAND = {
    "native-usb": "hold BOOT, tap RESET, let BOOT go, and do this again; the bootloader's port may have another name,"
    " see `stoa ports` (CircuitPython's own USB cannot be asked to start it)",
    "usb-serial-jtag": "hold BOOT, tap RESET, let BOOT go, and do this again",
    "uart": "hold BOOT while you tap RESET, and do this again; if that is no use, try another cable: some carry power"
    " only",
}

# The first that is found in what esptool said of its failure; {1} is its first group.
_REFUSED: tuple[tuple[str, type[DeviceError], str], ...] = (
    (r"This chip is (\S+), not", WrongBoard, "the chip on {port} is an {1}: nothing was written"),
    (
        r"MD5 of file does not match|written flash region is empty",
        NotVerified,
        "what {port} reads back is not what was written: do this again. If it happens twice, the flash chip is worn"
        " out, or the cable is bad (a lower --baud may help)",
    ),
    (r"will not fit in (\d+) bytes", WrongBoard, "the flash on {port} has only {1} bytes: this is another board"),
    (
        r"Secure Download Mode|[Ff]lash encryption|Secure Boot|security features",
        DeviceError,
        "the chip on {port} is locked by its maker (secure boot or flash encryption): it cannot be flashed",
    ),
    (r"Failed to set baud rate", DeviceError, "{port} cannot be that fast: take --baud 115200"),
    (r"No module named esptool", DeviceError, "esptool is not installed beside Stoa: install Stoa again"),
)
# The same, before a chip has answered.
_NOT_OPENED: tuple[tuple[str, type[DeviceError], str], ...] = (
    (r"Errno 2\b|FileNotFoundError|No such file", NoBoard, "there is no {port}: plug the board in, {by_hand}"),
    (r"Errno 13\b.*Permission denied", PortInUse, "{port} may not be opened by you: {permission}"),
    (
        r"exclusively lock|Errno 11\b|Errno 16\b|Access is denied|port is busy",
        PortInUse,
        "{port} is in use by another program: close its serial monitor, and do this again",
    ),
)


@dataclass(frozen=True)
class Chip:
    """What answers on a port. name: as board files have it. table: what lies where a partition table is."""

    name: str
    mac: str
    table: bytes


@dataclass(frozen=True)
class Esptool:
    """port: as pyserial takes it. link: of the board file, for what is advised. baud: None for esptool's own."""

    port: str
    link: str
    baud: int | None = None

    def identify(self) -> Chip:
        """Reads, writes nothing, and leaves the chip in its bootloader. NoBoard, PortInUse, LinkLost."""
        with TemporaryDirectory() as folder:
            table = Path(folder) / "table.bin"
            said, code = self._run(
                "--after", "no-reset", "read-flash", "--no-progress", hex(TABLE_AT), hex(TABLE_SIZE), str(table)
            )
            if code:
                raise failure(said, self.port, self.link)
            name, mac = _CONNECTED.search(said), _MAC.search(said)
            if name is None:
                raise DeviceError(f"esptool did not say which chip is on {self.port}: is it esptool 5.6?")
            return Chip(name[1], mac[1] if mac else "", table.read_bytes())

    def write(self, chip: str, pieces: Sequence[Piece], reset: bool, on_progress: OnProgress) -> bool:
        """Write and verify; whether the board was reset afterwards, which is wanted if `reset`.

        on_progress: (step, bytes done, bytes in all). NotVerified if a hash does not fit; LinkLost if the link goes.
        """
        with TemporaryDirectory() as folder:
            arguments = []
            for number, piece in enumerate(pieces):
                path = Path(folder) / f"{number}.bin"
                path.write_bytes(piece.content)
                arguments += [hex(piece.at), str(path)]
            told = _Progress(pieces, on_progress)
            options = ["--chip", chip.lower().replace("-", "")]
            if not reset:
                options += ["--after", "no-reset"]
            if self.baud:
                options += ["--baud", str(self.baud)]
            said, code = self._run(*options, "write-flash", *arguments, on_line=told.on_line)
        if said.count(_VERIFIED) == len(pieces):
            # If it failed after that, it was the reset.
            return reset and not code and _NOT_RESET not in said
        if code:
            raise failure(said, self.port, self.link)
        raise NotVerified(f"{self.port} could not be read back: the chip hides its flash (secure download mode)")

    def _run(self, *arguments: str, on_line: Callable[[str], None] = lambda line: None) -> tuple[str, int]:
        """(what it said, its exit code). CutShort after Ctrl-C."""
        process = subprocess.Popen(
            [sys.executable, "-m", "esptool", "--port", self.port, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=_environment(os.environ),
        )
        assert process.stdout is not None
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                on_line(line)
            process.wait()
        except BaseException as error:
            _end(process)
            if isinstance(error, KeyboardInterrupt) and "write-flash" in arguments:
                raise CutShort(
                    f"stopped: what is on {self.port} is half written and starts nothing but its bootloader, which"
                    f" cannot be lost. To go on: {BY_HAND[self.link]}"
                ) from None
            raise
        finally:
            process.stdout.close()
        return "".join(said), process.returncode


def failure(said: str, port: str, link: str) -> DeviceError:
    """What to tell of a run of esptool that failed, from all that it said."""
    words = said.rpartition("rror occurred:")[2].strip() or "nothing"
    by_hand, answered = BY_HAND[link], _ANSWERS in said
    for pattern, kind, text in (*_REFUSED, *(() if answered else _NOT_OPENED)):
        if found := re.search(pattern, words):
            permission = how_to_be_permitted(port)
            return kind(text.format("", *found.groups(), port=port, by_hand=by_hand, permission=permission))
    if not answered:
        return NoBoard(f"no bootloader answers on {port}: {by_hand}")
    written = "what is written is not whole and starts nothing but the bootloader, which cannot be lost"
    return LinkLost(
        f"{port} went in the midst of it (esptool: {words.splitlines()[0]}):"
        f" {written if _ERASES in said else 'nothing was written'}. Check the cable, and {by_hand}"
    )


class _Progress:
    """esptool tells the address it is at: bytes of the image, for what goes over the cable is compressed."""

    def __init__(self, pieces: Sequence[Piece], on_progress: OnProgress) -> None:
        self._pieces = pieces
        self._total = sum(len(piece.content) for piece in pieces)
        self._on_progress = on_progress
        self._verified = 0
        on_progress(WRITING, 0, self._total)

    def on_line(self, line: str) -> None:
        if writing := _WRITING.match(line):
            self._on_progress(WRITING, self._before(int(writing[1], 16)), self._total)
        elif _VERIFIED in line:
            self._verified += 1
            if self._verified == len(self._pieces):
                self._on_progress(VERIFYING, self._total, self._total)
        elif line.startswith("Verifying") and self._verified == len(self._pieces) - 1:
            self._on_progress(WRITING, self._total, self._total)
            self._on_progress(VERIFYING, 0, self._total)

    def _before(self, address: int) -> int:
        """How much of the image lies before it."""
        return sum(min(max(0, address - piece.at), len(piece.content)) for piece in self._pieces)


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Lines that are whole, and without colours."""
    ours = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "500", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    kept = {name: value for name, value in environment.items() if name not in ("FORCE_COLOR", "TTY_COMPATIBLE")}
    return kept | ours


def _end(process: subprocess.Popen[str]) -> None:
    """As Ctrl-C ends it; and in the end at once."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
