"""The first day of an owner, played by the real commands against the doubles, as docs/real-boards.md shows it:

    python -m tests.device.first_day

A board behind a UART bridge comes out of its box, is flashed, given the program and its settings, and watched. Its port
is called as on a real desk.
"""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import trustme

from host_tools.boards import load_board
from host_tools.device.finding import boot_out, ports
from host_tools.device.finding.drives import Drive
from host_tools.device.finding.serial_ports import SerialPort
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import Flash
from tests.device.discovery_site import Site, server_context
from tests.device.firmware_image import TABLE_NO_UF2, application, merged
from tests.device.rom_bootloader import ESP32, RomBootloader
from tests.device.serial_board import SerialBoard
from tests.device.terminal import ROOT, Terminal
from tests.home import FEATHER_V2, MAGTAG

BOARD = load_board(FEATHER_V2)
PORT = "/dev/ttyUSB0"
BOOT_OUT = (
    b"Adafruit CircuitPython 10.3.1 on 2026-08-20; Adafruit Feather ESP32 V2 with ESP32\r\n"
    b"Board ID:adafruit_feather_esp32_v2\r\nUID:C44F331A2B3C\r\n"
)
# As the firmware says it (tests/virtual_board), but for a token, which it never does.
A_WAKE = (
    "stoa wake by=boot",
    "stoa screen name=pairing refreshed=yes user_code=GQJN-XDVD verification_uri=https://tenant.example/activate",
    "stoa pairing detail=none outcome=granted",
    "stoa vault held_by=file+nvm",
    "a program of your own prints refresh_token=v1.MRrtq8dXvGkPy0",
    "stoa screen name=quote refreshed=yes",
    "stoa sleep reason=daily until=1795413600",
)


class Transcript:
    """Prints commands and what they say, with real names for the doubles'."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def tell(self, text: str) -> None:
        for ours, real in self._names.items():
            text = text.replace(ours, real)
        print(text.rstrip())

    def run(self, *arguments: str, **environment: str) -> None:
        self.tell(f"$ stoa {' '.join(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "host_tools.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "110", **environment},
            check=False,
        )
        self.tell(done.stdout)
        assert done.returncode == 0, done.returncode


def show_ports() -> None:
    bridge = SerialPort(PORT, (0x1A86, 0x55D4), serial="5626010203", location="1-4", product="USB Single Serial")
    said = boot_out.parse(BOOT_OUT.decode().replace(FEATHER_V2, MAGTAG).replace("Feather ESP32 V2", "MagTag"))
    magtag = SerialPort("/dev/ttyACM0", (0x239A, 0x80E6), serial="C44F331A2B3C", location="1-2")
    drive = Drive(Path("/media/me/CIRCUITPY"), "/dev/sda1", boot_out=said)
    from host_tools.cli import main

    print("$ stoa ports")
    there = {"list_serial_ports": lambda: [bridge, magtag], "find_drives": lambda: [drive]}
    with mock.patch.multiple(ports, **there), contextlib.suppress(SystemExit):
        main(["ports"])


def flash(scratch: Path) -> None:
    image = scratch / f"adafruit-circuitpython-{BOARD.id}-en_US-10.3.1.bin"
    image.write_bytes(merged("ESP32", application("ESP32", BOARD.id, "Adafruit Feather ESP32 V2"), TABLE_NO_UF2))
    with RomBootloader(ESP32) as rom:
        Transcript({rom.port: PORT, f"{scratch}/": ""}).run("flash", rom.port, "--image", str(image), "--yes")


def deploy(drive: Flash) -> None:
    with SerialBoard(drive) as double:
        Transcript({double.port: PORT}).run("deploy", double.port)


def config(drive: Flash, scratch: Path) -> None:
    ca, trusted = trustme.CA(), scratch / "trusted.pem"
    ca.cert_pem.write_to_path(trusted)
    with Site(server_context(ca)) as site, SerialBoard(drive) as double:
        site.publish()
        transcript = Transcript({double.port: PORT})
        transcript.tell(f"$ stoa config {double.port}")
        with Terminal(["config", double.port], SSL_CERT_FILE=str(trusted), TZ="Europe/Berlin") as terminal:
            terminal.answer("Wi-Fi network", "porch")
            terminal.answer("empty for an open network", "correct horse")
            terminal.answer("Issuer", site.issuer)
            terminal.answer("Client id", "JhQ3mZ0vXw")
            terminal.answer("Audience", "https://quotes.example")
            terminal.answer("Address of today's quote", "https://api.quotes.example/today")
            terminal.answer("[06:00]", "07:15")
            terminal.answer("[Europe/Berlin]", "")
            assert terminal.end() == 0, terminal.shown
        transcript.tell(terminal.shown.replace("\r\n", "\n"))


def monitor() -> None:
    board, port = pty.openpty()
    name = os.ttyname(port)
    transcript = Transcript({name: PORT})
    transcript.tell(f"$ stoa monitor {name}")
    command = [sys.executable, "-m", "host_tools.cli", "monitor", name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            transcript.tell(line)
            if "is open" in line:
                os.write(board, "".join(said + "\r\n" for said in A_WAKE).encode())
            if "stoa sleep" in line:
                break
        process.send_signal(signal.SIGINT)
        transcript.tell("^C")
    for end in (board, port):
        os.close(end)


def main() -> None:
    drive = Flash.blank(BOARD.memory.drive_kib * 1024)
    with mounted(drive) as fat:
        fat.write_file("/boot_out.txt", BOOT_OUT)
    with tempfile.TemporaryDirectory() as folder:
        show_ports()
        flash(Path(folder))
        deploy(drive)
        config(drive, Path(folder))
        deploy(drive)
        monitor()


if __name__ == "__main__":
    main()
