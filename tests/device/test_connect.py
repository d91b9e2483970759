"""From a port to a board that answers: asleep, away with its USB, back again."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tools.device.console import raw_repl
from host_tools.device.console.raw_repl import NoRepl, RawRepl
from host_tools.device.deploying import connect
from host_tools.device.deploying.drive_way import DriveWay
from host_tools.device.errors import NoBoard
from host_tools.device.finding import drives
from host_tools.device.finding.drives import Partition
from tests.device.deploy_bench import BOARD, blank
from tests.device.serial_board import SerialBoard
from tests.device.talker import Talker


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(connect, "ANSWERS_S", 0.3)
    monkeypatch.setattr(connect, "BOOTS_S", 0.3)
    monkeypatch.setattr(connect, "ASK_EACH_S", 0.3)
    monkeypatch.setattr(raw_repl, "LEAVE_S", 0.3)


def test_a_board_that_wakes_while_it_is_waited_for():
    told = []

    def press_reset(text):
        told.append(text)
        board.wake()

    with SerialBoard(blank(), asleep=True) as board, connect.connect(board.port, on_waiting=press_reset) as way:
        assert way.boot_out().board_id == BOARD.id
    assert len(told) == 1 and "Press its RESET button" in told[0]


def test_a_board_whose_port_goes_and_comes_back(tmp_path):
    port = tmp_path / "ttyACM0"
    with SerialBoard(blank()) as after:

        def replug(text):
            before.__exit__()
            port.unlink()
            port.symlink_to(after.port)

        before = SerialBoard(blank(), asleep=True)
        before.__enter__()
        port.symlink_to(before.port)
        with connect.connect(str(port), on_waiting=replug) as way:
            assert way.boot_out().board_id == BOARD.id


def test_ctrl_c_in_the_midst_of_it_leaves_the_repl(monkeypatch):
    entered = RawRepl.enter_raw_repl

    def interrupted(repl, *arguments, **options):
        entered(repl, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(RawRepl, "enter_raw_repl", interrupted)
    with SerialBoard(blank()) as board:
        with pytest.raises(KeyboardInterrupt):
            connect.connect(board.port)
        assert board.reloaded.wait(10)


def test_a_banner_that_comes_too_late_leaves_the_repl(monkeypatch):
    entered = RawRepl.enter_raw_repl

    def late(repl, *arguments, **options):
        entered(repl, timeout_overall=30)
        raise NoBoard("nothing answers")

    monkeypatch.setattr(RawRepl, "enter_raw_repl", late)
    with SerialBoard(blank()) as board:
        with pytest.raises(NoBoard, match="press RESET and do this again"):
            connect.connect(board.port, wait_s=0.1)
        assert board.reloaded.wait(10)


@pytest.mark.parametrize(("each_s", "wait_s"), [(0.05, 0.4), (0.0, 0.4), (0.05, 0)])
def test_a_port_that_keeps_talking_and_is_no_board(each_s, wait_s):
    told = []
    with Talker(each_s) as talker:
        with pytest.raises(NoRepl, match=r"something talks on .*: press RESET if .*`stoa flash`"):
            connect.connect(talker.port, wait_s=wait_s, on_waiting=told.append)
        assert talker.talks
    assert len(told) == 1 and "something talks on" in told[0] and told[0].endswith("; waiting 0 s")


def test_a_board_that_said_something_before_it_slept(monkeypatch):
    for name in ("ANSWERS_S", "BOOTS_S"):
        monkeypatch.setattr(connect, name, 1.0)
    told = []
    with Talker(0.05, lines=1) as talker, pytest.raises(NoBoard, match="nothing answers on"):
        connect.connect(talker.port, wait_s=0.4, on_waiting=told.append)
    assert len(told) == 1 and "the board may sleep" in told[0]


def test_one_ctrl_c_ends_it_while_the_port_keeps_talking():
    def interrupt(text):
        raise KeyboardInterrupt

    with Talker(0.05) as talker:
        with pytest.raises(KeyboardInterrupt):
            connect.connect(talker.port, on_waiting=interrupt)
        assert talker.talks


def test_a_port_that_is_not_there_yet(tmp_path):
    port = tmp_path / "ttyACM0"
    with SerialBoard(blank()) as board:

        def plug(text):
            assert "plug the board in" in text and "press RESET if it may sleep" in text
            port.symlink_to(board.port)

        with connect.connect(str(port), on_waiting=plug) as way:
            assert way.boot_out().board_id == BOARD.id


def test_nobody_waits_for_no_time(tmp_path):
    with pytest.raises(NoBoard, match="plug the board in"):
        connect.connect(str(tmp_path / "ttyACM0"), wait_s=0, on_waiting=lambda text: pytest.fail(text))


def test_a_port_that_does_not_come_back(tmp_path):
    port = tmp_path / "ttyACM0"

    def unplug(text):
        board.__exit__()
        port.unlink()

    board = SerialBoard(blank(), asleep=True)
    board.__enter__()
    port.symlink_to(board.port)
    with pytest.raises(NoBoard, match=r"there is no .*ttyACM0: plug the board in"):
        connect.connect(str(port), wait_s=0.5, on_waiting=unplug)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(NoBoard, match="is the board's drive mounted"):
        connect.connect(tmp_path / "CIRCUITPY")


@pytest.mark.parametrize(
    ("name", "file_system", "is_one"),
    [
        ("CIRCUITPY", "vfat", True),
        ("CIRCUITPY", "ext4", False),
        # A camera's card; a computer's own, which it boots from.
        ("DCIM", "vfat", False),
        ("efi", "vfat", False),
    ],
)
def test_which_drive_without_a_boot_out_is_a_board_s(tmp_path, monkeypatch, name, file_system, is_one):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.setattr(drives, "_partitions", lambda: [Partition("/dev/sdz1", folder, file_system, "rw")])
    if is_one:
        assert isinstance(connect.connect(folder, a_board=True), DriveWay)
        return
    with pytest.raises(NoBoard, match=r"is no drive of a board .*press RESET"):
        connect.connect(folder, a_board=True)


def test_a_folder_is_no_board_because_one_is_mounted_elsewhere(tmp_path, monkeypatch):
    folder = tmp_path / "CIRCUITPY"
    (folder / "lib").mkdir(parents=True)
    monkeypatch.setattr(drives, "_partitions", lambda: [Partition("/dev/sdz1", folder, "vfat", "rw")])
    for other in (folder / "lib", tmp_path):
        with pytest.raises(NoBoard, match="is no drive of a board"):
            connect.connect(other, a_board=True)


def test_the_computer_s_own_file_system_is_no_board():
    with pytest.raises(NoBoard, match="is no drive of a board"):
        connect.connect(Path("/"), a_board=True)
