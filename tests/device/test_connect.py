"""From a port to a board that answers: asleep, away with its USB, back again."""

from __future__ import annotations

import pytest

from host_tools.device.console.raw_repl import RawRepl
from host_tools.device.deploying import connect
from host_tools.device.errors import NoBoard
from tests.device.deploy_bench import BOARD, blank
from tests.device.serial_board import SerialBoard


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(connect, "ANSWERS_S", 0.3)
    monkeypatch.setattr(connect, "BOOTS_S", 0.3)
    monkeypatch.setattr(connect, "ASK_EACH_S", 0.3)


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
