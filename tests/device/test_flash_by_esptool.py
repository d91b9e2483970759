"""The real esptool flashes, verifies and reads back through `stoa flash`: ESP32, ESP32-S2 and ESP32-S3 in their ROM."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from host_tools.device.errors import DeviceError, LinkLost, NoBoard, NotVerified, PortInUse, WrongBoard
from host_tools.device.flashing.esptool_process import failure
from host_tools.device.flashing.flash_layout import STARTS_OTA_0
from tests.device.command_line import stoa
from tests.device.firmware_image import TABLE_4MB, TABLE_NO_UF2, application, merged, partition_table
from tests.device.rom_bootloader import CHANGE_BAUDRATE, CHIPS, ESP32, ESP32_S2, ESP32_S3, Chip, RomBootloader
from tests.home import MAGTAG

FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"
UART_BOARD = "adafruit_feather_esp32_v2"
BOARD_OF = {"ESP32": UART_BOARD, "ESP32-S2": MAGTAG, "ESP32-S3": FEATHER}
TABLE_OF = {"ESP32": TABLE_NO_UF2, "ESP32-S2": TABLE_4MB, "ESP32-S3": TABLE_4MB}
NVS = slice(0x9000, 0xE000)
OTADATA = 0xE000
COMMAND = [sys.executable, "-m", "host_tools.cli", "flash"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """esptool tries seven times, a second apart."""
    (tmp_path / "esptool.cfg").write_text("[esptool]\nconnect_attempts = 1\n")
    monkeypatch.setenv("ESPTOOL_CFGFILE", str(tmp_path / "esptool.cfg"))
    monkeypatch.setenv("ESPTOOL_CONNECT_ATTEMPTS", "1")


@pytest.fixture
def image(tmp_path: Path):
    """Makes the .bin of a chip's board, and gives its path."""

    def make(chip: Chip, **options: object) -> Path:
        board = BOARD_OF[chip.name]
        path = tmp_path / f"adafruit-circuitpython-{board}-en_US-10.3.1.bin"
        path.write_bytes(merged(chip.name, application(chip.name, board), TABLE_OF[chip.name], **options))
        return path

    return make


def used(chip: Chip, rows=None) -> bytearray:
    """A flash that has been in use: noughts and ones everywhere, and a partition table."""
    flash = bytearray(bytes(range(256)) * 0x4000)
    table = partition_table(rows or TABLE_OF[chip.name])
    flash[0x8000 : 0x8000 + len(table)] = table
    return flash


def as_flashed(path: Path, chip: Chip) -> bytes:
    """The image, and the bootloader told to start it where there is a TinyUF2 to start else."""
    content = path.read_bytes()
    if chip is ESP32:
        return content
    return content[:OTADATA] + STARTS_OTA_0 + content[OTADATA + 32 :]


def read_back(port: str, size: int, to: Path) -> bytes:
    subprocess.run(
        [sys.executable, "-m", "esptool", "--port", port, "read-flash", "0", str(size), str(to)],
        check=True,
        capture_output=True,
    )
    return to.read_bytes()


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.name)
def test_the_image_is_written_verified_and_read_back(chip: Chip, image, tmp_path: Path) -> None:
    path = image(chip)
    wanted = as_flashed(path, chip)
    with RomBootloader(chip, used(chip)) as rom:
        before = bytes(rom.flash)
        said = stoa("flash", rom.port, "--image", path, "--yes", "--json")
        assert said.code == 0, said.err
        assert read_back(rom.port, len(wanted), tmp_path / "back.bin") == wanted
    assert rom.flash[: len(wanted)] == wanted
    # What lies behind is not touched: on a 4 MB board TinyUF2 and the drive.
    behind = -(-len(wanted) // 0x1000) * 0x1000
    assert rom.flash[behind:] == before[behind:]
    report = json.loads(said.out)
    assert report.pop("seconds") >= 0
    assert report == {
        "board": BOARD_OF[chip.name],
        "chip": chip.name,
        "way": "esptool",
        "image": path.name,
        "version": "10.3.1",
        "bytes": len(wanted),
        "verified": True,
        "nvm": "erased",
        "drive": "kept",
        "restarts": False,
    }
    assert f"writing: {len(wanted):,} of {len(wanted):,} bytes" in said.err
    assert f"verifying: {len(wanted):,} of {len(wanted):,} bytes" in said.err


def test_what_it_costs_and_what_to_do_next_is_said(image) -> None:
    with RomBootloader(ESP32_S2, used(ESP32_S2)) as rom:
        said = stoa("flash", rom.port, "--image", image(ESP32_S2), "--yes")
    assert said.code == 0
    assert "CircuitPython 10.3.1 for Adafruit MagTag" in said.err
    assert "nvm is erased, and with it one copy of the pairing (--keep-nvm keeps it)" in said.err
    assert "the drive stays as it is, with the settings and the other copy of the pairing" in said.err
    assert "TinyUF2's second stage is replaced" in said.err
    assert "; read back.\n" in said.out
    assert "Press RESET" in said.out and "`stoa deploy`" in said.out


def test_a_drive_that_would_be_lost_is_said(image) -> None:
    with RomBootloader(ESP32_S2, used(ESP32_S2, TABLE_NO_UF2)) as rom:
        said = stoa("flash", rom.port, "--image", image(ESP32_S2), "--yes", "--json")
    assert "THE DRIVE IS LOST" in said.err
    assert json.loads(said.out)["drive"] == "lost"


def test_a_new_board_has_no_drive_to_lose(image) -> None:
    with RomBootloader(ESP32_S2) as rom:
        said = stoa("flash", rom.port, "--image", image(ESP32_S2), "--yes", "--json")
    assert "there is no drive yet" in said.err
    assert json.loads(said.out)["drive"] == "none"


def test_keep_nvm_neither_erases_nor_writes_it(image) -> None:
    path = image(ESP32_S3)
    wanted = as_flashed(path, ESP32_S3)
    with RomBootloader(ESP32_S3, used(ESP32_S3)) as rom:
        before = bytes(rom.flash[NVS])
        said = stoa("flash", rom.port, "--image", path, "--yes", "--keep-nvm", "--json")
    assert said.code == 0, said.err
    assert rom.flash[NVS] == before
    assert rom.flash[: NVS.start] == wanted[: NVS.start]
    assert rom.flash[NVS.stop : len(wanted)] == wanted[NVS.stop :]
    touched = [(at, size) for at, size in (*rom.erased, *rom.written) if at < NVS.stop and at + size > NVS.start]
    assert not touched
    assert json.loads(said.out)["nvm"] == "kept"
    assert "nvm is kept" in said.err


@pytest.mark.parametrize("rows", [None, [("nvs", 1, 2, 0x9000, 16), *TABLE_4MB[1:]]], ids=["no table", "another nvs"])
def test_nvm_that_cannot_be_kept_is_not_lost_either(image, rows) -> None:
    flash = used(ESP32_S2, rows) if rows else bytearray(b"\xff" * 0x400000)
    with RomBootloader(ESP32_S2, flash) as rom:
        said = stoa("flash", rom.port, "--image", image(ESP32_S2), "--yes", "--keep-nvm")
    assert said.code == 2
    assert "leave out --keep-nvm" in said.err
    assert not rom.erased and not rom.written


@pytest.mark.parametrize("chip", [ESP32, ESP32_S3], ids=lambda chip: chip.name)
def test_another_chip_is_refused_before_a_byte_is_written(chip: Chip, image) -> None:
    with RomBootloader(chip) as rom:
        said = stoa("flash", rom.port, "--image", image(ESP32_S2), "--yes")
    assert said.code == 3
    assert f"is an {chip.name}, and {MAGTAG} has an ESP32-S2: nothing was written" in said.err
    assert not rom.erased and not rom.written


def test_an_image_for_another_chip_is_refused_without_asking_the_board(image) -> None:
    path = image(ESP32_S3)
    renamed = path.with_name(f"adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.bin")
    path.rename(renamed)
    with RomBootloader(ESP32_S2) as rom:
        said = stoa("flash", rom.port, "--image", renamed, "--yes")
    assert said.code == 2
    named = f"adafruit-circuitpython-{MAGTAG}-en_US-10.3.1.bin (or newer) from circuitpython.org/board/{MAGTAG}"
    assert f"take {named}" in said.err
    assert not rom.commands


def test_a_flash_that_does_not_keep_a_bit_is_found_out(image) -> None:
    path = image(ESP32_S2)
    at = next(at for at in range(0x20000, 0x30000) if path.read_bytes()[at] & 1)
    with RomBootloader(ESP32_S2, stuck_at=at) as rom:
        said = stoa("flash", rom.port, "--image", path, "--yes", "--json")
    assert said.code == 3
    assert "reads back is not what was written" in said.err
    assert not said.out


@pytest.mark.parametrize("chip", [ESP32, ESP32_S2], ids=lambda chip: chip.name)
def test_a_cable_pulled_half_way_and_the_same_again(chip: Chip, image) -> None:
    path = image(chip)
    with RomBootloader(chip, used(chip), pull_after=40_000) as rom:
        said = stoa("flash", rom.port, "--image", path, "--yes")
    assert said.code == 3
    assert "went in the midst of it" in said.err and "is not whole" in said.err and "hold BOOT" in said.err
    assert rom.flash[: len(as_flashed(path, chip))] != as_flashed(path, chip)
    with RomBootloader(chip, rom.flash) as again:
        assert stoa("flash", again.port, "--image", path, "--yes").code == 0
    assert again.flash[: len(as_flashed(path, chip))] == as_flashed(path, chip)


def test_what_was_verified_is_done_even_if_the_cable_goes_then(image) -> None:
    path = image(ESP32_S2)
    wanted = as_flashed(path, ESP32_S2)
    with RomBootloader(ESP32_S2, pull_after_md5=True) as rom:
        said = stoa("flash", rom.port, "--image", path, "--yes", "--json")
    assert said.code == 0, said.err
    assert rom.flash[: len(wanted)] == wanted
    assert json.loads(said.out)["verified"] and not json.loads(said.out)["restarts"]


@pytest.mark.parametrize(
    ("board", "hint"),
    [(ESP32_S2, "hold BOOT, tap RESET, let BOOT go"), (ESP32, "hold BOOT while you tap RESET")],
    ids=["native USB", "UART"],
)
@pytest.mark.parametrize("says", [b"", b"\r\nAdafruit CircuitPython 10.3.1 on 2026-08-20; Adafruit MagTag\r\n>>> "])
def test_what_is_not_in_its_bootloader_is_told_how_to_get_there(board: Chip, hint: str, says: bytes, image) -> None:
    with RomBootloader(board, silent=not says, says=says) as rom:
        said = stoa("flash", rom.port, "--image", image(board), "--yes")
    assert said.code == 3
    assert f"no bootloader answers on {rom.port}: {hint}" in said.err


def test_a_port_that_is_not_there(image, tmp_path: Path) -> None:
    said = stoa("flash", tmp_path / "ttyACM7", "--image", image(ESP32_S2), "--yes")
    assert said.code == 3
    assert f"there is no {tmp_path / 'ttyACM7'}" in said.err


def test_a_port_in_use(image) -> None:
    with RomBootloader(ESP32_S2) as rom:
        monitor = os.open(rom.port, os.O_RDWR | os.O_NOCTTY)
        try:
            fcntl.flock(monitor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            said = stoa("flash", rom.port, "--image", image(ESP32_S2), "--yes")
        finally:
            os.close(monitor)
    assert said.code == 3
    assert "in use by another program: close its serial monitor" in said.err


def test_only_a_serial_line_is_made_quicker(image) -> None:
    for chip, options, changed in ((ESP32, [], True), (ESP32_S2, [], False), (ESP32, ["--baud", "115200"], False)):
        with RomBootloader(chip) as rom:
            assert stoa("flash", rom.port, "--image", image(chip), "--yes", *options).code == 0
        assert (CHANGE_BAUDRATE in rom.commands) is changed


def test_without_a_terminal_nobody_can_be_asked(image) -> None:
    with RomBootloader(ESP32_S2) as rom:
        process = subprocess.run(
            [*COMMAND, rom.port, "--image", image(ESP32_S2)], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    assert process.returncode == 2
    assert "give --yes" in process.stderr
    assert not rom.commands


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 1), (b"y\n", 0)])
def test_on_a_terminal_the_owner_is_asked(answer: bytes, code: int, image) -> None:
    ours, theirs = pty.openpty()
    with RomBootloader(ESP32_S2, used(ESP32_S2)) as rom:
        os.write(ours, answer)
        process = subprocess.run(
            [*COMMAND, rom.port, "--image", image(ESP32_S2)], stdin=theirs, capture_output=True, text=True
        )
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, process.stderr
    assert process.stderr.index("nvm is erased") < process.stderr.index("Flash it? [y/N]")
    assert bool(rom.written) is (code == 0)
    assert ("Nothing was written" in process.stderr) is (code == 1)


def test_ctrl_c_ends_esptool_too_and_the_same_again_completes_it(image) -> None:
    path = image(ESP32_S2)
    with RomBootloader(ESP32_S2, used(ESP32_S2), hangs_after=40_000) as rom:
        process = subprocess.Popen(
            [*COMMAND, rom.port, "--image", path, "--yes"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert rom.hangs.wait(60)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        # esptool has gone too, and the port is free: the same can be done again.
        serial.Serial(rom.port, exclusive=True).close()
    assert process.returncode == 130
    assert "stopped:" in error and "half written" in error and "hold BOOT" in error
    with RomBootloader(ESP32_S2, rom.flash) as again:
        assert stoa("flash", again.port, "--image", path, "--yes").code == 0
    assert again.flash[:0x30000] == as_flashed(path, ESP32_S2)[:0x30000]


STUB = "Connected to ESP32 on /dev/x:\nUploading stub flasher...\nStub flasher running.\n"
ERASING = STUB + "Flash will be erased from 0x00000000 to 0x00034fff...\n"
NOT_OPEN = "Could not open /dev/x, the port is busy or doesn't exist.\n"
# What esptool 5.6 says: before its failure, of it, and what becomes of that. Not all can be brought about by a double.
FAILURES = [
    ("", NOT_OPEN + "([Errno 13] could not open port: Permission denied)", PortInUse, "may not be opened by you"),
    (
        "",
        NOT_OPEN + "(could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5))",
        PortInUse,
        "in use",
    ),
    (
        "",
        NOT_OPEN + "(could not open port 'COM3': FileNotFoundError(2, 'The system', None, 2))",
        NoBoard,
        "there is no",
    ),
    ("", "Failed to connect to ESP32: Wrong boot mode detected (0x8)!", NoBoard, "no bootloader answers"),
    ("", "This chip is ESP32-S3, not ESP32-S2. Wrong chip argument?", WrongBoard, "the chip on /dev/x is an ESP32-S3"),
    (ERASING, "MD5 of file does not match data in flash!", NotVerified, "not what was written"),
    (
        STUB,
        "File 'x' (length 4194304) at offset 0x0 will not fit in 2097152 bytes",
        WrongBoard,
        "has only 2097152 bytes",
    ),
    (
        STUB,
        "Secure Boot V1 detected, writing to flash regions < 0x8000 is disabled",
        DeviceError,
        "locked by its maker",
    ),
    (STUB, "The chip stopped responding.", LinkLost, "nothing was written. Check the cable"),
    (ERASING, "Failed to write compressed data to flash after seq 3 (result was C700)", LinkLost, "is not whole"),
    (ERASING, "Something new.", LinkLost, "(esptool: Something new.)"),
]


@pytest.mark.parametrize(("before", "said", "kind", "text"), FAILURES, ids=[text for *_, text in FAILURES])
def test_what_esptool_says_becomes_one_line_with_a_remedy(before: str, said: str, kind: type, text: str) -> None:
    error = failure(f"{before}\nERROR: A fatal error occurred: {said}\n", "/dev/x", "uart")
    assert type(error) is kind
    assert text in str(error)
    assert "\n" not in str(error)
