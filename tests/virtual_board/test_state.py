import stat

import pytest

from host_tools.boards import load_board
from host_tools.virtual_board.state import BoardState, Sleeping, StateError, load_state, save_state

MAGTAG = load_board("adafruit_magtag_2.9_grayscale")
FEATHER = load_board("adafruit_feather_esp32s3_4mbflash_2mbpsram")


def test_a_board_comes_back_as_it_was_left(tmp_path):
    state = BoardState.new(MAGTAG)
    state.flash.content[5] = 7
    state.nvm[1] = 2
    state.sleep_memory[3] = 4
    state.glass = b"\x01\x00"
    state.rtc_offset_ns = -(10**18)
    state.sleeping = Sleeping(10**19, ["BUTTON_A"])
    folder = tmp_path / "deep" / "board"
    load_state(folder, MAGTAG)
    save_state(folder, state)
    again = load_state(folder, MAGTAG)
    assert again.flash.content == state.flash.content
    again.flash = state.flash
    assert again == state


def test_only_the_owner_may_read_what_holds_the_pairing(tmp_path):
    load_state(tmp_path / "board", MAGTAG)
    save_state(tmp_path / "board", BoardState.new(MAGTAG))
    for path in (tmp_path / "board").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_power_off_takes_what_only_power_keeps():
    state = BoardState.new(MAGTAG)
    state.sleep_memory[0] = state.nvm[0] = 1
    state.rtc_offset_ns = 5
    state.sleeping = Sleeping(7)
    state.power_off()
    assert (state.sleep_memory[0], state.rtc_offset_ns, state.sleeping) == (0, None, None)
    assert state.nvm[0] == 1


def test_another_boards_folder_is_not_taken(tmp_path):
    save_state(tmp_path, BoardState.new(FEATHER))
    with pytest.raises(StateError, match=r"holds a adafruit_feather.* another --state"):
        load_state(tmp_path, MAGTAG)


@pytest.mark.parametrize("damage", ["flash.bin", "nvm.bin", "board.json"])
def test_half_a_board_is_refused_and_left_alone(tmp_path, damage):
    save_state(tmp_path, BoardState.new(MAGTAG))
    if damage == "board.json":
        (tmp_path / damage).write_text("{")
    else:
        (tmp_path / damage).unlink()
    with pytest.raises(StateError, match="no whole board; remove it to start with a new one"):
        load_state(tmp_path, MAGTAG)
    assert (tmp_path / "sleep_memory.bin").exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="choose another --state"):
        load_state(tmp_path / "file" / "board", MAGTAG)
