"""Where a settings.toml is read and written: a file, a drive's folder, a board at a serial port."""

from __future__ import annotations

import errno
import os
import select

import pytest

from host_tools.boards import load_board
from host_tools.device.configuring import settings_place
from host_tools.device.configuring.settings_check import check
from host_tools.device.deploying.drive_way import DriveWay
from host_tools.device.errors import DriveDamaged, NoBoard
from host_tools.device.finding.targets import Target
from host_tools.virtual_board.fat import mounted
from host_tools.virtual_board.flash import Flash
from tests.device.configuring import ACCOUNT, stoa, written
from tests.device.serial_board import SerialBoard
from tests.device.terminal import Terminal
from tests.home import MAGTAG

BOARD = load_board(MAGTAG)


def test_a_drive_s_folder(tmp_path):
    (tmp_path / "boot_out.txt").write_text("Adafruit CircuitPython 10.3.1 on 2026-08-20; x\n")
    assert stoa(tmp_path, *ACCOUNT, "--no-check")[0] == 0
    assert written(tmp_path / "settings.toml")["STOA_WIFI_SSID"] == "porch"


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real.toml").write_bytes(b"# real\n")
    (tmp_path / "settings.toml").symlink_to(tmp_path / "real.toml")
    assert stoa(tmp_path, *ACCOUNT, "--no-check")[0] == 0
    assert (tmp_path / "settings.toml").is_symlink()
    assert (tmp_path / "real.toml").read_bytes().startswith(b"# real\n")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the drive is full"),
        (errno.EROFS, "unplug it, plug it in"),
        (errno.EIO, "was the board unplugged?"),
        (errno.EBUSY, "the old settings are there"),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, number, said, call):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# old\n")

    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    code, _, err = stoa(path, *ACCOUNT, "--no-check")
    assert code == 1 and said in err
    assert path.read_bytes() == b"# old\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize("target", ["no/settings.toml", "nowhere"])
def test_a_place_that_is_none(tmp_path, target):
    code, _, err = stoa(tmp_path / target, *ACCOUNT, "--no-check")
    assert code in (1, 3) and "there is no" in err


def test_a_file_that_is_no_settings_toml(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"x" * 9000)
    code, _, err = stoa(path, *ACCOUNT, "--no-check")
    assert code == 1 and "has more than 8192 bytes: it is no settings.toml" in err


def test_the_only_board_there_is_found_by_itself(tmp_path):
    place = settings_place.place_at(None, choose=lambda target: Target(tmp_path))
    place.write(b"# new\n")
    assert (tmp_path / "settings.toml").read_bytes() == b"# new\n"


def test_no_target_and_no_board_says_what_to_give():
    def none(target):
        raise NoBoard("no board was found")

    with pytest.raises(NoBoard, match="or give a file: `stoa config"):
        settings_place.place_at(None, choose=none)


@pytest.fixture
def flash():
    made = Flash.blank(BOARD.memory.drive_kib * 1024)
    with mounted(made) as drive:
        drive.write_file("/settings.toml", b'# On the board.\nOTHER = "key"\n')
    return made


def on_board(flash):
    with mounted(flash) as drive:
        return drive.read_file("/settings.toml")


def await_program(double):
    """Return once the board runs its program again."""
    heard = b""
    with open(double.port, "rb", buffering=0) as port:
        while double.runs[0].encode() not in heard:
            assert select.select([port], [], [], 30)[0], heard
            heard += port.read(256)


def test_what_is_there_is_edited(flash, micropython):
    with SerialBoard(flash) as double:
        code, out, _ = stoa(double.port, *ACCOUNT, "--no-check", "--time-zone", "Europe/Berlin")
        assert code == 0 and f"Written: settings.toml by {double.port}" in out
    text = on_board(flash)
    assert text.startswith(b'# On the board.\nOTHER = "key"\nSTOA_WIFI_SSID = "porch"\n')
    assert check(text) == []
    with SerialBoard(flash) as double:
        code, out, err = stoa(double.port, "--no-check", "--client-id", "other")
        assert code == 0 and err.endswith("will ask to be paired anew\n"), out
        assert out.splitlines()[0] == '- STOA_CLIENT_ID = "display"'
    assert on_board(flash) == text.replace(b'"display"', b'"other"')


def test_a_board_without_a_file_gets_one(micropython):
    blank = Flash.blank(BOARD.memory.drive_kib * 1024)
    with SerialBoard(blank) as double:
        assert stoa(double.port, *ACCOUNT, "--no-check")[0] == 0
    assert check(on_board(blank)) == []


def test_a_drive_that_a_computer_has(flash, micropython):
    before = on_board(flash)
    with SerialBoard(flash, usb_attached=True) as double:
        code, _, err = stoa(double.port, *ACCOUNT, "--no-check")
    assert code == 3 and "give the drive's folder" in err
    assert on_board(flash) == before


def test_a_refusal_lets_the_board_go_on(flash, micropython):
    before = on_board(flash)
    with SerialBoard(flash) as double:
        assert stoa(double.port, *ACCOUNT, "--no-check", "--wake-at", "never")[0] == 1
        await_program(double)
    assert on_board(flash) == before


def test_so_does_ctrl_c_at_a_question(flash, micropython):
    before = on_board(flash)
    with SerialBoard(flash) as double, Terminal(["config", double.port]) as terminal:
        terminal.until("Wi-Fi network: ")
        assert terminal.end("\x03") == 130
        await_program(double)
    assert on_board(flash) == before


def test_ctrl_c_wherever_it_comes_costs_no_setting(flash, micropython):
    """Between the end of the old file and the new one's getting its name, too."""
    before, begun = on_board(flash), bytes(flash.content)
    with SerialBoard(flash) as double:
        stoa(double.port, *ACCOUNT, "--no-check")
    after, seen = on_board(flash), set()
    for at in range(1, len(double.changes) + 1):
        flash.content[:] = begun
        with SerialBoard(flash) as double:
            double.on_change = lambda number, double=double, at=at: double.interrupt() if number == at else None
            stoa(double.port, *ACCOUNT, "--no-check")
        seen.add(on_board(flash))
    assert seen == {before, after}


def test_what_is_whole_stays_until_the_other_was_read(tmp_path):
    (tmp_path / "settings.toml").write_bytes(b"# old\n")
    (tmp_path / "settings.toml.new").write_bytes(b"# new\n")

    class Damaged(DriveWay):
        def read(self, path, at, size):
            return b""

    with Damaged(tmp_path) as way, pytest.raises(DriveDamaged, match="cannot be read whole"):
        settings_place.BoardPlace(way).read()
    assert (tmp_path / "settings.toml.new").read_bytes() == b"# new\n"


def test_a_cable_that_is_pulled_with_the_board_s_power_costs_no_setting(flash, micropython):
    before, begun = on_board(flash), bytes(flash.content)
    with SerialBoard(flash) as double:
        stoa(double.port, *ACCOUNT, "--no-check")
    after, changes = on_board(flash), len(double.changes)
    seen = set()
    for pull_at in range(1, changes + 1):
        flash.content[:] = begun
        with SerialBoard(flash, pull_at=pull_at) as double:
            code, _, err = stoa(double.port, *ACCOUNT, "--no-check")
        assert code == 3 and "check the cable" in err, pull_at
        with SerialBoard(flash) as double:
            place = settings_place.place_at(double.port, choose=Target)
            with place:
                found = place.read()
        assert found in (before, after), pull_at
        # What is read is what the display has by now, and nothing is left over.
        assert on_board(flash) == found
        with mounted(flash) as drive:
            assert found == before or drive.listdir("/") == ["settings.toml"], pull_at
        seen.add(found)
    assert seen == {before, after}
