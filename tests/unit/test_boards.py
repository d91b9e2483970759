from __future__ import annotations

import ast
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from host_tools.boards import Board, BoardError, available, load_board, read_board
from host_tools.shipped import shipped

MAGTAG = "adafruit_magtag_2.9_grayscale"
FEATHER_V2 = "adafruit_feather_esp32_v2"
FEATHER = "adafruit_feather_esp32s3_4mbflash_2mbpsram"

BOARDS = available()


def published_pins(board: Board) -> dict[str, int]:
    """Name -> GPIO number, from the board's own stub in circuitpython-stubs."""
    stub = (files("board_definitions") / board.id / "__init__.pyi").read_text()
    return {name: int(gpio) for name, gpio in re.findall(r"^(\w+): microcontroller\.Pin  # GPIO(\d+)$", stub, re.M)}


@pytest.fixture
def board_file(tmp_path: Path) -> Path:
    """A copy of the MagTag's file, for a test to spoil."""
    path = tmp_path / f"{MAGTAG}.toml"
    path.write_text((shipped("boards") / f"{MAGTAG}.toml").read_text())
    return path


def test_the_boards_that_are_known() -> None:
    assert [board.id for board in BOARDS] == [FEATHER_V2, FEATHER, MAGTAG]


def test_buttons_without_a_pull_up_in_the_chip() -> None:
    assert {board.id: board.input_only_buttons for board in BOARDS} == {
        FEATHER_V2: ("BUTTON",),
        FEATHER: (),
        MAGTAG: (),
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_every_pin_is_the_one_circuitpython_publishes(board: Board) -> None:
    published = published_pins(board)
    assert published, "the stub's format has changed"
    assert dict(board.pins) == {name: published.get(name) for name in board.pins}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_nvm_is_the_size_circuitpython_publishes(board: Board) -> None:
    stub = (files("board_definitions") / board.id / "__init__.pyi").read_text()
    docstring = ast.get_docstring(ast.parse(stub)) or ""
    assert f"NVM size: {board.memory.nvm}" in docstring


def test_the_magtag_is_the_one_with_the_panel_of_2026() -> None:
    board = load_board(MAGTAG)

    assert (board.chip, board.link) == ("ESP32-S2", "native-usb")
    assert board.usb is not None
    assert (board.usb.vid, board.usb.pid) == (0x239A, 0x80E6)
    panel = board.panel
    assert (panel.fitted, panel.controller) == ("magtag-2.9-ssd1680-colstart8", "ssd1680")
    assert (panel.width, panel.height, panel.rotation, panel.colstart) == (128, 296, 3, 8)
    assert panel.builtin
    assert board.buttons["refresh"] == "BUTTON_A"


def test_an_unknown_board_is_answered_with_the_closest_and_all() -> None:
    for typed in ("magtag", "adafruit_magtag_2.9_greyscale"):
        with pytest.raises(BoardError) as caught:
            load_board(typed)
        assert str(caught.value) == (
            f"unknown board {typed!r} (did you mean {MAGTAG}?); known boards: {FEATHER_V2}, {FEATHER}, {MAGTAG}"
        )


@pytest.mark.parametrize("typed", ["", "zzz", "../boards/adafruit_magtag_2.9_grayscale"])
def test_what_is_no_board_at_all_is_answered_with_all(typed: str) -> None:
    with pytest.raises(BoardError, match="^unknown board .*known boards: " + FEATHER_V2):
        load_board(typed)


SPOILT = [
    ('chip = "ESP32-S2"\n', "", "chip: missing"),
    ('chip = "ESP32-S2"', "chip = 2", "chip: expected text"),
    ('link = "native-usb"', 'link = "usb"', "link: expected one of native-usb, usb-serial-jtag, uart"),
    ("drive_kib = 960", "drive_kib = 9600", "memory.drive_kib: 9600 does not fit"),
    ("drive_kib = 960", "drive_kib = true", "memory.drive_kib: expected a whole number"),
    ("psram_kib = 2048", "psram_kib = -1", "memory.psram_kib: expected a whole number from 0"),
    ("rotation = 3", "rotation = 90", "panel.rotation: expected a whole number from 0 to 3"),
    ("colstart = 8", "colstart = 4", "panel.colstart: 4 is not a multiple of 8"),
    ("colstart = 8", "colstart = 64", "panel.colstart: 64 + width 128 is past source line 176"),
    ("builtin = true", 'builtin = "yes"', "panel.builtin: expected true or false"),
    ("builtin = true", "builtin = true\ncolour = 1", "panel.colour: unknown key"),
    ('busy = "EPD_BUSY"', 'busy = "EPD_BUZY"', "panel.pins.busy: pin 'EPD_BUZY' is not in [pins]"),
    ('refresh = "BUTTON_A"', 'refresh = "BUTTON_E"', "buttons.refresh: pin 'BUTTON_E' is not in [pins]"),
    ("EPD_BUSY = 5", "EPD_BUSY = 99", "pins.EPD_BUSY: expected a whole number from 0 to 48"),
    ("boot_ms = 2380", "boot_ms = -1", "power.boot_ms: expected a whole number from 0"),
    ("sleep_ua = 250", "sleep_ua = 0.25", "power.sleep_ua: expected a whole number"),
    ("divider = 2", "divider = 0", "power.monitor.divider: expected a whole number from 1"),
    ('pin = "VOLTAGE_MONITOR"', 'pin = "VBAT"', "power.monitor.pin: pin 'VBAT' is not in [pins]"),
    ("[panel]\n", "[panel\n", "Expected ']'"),
    (f'id = "{MAGTAG}"', 'id = "other"', "id: is 'other', but the file's name says"),
]


@pytest.mark.parametrize(("good", "bad", "message"), SPOILT, ids=[message for _, _, message in SPOILT])
def test_a_bad_file_is_refused_by_file_and_key(board_file: Path, good: str, bad: str, message: str) -> None:
    text = board_file.read_text()
    assert good in text
    board_file.write_text(text.replace(good, bad, 1))

    with pytest.raises(BoardError) as caught:
        read_board(board_file)
    assert str(caught.value).startswith(f"board file {board_file.name}: {message}")


def test_every_key_of_a_board_file_is_needed(board_file: Path) -> None:
    whole = tomllib.loads(board_file.read_text())
    for key in whole:
        text = board_file.read_text()
        table = re.compile(rf"^\[{key}(\.\w+)?\]\n(?:(?!^\[).*\n?)*|^{key} = .*\n", re.M)
        spoilt = board_file.parent / "without" / board_file.name
        spoilt.parent.mkdir(exist_ok=True)
        spoilt.write_text(table.sub("", text))

        with pytest.raises(BoardError, match=rf"{key}: missing"):
            read_board(spoilt)
