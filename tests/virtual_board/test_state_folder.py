import json
import stat
import subprocess
import sys

import pytest

from host_tools.boards import load_board
from host_tools.virtual_board.controllers.panels import find_panel
from host_tools.virtual_board.flash import ERASE_SECTOR
from host_tools.virtual_board.state import BoardState, Sleeping
from host_tools.virtual_board.state_folder import StateError, StateFolder

MAGTAG = load_board("adafruit_magtag_2.9_grayscale")
FEATHER = load_board("adafruit_feather_esp32s3_4mbflash_2mbpsram")
PANEL = find_panel(MAGTAG.panel.fitted)
PICTURE = bytes([1, 0] * (128 * 148))


def opened(folder, board=MAGTAG):
    return StateFolder(folder, board, PANEL)


@pytest.fixture
def folder(tmp_path):
    """A folder with a sleeping board in it."""
    folder = tmp_path / "deep" / "board"
    with opened(folder) as kept:
        kept.state.flash.rewrite(0, b"\x07" * ERASE_SECTOR)
        kept.state.nvm[1:2] = b"\x02"
        kept.state.sleep_memory[3:4] = b"\x04"
        kept.state.glass = PICTURE
        kept.state.rtc_offset_ns = -(10**18)
        kept.state.sleeping = Sleeping(10**19, ["BUTTON_A"])
        kept.state.next_boot = ("BROWNOUT", "BROWNOUT")
        kept.state.slept_from_ns = 10**18
        kept.keep()
    return folder


def test_a_board_comes_back_as_it_was_left(folder):
    with opened(folder) as kept:
        state = kept.state
        assert (state.flash.content[5:6], state.nvm[1:2], state.sleep_memory[3:4]) == (b"\x07", b"\x02", b"\x04")
        assert (state.glass, state.rtc_offset_ns, state.sleeping) == (
            PICTURE,
            -(10**18),
            Sleeping(10**19, ["BUTTON_A"]),
        )
        assert len(state.uid) == 6
        assert (state.next_boot, state.slept_from_ns) == (("BROWNOUT", "BROWNOUT"), 10**18)


def test_only_the_owner_may_read_what_holds_the_pairing(folder):
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_what_is_written_is_kept_though_the_process_is_killed_and_that_is_a_loss_of_power(folder):
    code = f"""
import os, signal
from tests.virtual_board.test_state_folder import *
from pathlib import Path
kept = opened(Path({str(folder)!r}))
kept.awake()
kept.state.nvm[7:10] = b"new"
kept.state.flash.rewrite(4096, b"token".ljust(4096))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with opened(folder) as kept:
        assert kept.state.nvm[7:10] == b"new"
        assert kept.state.flash.content[4096:4101] == b"token"
        assert kept.state.sleep_memory[3:4] == b"\x00"
        assert (kept.state.sleeping, kept.state.rtc_offset_ns) == (None, None)
        assert kept.state.glass == PICTURE


def test_one_run_at_a_time(folder):
    with opened(folder), pytest.raises(StateError, match="in use by another stoa simulate"):
        opened(folder)
    opened(folder).close()


def test_power_off_takes_what_only_power_keeps():
    state = BoardState.new(MAGTAG)
    state.sleep_memory[0:1] = state.nvm[0:1] = b"\x01"
    state.rtc_offset_ns = 5
    state.sleeping = Sleeping(7)
    state.power_off()
    assert (state.sleep_memory[0:1], state.rtc_offset_ns, state.sleeping) == (b"\x00", None, None)
    assert state.nvm[0:1] == b"\x01"


def test_another_boards_folder_is_not_taken(folder):
    with pytest.raises(StateError, match=r"holds a adafruit_magtag.* another --state"):
        opened(folder, FEATHER)


def truncated(path):
    path.write_bytes(path.read_bytes()[:100])


DAMAGES = {
    "flash.bin": [truncated, lambda path: path.unlink()],
    "nvm.bin": [truncated, lambda path: path.unlink()],
    "sleep_memory.bin": [truncated],
    "board.json": [truncated, lambda path: path.unlink()],
}


@pytest.mark.parametrize(("name", "damage"), [(name, damage) for name in DAMAGES for damage in DAMAGES[name]])
def test_half_a_board_is_refused_and_left_alone(folder, name, damage):
    damage(folder / name)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(StateError, match="no whole board; remove it to start with a new one"):
        opened(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rtc_offset_ns", "abc"),
        ("rtc_offset_ns", 1.5),
        ("sleeping", {"until_ns": "abc", "pins": []}),
        ("sleeping", 7),
        ("uid", "xyz"),
        ("awake", None),
    ],
)
def test_notes_that_make_no_sense_are_refused(folder, key, value):
    notes = json.loads((folder / "board.json").read_text())
    notes[key] = value
    if key == "awake":
        del notes[key]
    (folder / "board.json").write_text(json.dumps(notes))
    with pytest.raises(StateError, match="no whole board"):
        opened(folder)


def test_a_picture_of_other_glass_is_not_shown(folder):
    (folder / "glass.bin").write_bytes(b"\x01" * 7)
    with opened(folder) as kept:
        assert kept.state.glass is None


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="choose another --state"):
        opened(tmp_path / "file" / "board")
