from __future__ import annotations

import ast
import hashlib
import importlib
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from host_tools import bundle, device_libraries
from host_tools.boards import Board, available, load_board
from host_tools.bundle import BundleError, build_bundle, root_files
from host_tools.fonts import compiled_fonts
from host_tools.shipped import shipped

MAGTAG = load_board("adafruit_magtag_2.9_grayscale")

BOARDS = pytest.mark.parametrize("board", available(), ids=lambda board: board.id)


@pytest.fixture(scope="module")
def built() -> dict[str, bytes]:
    return build_bundle(MAGTAG)


def test_the_program_is_the_checkouts_own(built: dict[str, bytes]) -> None:
    firmware = shipped("firmware")
    sources = [*(firmware / "stoa").rglob("*.py")]

    assert sources
    for path in sources:
        assert built[f"program-a/{path.relative_to(firmware).as_posix()}"] == path.read_bytes()


def test_what_circuitpython_runs_has_one_size_and_is_source_all_the_same(built: dict[str, bytes]) -> None:
    for path in shipped("firmware").glob("*.py"):
        assert len(built[path.name]) == bundle.ROOT_FILE_SIZE
        assert built[path.name].rstrip(b"\n") + b"\n" == path.read_bytes()


def test_code_py_looks_where_the_deploy_writes(built: dict[str, bytes]) -> None:
    strings = {node.value for node in ast.walk(ast.parse(built["code.py"])) if isinstance(node, ast.Constant)}
    assert {
        f"/{bundle.ACTIVE}",
        bundle.ACTIVE_AT,
        bundle.SLOTS[1].encode(),
        *(f"/{slot}" for slot in bundle.SLOTS),
    } <= strings
    for slot in bundle.SLOTS:
        assert bundle.active_block(slot).startswith(slot.encode())


def test_the_libraries_are_the_published_files_and_none_that_the_board_has_built_in(
    built: dict[str, bytes], device_library_path: Path
) -> None:
    locked = {
        f"program-a/lib/{name}": digest
        for library in device_libraries.locked_libraries()
        if not library.on_board
        for name, digest in library.files.items()
    }
    driver = "program-a/lib/adafruit_epd/ssd1680.py"
    assert driver in locked

    here = {path: content for path, content in built.items() if path.startswith("program-a/lib/")}
    assert {path: hashlib.sha256(content).hexdigest() for path, content in here.items()} == locked
    assert not any("adafruit_bus_device" in path for path in built)
    assert (device_library_path / "adafruit_epd" / "ssd1680.py").read_bytes() == built[driver]


def test_the_fonts_are_there(built: dict[str, bytes]) -> None:
    here = "program-a/fonts/"
    assert {path.removeprefix(here): built[path] for path in built if path.startswith(here)} == compiled_fonts()


def test_nothing_else_is_there(built: dict[str, bytes]) -> None:
    others = [path for path in built if not path.startswith(("program-a/stoa/", "program-a/lib/", "program-a/fonts/"))]
    root = [path.name for path in shipped("firmware").glob("*.py")]

    assert sorted(others) == sorted(
        [*root, "program-a/board_profile.py", "guard.bin", bundle.ACTIVE, *bundle.PRESERVED]
    )
    assert not [path for path in built if "__pycache__" in path or path.startswith("/") or "\\" in path]


def test_the_preallocated_files_lie_where_the_firmware_looks_for_them(built: dict[str, bytes]) -> None:
    looked_for = {}
    for module_name in ("stoa.vault", "stoa.quotes"):
        module = importlib.import_module(module_name)
        looked_for |= {path.removeprefix("/"): bytes(module.initial_file()) for path in module.PATHS}

    assert {path: built[path] for path in bundle.PRESERVED} == looked_for
    # The drive is filled in this order: the guard keeps the first folder's directory off the root's last sector.
    assert list(built)[:6] == ["guard.bin", *sorted(looked_for), bundle.ACTIVE]


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

    program = [path for path in first if path.startswith("program-a/")]
    assert program == sorted(program) == list(first)[6 : 6 + len(program)]
    assert list(first.items()) == list(second.items())


def test_a_drive_too_small_is_refused_by_name() -> None:
    small = replace(MAGTAG, memory=replace(MAGTAG.memory, drive_kib=128))

    with pytest.raises(BundleError, match="more than the 128 KiB drive of adafruit_magtag"):
        build_bundle(small)


def test_what_code_py_and_a_program_know_of_each_other_stays():
    """A deploy may end between the two: an older code.py meets a newer program, and the other way round."""
    source = root_files()["code.py"].decode()
    assert re.findall(r"from stoa import (\w+)", source) == ["heap", "wake"]
    assert re.findall(r"^ +((?:heap|wake)\..+)$", source, re.MULTILINE) == ["heap.prepare()", "wake.run()"]
    for module, function in (("heap", "prepare"), ("wake", "run")):
        assert f"\ndef {function}():\n" in (shipped("firmware") / f"stoa/{module}.py").read_text()
