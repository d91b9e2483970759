"""Before anything is flashed: which board an image is for, what is written where, and to which of the boards there."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.boards import BoardError
from host_tools.device.errors import BootloaderTooOld, ImageRefused, NoBoard
from host_tools.device.finding.circuitpython_build import Build
from host_tools.device.finding.info_uf2 import check_it_takes, is_of, parse
from host_tools.device.finding.ports import Found
from host_tools.device.finding.targets import SeveralBoards
from host_tools.device.flashing.esp_image import read_image, read_table
from host_tools.device.flashing.flash_image import open_image
from host_tools.device.flashing.flash_layout import STARTS_OTA_0, lay_out
from host_tools.device.flashing.flash_target import choose, may_be
from tests.device.firmware_image import TABLE_4MB, TABLE_4MB_OLD, TABLE_NO_UF2, application, merged, partition_table
from tests.home import FEATHER, FEATHER_V2, MAGTAG


def name_of(board: str) -> str:
    return f"adafruit-circuitpython-{board}-en_US-10.3.1.bin"


def magtag(name: str = "Adafruit MagTag", board: str = MAGTAG) -> bytes:
    return merged("ESP32-S2", application("ESP32-S2", board, name, size=20_000))


@pytest.mark.parametrize(
    ("name", "content", "board_id"),
    [
        (name_of(MAGTAG), magtag(), None),
        (name_of(MAGTAG), magtag(), MAGTAG),
        # Renamed: it says so itself.
        ("firmware.bin", magtag(), None),
        ("firmware.bin", magtag(), MAGTAG),
        # A content that says nothing, as others than CircuitPython's own builds may.
        (name_of(MAGTAG), magtag(board="nobody_knows"), None),
        (name_of(MAGTAG).replace("en_US", "zh_Latn_pinyin").replace("10.3.1", "10.4.0-beta.2"), magtag(), None),
    ],
)
def test_an_image_for_the_board(tmp_path: Path, name: str, content: bytes, board_id: str | None) -> None:
    (tmp_path / name).write_bytes(content)
    image = open_image(tmp_path / name, board_id)
    assert image.board.id == MAGTAG
    assert image.build.version in ((10, 3, 1), (10, 4, 0))


@pytest.mark.parametrize(
    ("name", "content", "board_id", "text"),
    [
        (name_of(FEATHER), magtag(), MAGTAG, f"is for {FEATHER}, not for {MAGTAG}"),
        (name_of("adafruit_funhouse"), magtag(), MAGTAG, "is for adafruit_funhouse, not for"),
        (name_of(MAGTAG).replace("10.3.1", "8.2.10"), magtag(), None, "is CircuitPython 8.2.10, and Stoa needs 9.0 at"),
        # Renamed, and for another board that is known.
        (name_of(MAGTAG), magtag(board=FEATHER), None, f"is for {FEATHER}, not for {MAGTAG}"),
        ("firmware.bin", magtag(board=FEATHER), MAGTAG, f"is for {FEATHER}, not for {MAGTAG}"),
        (
            "firmware.bin",
            magtag("FunHouse", "funhouse"),
            MAGTAG,
            r"does not say that it is for .*\(it is .*'FunHouse'\)",
        ),
        ("firmware.bin", magtag("FunHouse", "funhouse"), None, "name it with --board ID"),
        (name_of(MAGTAG), b"nonsense", None, "is no image for an ESP32"),
        (name_of(FEATHER), magtag(board=FEATHER), None, "is for an ESP32-S2, and .* has an ESP32-S3"),
    ],
)
def test_an_image_for_another(tmp_path: Path, name: str, content: bytes, board_id: str | None, text: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageRefused, match=text):
        open_image(tmp_path / name, board_id)


def test_an_image_for_a_board_without_a_board_file(tmp_path: Path) -> None:
    (tmp_path / name_of("adafruit_funhouse")).write_bytes(magtag("FunHouse", "adafruit_funhouse"))
    with pytest.raises(BoardError, match="unknown board 'adafruit_funhouse'"):
        open_image(tmp_path / name_of("adafruit_funhouse"), None)


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageRefused, match=r"cannot read .*No such file"):
        open_image(tmp_path / name_of(MAGTAG), None)


def test_what_starts_ota_0_is_what_boot_app0_bin_has() -> None:
    """espressif/arduino-esp32, tools/partitions/boot_app0.bin."""
    assert STARTS_OTA_0.hex() == "01000000" + "ff" * 24 + "9a984347"


def test_the_bootloader_is_told_what_to_start_only_where_there_is_something_else_to_start() -> None:
    for rows, told in ((TABLE_4MB, True), (TABLE_NO_UF2, False)):
        image = read_image(merged("ESP32-S2", application("ESP32-S2", MAGTAG, size=20_000), rows))
        (piece,) = lay_out(image, (), False).pieces
        assert (piece.content[0xE000:0xE020] == STARTS_OTA_0) is told
        assert piece.at == 0 and len(piece.content) == len(image.content)
        assert piece.content[:0xE000] + piece.content[0xE020:] == image.content[:0xE000] + image.content[0xE020:]


def test_an_image_that_tells_it_by_itself_is_left_alone() -> None:
    content = bytearray(magtag())
    content[0xE000] = 2
    (piece,) = lay_out(read_image(bytes(content)), (), False).pieces
    assert piece.content == content


@pytest.mark.parametrize(
    ("rows", "drive"), [(TABLE_4MB, "kept"), (TABLE_4MB_OLD, "kept"), (TABLE_NO_UF2, "lost"), ((), "none")]
)
def test_what_becomes_of_the_drive(rows, drive: str) -> None:
    on_board = read_table(partition_table(rows)) if rows else ()
    assert lay_out(read_image(magtag()), on_board, False).drive == drive


INFO = (
    "TinyUF2 Bootloader 0.18.2 - tinyusb (0.15.0-566-gf1e006d09)\r\nModel: Adafruit MagTag 2.9 Grayscale\r\n"
    "Board-ID: ESP32S2-MagTag_29gray-revC\r\nDate: Mar 22 2024\r\nFlash Size: 0x00160000 bytes"
)


def test_info_uf2() -> None:
    info = parse(INFO)
    assert info is not None
    assert (info.version, info.model) == ("0.18.2", "Adafruit MagTag 2.9 Grayscale")
    assert (info.board_id, info.application_size) == ("ESP32S2-MagTag_29gray-revC", 0x160000)
    assert parse("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\n") is None and parse("") is None


def test_the_reverse_tft_is_no_revision_of_the_feather() -> None:
    info = parse(INFO.replace("ESP32S2-MagTag_29gray-revC", "ESP32S3-Feather-revTFT"))
    assert info is not None
    assert not is_of(info, "ESP32-S3-Feather-revC")


@pytest.mark.parametrize(
    ("version", "build", "flash_kib", "refused"),
    [
        ("0.18.2", "10.3.1", 4096, True),
        ("0.32.9", "10.0.0", 4096, True),
        ("0.33.0", "10.3.1", 4096, False),
        ("1.0.0", "10.3.1", 4096, False),
        ("0.18.2", "9.2.8", 4096, False),
        ("0.18.2", "10.3.1", 8192, False),
        # Of an unknown release the worst is supposed.
        ("0.18.2", None, 4096, True),
    ],
)
def test_what_a_tinyuf2_takes(version: str, build: str | None, flash_kib: int, refused: bool) -> None:
    info = parse(INFO.replace("0.18.2", version).replace("0x00160000", "0x002C0000"))
    assert info is not None
    made = Build(MAGTAG, None, build)
    if refused:
        with pytest.raises(BootloaderTooOld, match=f"TinyUF2 {version} .* too old .*; the remedy"):
            check_it_takes(info, made, 1_500_000, flash_kib, "the remedy")
    else:
        check_it_takes(info, made, 1_500_000, flash_kib, "the remedy")


ROM = Found("bootloader", "ESP32-S2", port="/dev/ttyACM0")
BRIDGE = Found("uart-bridge", "CP210x", port="/dev/ttyUSB0")
TINYUF2 = Found("uf2-bootloader", "Adafruit MagTag", drive=Path("/media/MAGTAGBOOT"))
RUNS = Found("circuitpython", "Adafruit MagTag", port="/dev/ttyACM1", drive=Path("/media/CIRCUITPY"))


@pytest.mark.parametrize(
    ("target", "wants_drive", "found", "chosen"),
    [
        (None, False, [ROM, TINYUF2, RUNS], "/dev/ttyACM0"),
        (None, False, [BRIDGE], "/dev/ttyUSB0"),
        (None, True, [ROM, TINYUF2, RUNS], Path("/media/MAGTAGBOOT")),
        ("/dev/ttyUSB7", False, [ROM], "/dev/ttyUSB7"),
        ("/", True, [], Path("/")),
    ],
)
def test_where_it_goes(target: str | None, wants_drive: bool, found: list[Found], chosen: Path | str) -> None:
    assert choose(target, wants_drive, found) == chosen


def test_one_of_several_must_be_named() -> None:
    with pytest.raises(SeveralBoards, match=r"/dev/ttyACM0 \(ESP32-S2\), /dev/ttyUSB0 \(CP210x\)"):
        choose(None, False, [ROM, BRIDGE])


@pytest.mark.parametrize(
    ("target", "found", "boards", "suffix"),
    [
        (None, [], [], ".bin"),
        (None, [Found("bootloader", "ESP32-S2", port="/dev/ttyACM0")], [MAGTAG], ".bin"),
        (None, [Found("bootloader", "ESP32-S3", port="/dev/ttyACM0")], [FEATHER], ".bin"),
        (None, [Found("uart-bridge", "CP210x", port="/dev/ttyUSB0")], [FEATHER_V2], ".bin"),
        (None, [Found("circuitpython", "MagTag", drive=Path("/m/CIRCUITPY"), board_id=MAGTAG)], [MAGTAG], ".uf2"),
        ("/dev/ttyUSB0", [Found("bootloader", "ESP32-S2", port="/dev/ttyACM0")], [], ".bin"),
        ("/dev/ttyACM0", [Found("bootloader", "ESP32-S2", port="/dev/ttyACM0")], [MAGTAG], ".bin"),
    ],
)
def test_which_image_is_named(target: str | None, found: list[Found], boards: list[str], suffix: str) -> None:
    assert may_be(target, found) == (boards, suffix)


@pytest.mark.parametrize(
    ("wants_drive", "found", "text"),
    [
        (False, [RUNS], "Adafruit MagTag is there and runs CircuitPython: hold BOOT, tap RESET"),
        (True, [RUNS], "runs CircuitPython: double-tap RESET"),
        (True, [ROM], "no board was found: double-tap RESET"),
        (False, [], "no board was found: hold BOOT, tap RESET"),
        (
            True,
            [Found("uf2-bootloader", "MagTag", mount_command="udisksctl mount -b /dev/sda")],
            "is not mounted: `udisksctl",
        ),
    ],
)
def test_where_none_is(wants_drive: bool, found: list[Found], text: str) -> None:
    with pytest.raises(NoBoard, match=text):
        choose(None, wants_drive, found)
