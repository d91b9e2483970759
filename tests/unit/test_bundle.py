from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from host_tools import bundle, device_libraries
from host_tools.boards import Board, available, load_board
from host_tools.bundle import BundleError, build_bundle
from host_tools.fonts import compiled_fonts
from host_tools.shipped import shipped

MAGTAG = load_board("adafruit_magtag_2.9_grayscale")

BOARDS = pytest.mark.parametrize("board", available(), ids=lambda board: board.id)


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    return build_bundle(MAGTAG)


def test_the_program_is_the_checkouts_own(built: dict[str, bytes]) -> None:
    firmware = shipped("firmware")
    sources = [*firmware.glob("*.py"), *(firmware / "stoa").rglob("*.py")]

    assert sources
    for path in sources:
        assert built[path.relative_to(firmware).as_posix()] == path.read_bytes()


def test_the_libraries_are_the_published_files_and_none_that_the_board_has_built_in(
    built: dict[str, bytes], device_library_path: Path
) -> None:
    locked = {
        f"lib/{name}": digest
        for library in device_libraries.locked_libraries()
        if not library.on_board
        for name, digest in library.files.items()
    }
    assert "lib/adafruit_epd/ssd1680.py" in locked

    assert {path: hashlib.sha256(built[path]).hexdigest() for path in built if path.startswith("lib/")} == locked
    assert not any("adafruit_bus_device" in path for path in built)
    assert (device_library_path / "adafruit_epd" / "ssd1680.py").read_bytes() == built["lib/adafruit_epd/ssd1680.py"]


def test_the_fonts_are_there(built: dict[str, bytes]) -> None:
    assert {path.removeprefix("fonts/"): built[path] for path in built if path.startswith("fonts/")} == compiled_fonts()


def test_nothing_else_is_there(built: dict[str, bytes]) -> None:
    others = [path for path in built if not path.startswith(("stoa/", "lib/", "fonts/"))]
    program = [path.name for path in shipped("firmware").glob("*.py")]

    assert sorted(others) == sorted([*program, "board_profile.py", "guard.bin", *bundle.PRESERVED])
    assert not [path for path in built if "__pycache__" in path or path.startswith("/") or "\\" in path]


def test_the_preallocated_files_lie_where_the_firmware_looks_for_them(built: dict[str, bytes]) -> None:
    looked_for = {}
    for module_name in ("stoa.vault", "stoa.quotes"):
        module = importlib.import_module(module_name)
        looked_for |= {path.removeprefix("/"): bytes(module.initial_file()) for path in module.PATHS}

    assert {path: built[path] for path in bundle.PRESERVED} == looked_for
    # The drive is filled in this order: the guard keeps the first folder's directory off the root's last sector.
    assert list(built)[:5] == ["guard.bin", *sorted(looked_for)]


def test_building_leaves_no_firmware_module_and_no_path_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "stoa"]:
        monkeypatch.delitem(sys.modules, name)
    somebody_elses = ModuleType("stoa")
    monkeypatch.setitem(sys.modules, "stoa", somebody_elses)
    path = list(sys.path)

    build_bundle(MAGTAG)

    found = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "stoa"}
    assert found == {"stoa": somebody_elses}
    assert sys.path == path


@BOARDS
def test_the_board_profile_is_a_plain_literal_that_says_what_the_board_file_says(board: Board) -> None:
    source = bundle.board_profile(board)
    assignment = ast.parse(source).body[0]
    assert isinstance(assignment, ast.Assign)
    profile = ast.literal_eval(assignment.value)

    assert max(map(len, source.splitlines())) <= 120
    assert profile["id"] == board.id
    assert profile["panel"]["pins"]["busy"] == board.panel.pins.busy
    assert (profile["panel"]["width"], profile["panel"]["height"]) == (board.panel.width, board.panel.height)
    assert (profile["panel"]["colstart"], profile["panel"]["rotation"]) == (board.panel.colstart, board.panel.rotation)
    assert profile["buttons"] == dict(board.buttons)


def test_a_full_scale_reading_of_the_battery_pin_is_the_reference_times_the_divider() -> None:
    assert '"battery_pin": "VOLTAGE_MONITOR", "battery_scale_mv": 6600' in bundle.board_profile(MAGTAG).replace(
        "'", '"'
    )
    without = replace(MAGTAG, power=replace(MAGTAG.power, monitor=None))
    assert '"power": {}' in bundle.board_profile(without).replace("'", '"')


@BOARDS
def test_the_firmware_is_not_told_which_panel_is_fitted(board: Board) -> None:
    assert board.panel.fitted not in bundle.board_profile(board)


@BOARDS
def test_the_same_inputs_give_the_same_bundle_in_the_same_order(board: Board) -> None:
    first, second = build_bundle(board), build_bundle(board)

    assert list(first)[5:] == sorted(list(first)[5:])
    assert list(first.items()) == list(second.items())


def test_a_drive_too_small_is_refused_by_name() -> None:
    small = replace(MAGTAG, memory=replace(MAGTAG.memory, drive_kib=128))

    with pytest.raises(BundleError, match="more than the 128 KiB drive of adafruit_magtag"):
        build_bundle(small)
